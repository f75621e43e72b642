#include "cli/status.h"

#include <stdlib.h>
#include <string.h>

#include "cli/print.h"
#include "cli/value.h"
#include "common/cleanup.h"
#include "common/words.h"

#define MOST_PROBLEMS 32

struct problems {
	char *lines[MOST_PROBLEMS];
	size_t count;
};

/* Takes line over. */
static void status_add(struct problems *p, char *line)
{
	if (p->count < MOST_PROBLEMS)
		p->lines[p->count++] = line;
	else
		free(line);
}

static bool is_trouble(const char *name)
{
	static const char end[] = "_trouble";
	size_t n = strlen(name);

	return n > sizeof(end) - 1 && strcmp(name + n - (sizeof(end) - 1), end) == 0;
}

/* A daemon tells of trouble in fields that are called so. */
static void add_troubles(struct problems *p, const struct answer *a)
{
	const char *daemon = a->command->daemon;
	size_t before = p->count;

	for (const struct field *f = a->command->method->result(); f->kind != FIELD_END; f++) {
		const json_t *v = f->name && is_trouble(f->name) ? json_object_get(a->result, f->name) : NULL;
		if (!v)
			continue;
		CLEANUP(freep) char *head = value_title(f->name);
		CLEANUP(freep) char *text = value_words(f->name, v);
		status_add(p, exact_new("%s: %s: %s", daemon, head, text));
	}
	if (json_is_false(json_object_get(a->result, "database")) && p->count == before)
		status_add(p, exact_new("%s: the database does not answer", daemon));
}

/* Without the daemon's name where the sentence has it anyhow. */
static void add_refusal(struct problems *p, const struct answer *a)
{
	CLEANUP(freep) char *why = ask_cause(&a->refusal);

	status_add(p, strstr(why, a->command->daemon) ? TAKE(why) : exact_new("%s: %s", a->command->daemon, why));
}

static void print_headline(const struct page *page, const struct problems *p)
{
	if (p->count == 0) {
		fprintf(page->out, "All well.\n");
	} else if (p->count == 1) {
		CLEANUP(freep) char *line = exact_new("1 problem: %s", p->lines[0]);
		columns_wrap(page, 2, line);
	} else {
		fprintf(page->out, "%zu problems:\n", p->count);
	}
	for (size_t i = 0; i < p->count && p->count > 1; i++) {
		fprintf(page->out, "  ");
		columns_wrap(page, 4, p->lines[i]);
	}
}

static void print_block(const struct page *page, const struct answer *a)
{
	fprintf(page->out, "\n%s\n", a->command->daemon);
	if (a->result) {
		print_result(page, a->command->method, a->result);
		return;
	}
	CLEANUP(freep) char *why = ask_cause(&a->refusal);
	columns_pad(page->out, "no answer", PRINT_HEAD);
	columns_wrap(page, PRINT_HEAD, why);
}

/* Whoever may not ask must not be told that something is down, so that comes first. */
static int status_of(const struct answer *answers, size_t count, const struct problems *p)
{
	int status = p->count ? error_row(ERR_unavailable)->exit : EXIT_SUCCESS;

	for (size_t i = 0; i < count; i++)
		if (!answers[i].result && answers[i].refusal.code == ERR_forbidden)
			status = error_row(ERR_forbidden)->exit;
	return status;
}

int status_print(const struct page *page, const struct answer *answers, size_t count, bool problems_only)
{
	struct problems p = { .count = 0 };
	int status;

	for (size_t i = 0; i < count; i++) {
		if (answers[i].result)
			add_troubles(&p, &answers[i]);
		else
			add_refusal(&p, &answers[i]);
	}
	if (page && (p.count || !problems_only))
		print_headline(page, &p);
	for (size_t i = 0; page && i < count && !problems_only; i++)
		print_block(page, &answers[i]);
	status = status_of(answers, count, &p);
	for (size_t i = 0; i < p.count; i++)
		free(p.lines[i]);
	return status;
}
