#include "cli/table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli/value.h"
#include "common/cleanup.h"
#include "common/must.h"
#include "common/words.h"

#define MOST_COLUMNS 32
#define GAP          2
#define LEAST_CELL   16 /* what is cut shorter says nothing */
#define LEAST_LAST   24 /* likewise, of what goes on in further lines */

struct column {
	const struct field *field;
	size_t natural, least, width;
};

struct table {
	struct column columns[MOST_COLUMNS];
	size_t count, shown;
};

static char *cell(const struct column *c, const json_t *row)
{
	return row ? value_words(c->field->name, json_object_get(row, c->field->name)) : value_title(c->field->name);
}

/* A number, a time or a word that is cut would be another; and by what a thing is called it is named in the next command. */
static bool can_be_cut(const struct field *f)
{
	return strcmp(f->name, "id") != 0 && strcmp(f->name, "name") != 0 && f->kind != FIELD_INT && f->kind != FIELD_REAL && f->kind != FIELD_BOOL && f->kind != FIELD_ENUM;
}

static size_t least_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* A column that no row fills would only take room. */
static void add_column(struct table *t, const struct field *f, const json_t *rows)
{
	struct column c = { .field = f };
	CLEANUP(freep) char *head = cell(&c, NULL);
	bool used = false;
	json_t *row;
	size_t i;

	c.natural = columns_of(head);
	json_array_foreach((json_t *)rows, i, row) {
		CLEANUP(freep) char *text = cell(&c, row);
		size_t width = columns_of(text);
		used = used || *text;
		c.natural = width > c.natural ? width : c.natural;
	}
	c.least = can_be_cut(f) ? least_of(c.natural, columns_of(head) > LEAST_CELL ? columns_of(head) : LEAST_CELL) : c.natural;
	if (used && t->count < MOST_COLUMNS)
		t->columns[t->count++] = c;
}

/* What stands last is not cut, so it needs more room than what is. */
static size_t least_width(const struct table *t, size_t i)
{
	const struct column *c = &t->columns[i];

	return i + 1 == t->shown && can_be_cut(c->field) ? least_of(c->natural, LEAST_LAST) : c->least;
}

/* Takes room from the widest, until all that is shown fits. */
static bool fit_columns(struct table *t, size_t limit)
{
	size_t total = GAP * (t->shown - 1);

	for (size_t i = 0; i < t->shown; i++)
		total += t->columns[i].width = t->columns[i].natural;
	while (total > limit) {
		struct column *widest = NULL;
		for (size_t i = 0; i < t->shown; i++)
			if (t->columns[i].width > least_width(t, i) && (!widest || t->columns[i].width > widest->width))
				widest = &t->columns[i];
		if (!widest)
			return false;
		widest->width--;
		total--;
	}
	return true;
}

static void print_cut(FILE *out, const char *text, size_t width)
{
	bool whole = columns_of(text) <= width;
	CLEANUP(freep) char *cut = must(strndup(text, columns_fit(text, width - 1)));
	CLEANUP(freep) char *shown = exact_new("%s\xe2\x80\xa6", cut);

	columns_pad(out, whole ? text : shown, width + GAP);
}

static void print_row(const struct page *page, const struct table *t, const json_t *row)
{
	size_t indent = 0;

	for (size_t i = 0; i < t->shown; i++) {
		CLEANUP(freep) char *text = cell(&t->columns[i], row);
		if (i + 1 == t->shown)
			columns_wrap(page, indent, text);
		else
			print_cut(page->out, text, t->columns[i].width);
		indent += t->columns[i].width + GAP;
	}
}

static void print_left_out(const struct page *page, const struct table *t)
{
	CLEANUP(freep) char *text = NULL;
	size_t size;
	FILE *line = t->shown < t->count ? open_memstream(&text, &size) : NULL;

	if (!line)
		return;
	fprintf(line, "No room for:");
	for (size_t i = t->shown; i < t->count; i++) {
		CLEANUP(freep) char *head = cell(&t->columns[i], NULL);
		fprintf(line, "%s %s", i > t->shown ? "," : "", head);
	}
	fprintf(line, ". --wide shows all.");
	fclose(line);
	fputc('\n', page->out);
	columns_wrap(page, 0, text);
}

void table_print(const struct page *page, const struct field *list, const json_t *rows)
{
	struct table t = { .count = 0 };
	json_t *row;
	size_t i;

	for (const struct field *c = list->type(); c->kind != FIELD_END; c++)
		if (c->kind != FIELD_OPTIONAL)
			add_column(&t, c, rows);
	if (t.count == 0) {
		fprintf(page->out, "No %s.\n", list->name);
		return;
	}
	for (t.shown = t.count; !fit_columns(&t, page->columns ? page->columns : SIZE_MAX) && t.shown > 1; t.shown--)
		;
	print_row(page, &t, NULL);
	json_array_foreach((json_t *)rows, i, row) {
		print_row(page, &t, row);
	}
	print_left_out(page, &t);
}
