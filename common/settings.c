#include "common/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Where a value comes from, and where a complaint about it goes. */
struct source {
	const char *file; /* NULL: the command line */
	int line;
	char *why;
	size_t size;
};

static int complain(const struct source *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int complain(const struct source *s, const char *format, ...)
{
	va_list args;
	int n = 0;

	if (s->file)
		n = snprintf(s->why, s->size, "%s:%d: ", s->file, s->line);
	else
		n = snprintf(s->why, s->size, "--set: ");
	va_start(args, format);
	if (n >= 0 && (size_t)n < s->size)
		vsnprintf(s->why + n, s->size - (size_t)n, format, args);
	va_end(args);
	return -EINVAL;
}

static char *copy(const char *s)
{
	char *c = strdup(s);

	if (!c)
		abort();
	return c;
}

static void set_defaults(const struct setting *rows, void *out)
{
	for (const struct setting *s = rows; s->name; s++) {
		void *at = (char *)out + s->offset;
		switch (s->kind) {
		case SETTING_TEXT: *(char **)at = s->text ? copy(s->text) : NULL; break;
		case SETTING_NUMBER: *(int64_t *)at = s->number; break;
		case SETTING_WORDS: *(struct words *)at = (struct words){ 0 }; break;
		}
	}
}

static const struct setting *find(const struct setting *rows, const char *name)
{
	for (const struct setting *s = rows; s->name; s++)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

static int set_number(const struct setting *s, int64_t *at, const char *value, const struct source *from)
{
	char *end;

	errno = 0;
	long long n = strtoll(value, &end, 10);
	if (errno || end == value || *end)
		return complain(from, "%s must be a whole number, not \"%s\"", s->name, value);
	if (n < s->least || n > s->most)
		return complain(from, "%s must be between %lld and %lld, not %lld", s->name,
			(long long)s->least, (long long)s->most, n);
	*at = n;
	return 0;
}

static void words_add(struct words *w, const char *value)
{
	w->items = reallocarray(w->items, w->count + 1, sizeof(*w->items));
	if (!w->items)
		abort();
	w->items[w->count++] = copy(value);
}

static int set(const struct setting *rows, void *out, const char *name, const char *value,
	const struct source *from)
{
	const struct setting *s = find(rows, name);

	if (!s)
		return complain(from, "there is no setting \"%s\"; --print-settings lists them all", name);
	void *at = (char *)out + s->offset;
	switch (s->kind) {
	case SETTING_TEXT:
		free(*(char **)at);
		*(char **)at = copy(value);
		return 0;
	case SETTING_NUMBER: return set_number(s, at, value, from);
	case SETTING_WORDS: words_add(at, value); return 0;
	}
	return 0;
}

static char *trim(char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	for (char *end = s + strlen(s); end > s && isspace((unsigned char)end[-1]);)
		*--end = '\0';
	return s;
}

/* Splits "name = value" in place. */
static int split(char *line, char **ret_name, char **ret_value, const struct source *from)
{
	char *equals = strchr(line, '=');

	if (!equals)
		return complain(from, "expected \"name = value\", found \"%s\"", line);
	*equals = '\0';
	*ret_name = trim(line);
	*ret_value = trim(equals + 1);
	return 0;
}

/* A scalar given twice is a slip that would otherwise be settled by order. */
static int check_repeat(const struct setting *rows, const char *name, bool *seen, const struct source *from)
{
	const struct setting *s = find(rows, name);

	if (!s || s->kind == SETTING_WORDS)
		return 0;
	if (seen[s - rows])
		return complain(from, "%s is set a second time; keep one of the two", name);
	seen[s - rows] = true;
	return 0;
}

static int read_lines(const struct setting *rows, void *out, FILE *f, struct source *from)
{
	char *line = NULL, *name = NULL, *value = NULL;
	size_t size = 0, count = 0;
	ssize_t length;
	int r = 0;

	for (const struct setting *s = rows; s->name; s++)
		count++;
	bool *seen = calloc(count + 1, sizeof(*seen));
	if (!seen)
		abort();
	while (r == 0 && (length = getline(&line, &size, f)) >= 0) {
		from->line++;
		if (strlen(line) != (size_t)length) { /* what follows would be cut off unseen */
			r = complain(from, "the line holds a NUL byte");
			break;
		}
		char *text = trim(line);
		if (*text == '\0' || *text == '#')
			continue;
		r = split(text, &name, &value, from);
		if (r == 0)
			r = check_repeat(rows, name, seen, from);
		if (r == 0)
			r = set(rows, out, name, value, from);
	}
	if (r == 0 && ferror(f)) { /* a directory, say */
		r = -errno;
		snprintf(from->why, from->size, "cannot read the settings file %s: %s", from->file, strerror(-r));
	}
	free(seen);
	free(line);
	return r;
}

static int read_file(const struct setting *rows, void *out, const char *file, char *why, size_t size)
{
	struct source from = { .file = file, .why = why, .size = size };
	FILE *f = fopen(file, "re");
	int r;

	if (!f) {
		r = -errno;
		snprintf(why, size, "cannot read the settings file %s: %s", file, strerror(-r));
		return r;
	}
	r = read_lines(rows, out, f, &from);
	fclose(f);
	return r;
}

static int check_required(const struct setting *rows, const void *out, const char *file, char *why, size_t size)
{
	for (const struct setting *s = rows; s->name; s++) {
		if (s->kind != SETTING_TEXT || *(char *const *)((const char *)out + s->offset))
			continue;
		snprintf(why, size, "%s%sthe setting \"%s\" is missing: %s", file ? file : "", file ? ": " : "", s->name, s->sentence);
		return -EINVAL;
	}
	return 0;
}

static int apply_overrides(const struct setting *rows, void *out, const char *const *overrides,
	size_t count, char *why, size_t size)
{
	struct source from = { .why = why, .size = size };
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		char *line = copy(overrides[i]), *name = NULL, *value = NULL;
		r = split(line, &name, &value, &from);
		if (r == 0)
			r = set(rows, out, name, value, &from);
		free(line);
	}
	return r;
}

int settings_load(const struct setting *rows, void *out, const char *file, const char *const *overrides,
	size_t count, char *why, size_t size)
{
	int r = 0;

	set_defaults(rows, out);
	if (file)
		r = read_file(rows, out, file, why, size);
	if (r == 0)
		r = apply_overrides(rows, out, overrides, count, why, size);
	if (r == 0)
		r = check_required(rows, out, file, why, size);
	if (r < 0)
		settings_free(rows, out);
	return r;
}

void settings_free(const struct setting *rows, void *out)
{
	for (const struct setting *s = rows; s->name; s++) {
		void *at = (char *)out + s->offset;
		if (s->kind == SETTING_TEXT) {
			free(*(char **)at);
			*(char **)at = NULL;
		} else if (s->kind == SETTING_WORDS) {
			struct words *w = at;
			for (size_t i = 0; i < w->count; i++)
				free(w->items[i]);
			free(w->items);
			*w = (struct words){ 0 };
		}
	}
}

void settings_print_sample(const struct setting *rows, FILE *out)
{
	for (const struct setting *s = rows; s->name; s++) {
		fprintf(out, "# %s\n", s->sentence);
		switch (s->kind) {
		case SETTING_TEXT:
			fprintf(out, "%s%s = %s\n\n", s->text ? "#" : "", s->name, s->text ? s->text : "");
			break;
		case SETTING_NUMBER:
			fprintf(out, "# From %lld to %lld.\n#%s = %lld\n\n", (long long)s->least,
				(long long)s->most, s->name, (long long)s->number);
			break;
		case SETTING_WORDS: fprintf(out, "# May be repeated.\n#%s = \n\n", s->name); break;
		}
	}
}
