#include "cli/print.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static char *format(const char *pattern, long long a, long long b)
{
	char *text;

	if (asprintf(&text, pattern, a, b) < 0)
		abort();
	return text;
}

static char *duration(long long ms)
{
	if (ms < 60000)
		return format("%lld.%lld s", ms / 1000, ms % 1000 / 100);
	if (ms < 3600000)
		return format("%lld min %lld s", ms / 60000, ms % 60000 / 1000);
	if (ms < 86400000)
		return format("%lld h %lld min", ms / 3600000, ms % 3600000 / 60000);
	return format("%lld d %lld h", ms / 86400000, ms % 86400000 / 3600000);
}

static char *moment(long long ms)
{
	time_t t = (time_t)(ms / 1000);
	char text[32];
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	return strdup(text);
}

static bool is_moment(const char *name)
{
	return strcmp(name, "at_ms") == 0 || ends_with(name, "_at_ms");
}

static char *number(const char *name, long long n)
{
	if (is_moment(name))
		return n ? moment(n) : strdup("");
	return ends_with(name, "_ms") ? duration(n) : format("%lld", n, 0);
}

/* A mark that turns the direction of the line around: U+202A to 202E, U+2066 to 2069. */
static bool is_direction(const char *c)
{
	const unsigned char *u = (const unsigned char *)c;

	return u[0] == 0xe2 && ((u[1] == 0x80 && u[2] >= 0xaa && u[2] <= 0xae) || (u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9));
}

char *print_plain(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		abort();
	for (char *c = copy; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
		else if ((unsigned char)c[0] == 0xc2 && (unsigned char)c[1] < 0xa0) /* C1: a no-break space instead */
			c[1] = (char)0xa0;
		else if (is_direction(c))
			memset(c, ' ', 3);
	}
	return copy;
}

static char *title(const char *name);
static char *words(const char *name, const json_t *v);

/* Takes text and more over: "a, b". */
static char *add_part(char *text, const char *head, char *more)
{
	char *all;

	if (asprintf(&all, "%s%s%s%s%s", text, *text ? ", " : "", head, *head ? " " : "", more) < 0)
		abort();
	free(text);
	free(more);
	return all;
}

/* What a row holds beyond single values, on one line: "date 2026-11-26, desk D-204". */
static char *parts(const char *name, const json_t *v)
{
	char *text = strdup("");
	const char *key;
	json_t *part;
	size_t i;

	/* Of a list of things, what they are called. */
	json_array_foreach((json_t *)v, i, part)
		text = add_part(text, "", words(name, json_object_get(part, "name") ?: part));
	json_object_foreach((json_t *)v, key, part) {
		char *plain = print_plain(key), *head = title(plain);
		text = add_part(text, head, words(key, part));
		free(plain);
		free(head);
	}
	return text;
}

/* One value in words; to be freed. */
static char *words(const char *name, const json_t *v)
{
	if (!v)
		return strdup("");
	switch (json_typeof(v)) {
	case JSON_OBJECT:
	case JSON_ARRAY: return parts(name, v);
	case JSON_STRING: return print_plain(json_string_value(v));
	case JSON_INTEGER: return number(name, json_integer_value(v));
	case JSON_TRUE: return strdup("yes");
	case JSON_FALSE: return strdup("no");
	default: return json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
	}
}

/* "saved_at_ms" is "saved at" for people: its value says its unit. */
static char *title(const char *name)
{
	char *t = strdup(name);

	if (!t)
		abort();
	if (ends_with(t, "_at_ms"))
		t[strlen(t) - 6] = '\0';
	else if (ends_with(t, "_ms"))
		t[strlen(t) - 3] = '\0';
	for (char *c = t; *c; c++)
		if (*c == '_')
			*c = ' ';
	return t;
}

static size_t width(const char *s)
{
	size_t n = mbstowcs(NULL, s, 0);

	return n == (size_t)-1 ? strlen(s) : n;
}

static void pad(FILE *out, const char *s, size_t to)
{
	fputs(s, out);
	for (size_t n = width(s); n < to; n++)
		fputc(' ', out);
}

#define MOST_COLUMNS 32
#define MOST_CELL    48 /* columns on the screen; --json has all of it */

/* What stands in a table, cut where it would make the line too long to read. */
static char *cell(const char *name, const json_t *row)
{
	char *text = words(name, json_object_get(row, name)), *cut, *p = text;
	mbstate_t state = { 0 };
	size_t n;

	if (width(text) <= MOST_CELL)
		return text;
	for (int i = 0; i + 1 < MOST_CELL && *p; i++) {
		n = mbrtowc(NULL, p, MB_CUR_MAX, &state);
		p += n == 0 || n > MB_CUR_MAX ? 1 : n;
	}
	if (asprintf(&cut, "%.*s\xe2\x80\xa6", (int)(p - text), text) < 0)
		abort();
	free(text);
	return cut;
}

struct table {
	const struct field *columns[MOST_COLUMNS];
	size_t widths[MOST_COLUMNS], count;
};

/* A column that no row fills would only take room. */
static void add_column(struct table *t, const struct field *f, const json_t *rows)
{
	char *head = title(f->name);
	size_t i, most = width(head);
	bool used = false;
	json_t *row;

	json_array_foreach((json_t *)rows, i, row) {
		char *text = cell(f->name, row);
		size_t w = width(text);
		used = used || *text;
		most = w > most ? w : most;
		free(text);
	}
	free(head);
	if (!used || t->count == MOST_COLUMNS)
		return;
	t->columns[t->count] = f;
	t->widths[t->count++] = most;
}

static void print_row(const struct table *t, const json_t *row, FILE *out)
{
	for (size_t i = 0; i < t->count; i++) {
		const char *name = t->columns[i]->name;
		char *text = row ? cell(name, row) : title(name);
		if (i + 1 == t->count)
			fputs(text, out);
		else
			pad(out, text, t->widths[i] + 2);
		free(text);
	}
	fputc('\n', out);
}

static void print_table(const struct field *f, const json_t *rows, FILE *out)
{
	struct table t = { .count = 0 };
	json_t *row;
	size_t i;

	if (json_array_size(rows) == 0) {
		fprintf(out, "No %s.\n", f->name);
		return;
	}
	for (const struct field *c = f->type(); c->kind != FIELD_END; c++)
		if (c->kind != FIELD_OPTIONAL)
			add_column(&t, c, rows);
	print_row(&t, NULL, out);
	json_array_foreach((json_t *)rows, i, row) {
		print_row(&t, row, out);
	}
}

static void print_fields(const struct field *rows, const json_t *object, FILE *out)
{
	for (const struct field *f = rows; f->kind != FIELD_END; f++) {
		const json_t *v = f->name ? json_object_get(object, f->name) : NULL;
		if (!v)
			continue;
		if (f->kind == FIELD_LIST) {
			print_table(f, v, out);
		} else if (f->kind == FIELD_OBJ) {
			print_fields(f->type(), v, out);
		} else {
			char *head = title(f->name), *text = words(f->name, v);
			pad(out, head, 20);
			fprintf(out, "%s\n", text);
			free(head);
			free(text);
		}
	}
}

void print_result(const struct method *m, const json_t *result, FILE *out)
{
	print_fields(m->result(), result, out);
}
