#include "db/statement.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/must.h"
#include "common/words.h"

#define SLOTS (2 * STATEMENTS_MAX) /* a power of two, at most half full: probing stays short */

struct entry {
	struct statement statement;
	uint32_t hash;
	int n;
	Oid *types;
	char *sql;
};

struct statements {
	unsigned count;
	struct entry *slots[SLOTS];
};

struct statements *statements_new(void)
{
	struct statements *s = must(calloc(1, sizeof(*s)));

	return s;
}

void statements_clear(struct statements *s)
{
	for (size_t i = 0; i < SLOTS; i++) {
		if (!s->slots[i])
			continue;
		free(s->slots[i]->types);
		free(s->slots[i]->sql);
		free(s->slots[i]);
		s->slots[i] = NULL;
	}
	s->count = 0;
}

struct statements *statements_free(struct statements *s)
{
	if (s)
		statements_clear(s);
	free(s);
	return NULL;
}

/* FNV-1a: short, and nobody outside chooses the keys. */
static uint32_t hash_bytes(uint32_t hash, const void *p, size_t n)
{
	for (const unsigned char *byte = p; n > 0; n--, byte++)
		hash = (hash ^ *byte) * 16777619u;
	return hash;
}

static bool statement_same(const struct entry *e, uint32_t hash, const char *sql, const Oid *types, int n)
{
	return e->hash == hash && e->n == n && strcmp(e->sql, sql) == 0 &&
	       (n == 0 || memcmp(e->types, types, (size_t)n * sizeof(*types)) == 0);
}

static struct entry *entry_new(unsigned number, const char *sql, const Oid *types, int n)
{
	struct entry *e = must(calloc(1, sizeof(*e)));
	size_t size = (size_t)n * sizeof(*types);

	e->sql = must(strdup(sql));
	e->types = must(malloc(size + 1));
	if (n > 0)
		memcpy(e->types, types, size);
	e->n = n;
	exact_must(e->statement.name, sizeof(e->statement.name), "s%u", number % 1000);
	return e;
}

struct statement *statements_get(struct statements *s, const char *sql, const Oid *types, int n)
{
	uint32_t hash = hash_bytes(2166136261u, sql, strlen(sql));
	size_t i;

	hash = hash_bytes(hash, types, (size_t)n * sizeof(*types));
	for (i = hash % SLOTS; s->slots[i]; i = (i + 1) % SLOTS)
		if (statement_same(s->slots[i], hash, sql, types, n))
			return &s->slots[i]->statement;
	if (s->count == STATEMENTS_MAX)
		return NULL;
	s->slots[i] = entry_new(s->count++, sql, types, n);
	s->slots[i]->hash = hash;
	return &s->slots[i]->statement;
}
