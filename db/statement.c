#include "db/statement.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/must.h"
#include "common/words.h"

static int statement_compare(const void *a, const void *b)
{
	const struct statement *x = a, *y = b;
	int order = strcmp(x->sql, y->sql);

	if (order == 0)
		order = x->n - y->n;
	return order || x->n == 0 ? order : memcmp(x->types, y->types, (size_t)x->n * sizeof(*x->types));
}

static void statement_free(void *p)
{
	struct statement *st = p;

	free(st->sql);
	free(st->types);
	free(st);
}

void statements_clear(struct statements *s)
{
	tdestroy(s->tree, statement_free);
	*s = (struct statements){ 0 };
}

static struct statement *statement_new(unsigned number, const struct statement *like)
{
	struct statement *st = must(calloc(1, sizeof(*st)));

	st->sql = must(strdup(like->sql));
	st->types = must(calloc((size_t)like->n + 1, sizeof(*st->types)));
	if (like->n > 0)
		memcpy(st->types, like->types, (size_t)like->n * sizeof(*st->types));
	st->n = like->n;
	exact_must(st->name, sizeof(st->name), "s%u", number % 1000);
	return st;
}

struct statement *statements_get(struct statements *s, const char *sql, const Oid *types, int n)
{
	const struct statement wanted = { .sql = (char *)sql, .types = (Oid *)types, .n = n };
	struct statement *const *found = tfind(&wanted, &s->tree, statement_compare), *st;

	if (found)
		return *found;
	if (s->count == STATEMENTS_MAX)
		return NULL;
	st = statement_new(s->count++, &wanted);
	must(tsearch(st, &s->tree, statement_compare));
	return st;
}
