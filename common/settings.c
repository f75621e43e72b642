#include "common/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/must.h"
#include "common/nearest.h"
#include "common/words.h"

/* The settings that several daemons share; each row that says so is one of these. */
static const char *const shared_names[] = { "origin", "recipes", "pin", "trusted_key", NULL };

/* Where a value comes from, and where a complaint about it goes. */
struct source {
	const char *file; /* NULL: the command line */
	int line;
	char *why;
	size_t size;
};

__attribute__((format(printf, 2, 3))) static int complain(const struct source *s, const char *format, ...)
{
	va_list args;
	size_t n;

	if (s->file)
		n = words_set(s->why, s->size, "%s:%d: ", s->file, s->line);
	else
		n = words_set(s->why, s->size, "--set: ");
	va_start(args, format);
	words_set_v(s->why + n, s->size - n, format, args);
	va_end(args);
	return -EINVAL;
}

static void set_defaults(const struct setting *rows, void *out)
{
	for (const struct setting *s = rows; s->name; s++) {
		void *at = (char *)out + s->offset;
		switch (s->kind) {
		case SETTING_TEXT: *(char **)at = s->text ? must(strdup(s->text)) : NULL; break;
		case SETTING_NUMBER: *(int64_t *)at = s->number; break;
		case SETTING_WORDS: *(struct words *)at = (struct words){ 0 }; break;
		}
	}
}

static const struct setting *settings_find(const struct setting *rows, const char *name)
{
	for (const struct setting *s = rows; s->name; s++)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

static int refuse_unknown(const struct setting *rows, const char *name, const struct source *from)
{
	struct nearest near = nearest_to(name);

	for (const struct setting *s = rows; s->name; s++)
		nearest_consider(&near, s->name);
	if (near.name)
		return complain(from, "there is no setting \"%s\"; did you mean %s? --help lists them all", name, near.name);
	return complain(from, "there is no setting \"%s\"; --help lists them all", name);
}

/* What is given is held to its form; a default is known to have it. */
static int check_form(const struct setting *s, const char *value, const struct source *from)
{
	const char *wrong = s->form ? s->form->wrong(value) : NULL;

	if (!wrong)
		return 0;
	if (s->form->secret)
		return complain(from, "%s does not take what stands there: %s; for example: %s = %s", s->name, wrong, s->name,
			s->form->example);
	return complain(from, "%s does not take \"%s\": %s; for example: %s = %s", s->name, BRIEF(80, value), wrong, s->name,
		s->form->example);
}

static int check_number(const struct setting *s, const char *value, const struct source *from)
{
	char *end;

	errno = 0;
	long long n = strtoll(value, &end, 10);
	if (errno || end == value || *end)
		return complain(from, "%s must be a whole number, not \"%s\"", s->name, value);
	if (n < s->least || n > s->most)
		return complain(from, "%s must be between %lld and %lld, not %lld", s->name,
			(long long)s->least, (long long)s->most, n);
	return 0;
}

static int settings_check(const struct setting *s, const char *value, const struct source *from)
{
	return s->kind == SETTING_NUMBER ? check_number(s, value, from) : check_form(s, value, from);
}

static void settings_append(struct words *w, const char *value)
{
	w->items = must(reallocarray(w->items, w->count + 1, sizeof(*w->items)));
	w->items[w->count++] = must(strdup(value));
}

/* A value that has been checked. */
static void settings_set(const struct setting *s, void *out, const char *value)
{
	void *at = (char *)out + s->offset;

	switch (s->kind) {
	case SETTING_TEXT:
		free(*(char **)at);
		*(char **)at = must(strdup(value));
		break;
	case SETTING_NUMBER: *(int64_t *)at = strtoll(value, NULL, 10); break;
	case SETTING_WORDS: settings_append(at, value); break;
	}
}

static char *settings_trim(char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	for (char *end = s + strlen(s); end > s && isspace((unsigned char)end[-1]);)
		*--end = '\0';
	return s;
}

/* Splits "name = value" in place. */
static int settings_split(char *line, char **ret_name, char **ret_value, const struct source *from)
{
	char *equals = strchr(line, '=');

	if (!equals)
		return complain(from, "expected \"name = value\", found \"%s\"", line);
	*equals = '\0';
	*ret_name = settings_trim(line);
	*ret_value = settings_trim(equals + 1);
	return 0;
}

/* What a file says, one list of values for each row. */
struct reading {
	const struct setting *rows;
	struct words *given;
	bool shared; /* it is the file of the shared ones */
};

static bool is_shared(const char *name)
{
	for (size_t i = 0; shared_names[i]; i++)
		if (strcmp(shared_names[i], name) == 0)
			return true;
	return false;
}

static int take_line(const struct reading *r, char *text, const struct source *from)
{
	char *name = NULL, *value = NULL;
	const struct setting *s;
	int e = settings_split(text, &name, &value, from);

	if (e < 0)
		return e;
	if (r->shared && !is_shared(name))
		return complain(from, "\"%s\" is no setting that daemons share; it belongs into the file of the daemon that it is for", name);
	s = settings_find(r->rows, name);
	if (!s)
		return r->shared ? 0 : refuse_unknown(r->rows, name, from);
	if (s->kind != SETTING_WORDS && r->given[s - r->rows].count) /* a slip that would otherwise be settled by order */
		return complain(from, "%s is set a second time; keep one of the two", name);
	e = settings_check(s, value, from);
	if (e == 0)
		settings_append(&r->given[s - r->rows], value);
	return e;
}

static int read_lines(const struct reading *reading, FILE *f, struct source *from)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	int r = 0;

	while (r == 0 && (length = getline(&line, &size, f)) >= 0) {
		from->line++;
		if (strlen(line) != (size_t)length) { /* what follows would be cut off unseen */
			r = complain(from, "the line holds a NUL byte");
			break;
		}
		char *text = settings_trim(line);
		if (*text == '\0' || *text == '#')
			continue;
		r = take_line(reading, text, from);
	}
	if (r == 0 && ferror(f)) { /* a directory, say */
		r = -errno;
		words_set(from->why, from->size, "cannot read the settings file %s: %s", from->file, strerror(-r));
	}
	free(line);
	return r;
}

static size_t count_rows(const struct setting *rows)
{
	size_t count = 0;

	while (rows[count].name)
		count++;
	return count;
}

static int settings_read_file(const struct reading *reading, const char *file, char *why, size_t size)
{
	struct source from = { .file = file, .why = why, .size = size };
	CLEANUP(fclosep) FILE *f = fopen(file, "re");

	if (!f)
		return words_fail(-errno, why, size,
			"cannot read the settings file %s: %s; it must be there, and its daemon must be able to read it (systemd-tmpfiles --create stead.conf sees to the latter)",
			file, strerror(errno));
	return read_lines(reading, f, &from);
}

static void words_clear(struct words *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->items[i]);
	free(w->items);
	*w = (struct words){ 0 };
}

static bool settings_same(const struct words *a, const struct words *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

/* What both files say of one setting comes to one value. */
static int settings_settle(const struct setting *s, void *out, const struct words *own, const struct words *common,
	const char *common_file, const struct source *from)
{
	const struct words *in_force = common->count ? common : own;

	if (own->count && common->count && !settings_same(own, common))
		return words_fail(-EINVAL, from->why, from->size,
			"the setting \"%s\" stands in %s and, differently, in %s, where all daemons read it; remove it from the first", s->name,
			from->file, common_file);
	if (s->shared && own->count && !common->count)
		words_set(from->why, from->size,
			"the setting \"%s\" stands in %s and belongs into %s, where every daemon reads it; move it there", s->name, from->file,
			common_file);
	for (size_t i = 0; i < in_force->count; i++)
		settings_set(s, out, in_force->items[i]);
	return 0;
}

char *settings_shared_path(const char *file)
{
	const char *slash = strrchr(file, '/');
	size_t n = slash ? (size_t)(slash + 1 - file) : 0;
	char *path = must(malloc(n + sizeof(SETTINGS_SHARED_FILE)));

	memcpy(path, file, n);
	memcpy(path + n, SETTINGS_SHARED_FILE, sizeof(SETTINGS_SHARED_FILE));
	return path;
}

static int read_files(const struct setting *rows, void *out, const char *file, char *why, size_t size)
{
	size_t count = count_rows(rows);
	struct words *own = must(calloc(2 * count + 1, sizeof(*own))), *common = own + count;
	struct source from = { .file = file, .why = why, .size = size };
	CLEANUP(freep) char *common_file = settings_shared_path(file);
	int r = settings_read_file(&(struct reading){ rows, own, false }, file, why, size);

	if (r == 0 && access(common_file, F_OK) == 0)
		r = settings_read_file(&(struct reading){ rows, common, true }, common_file, why, size);
	for (size_t i = 0; i < count && r == 0; i++)
		r = settings_settle(&rows[i], out, &own[i], &common[i], common_file, &from);
	for (size_t i = 0; i < 2 * count; i++)
		words_clear(&own[i]);
	free(own);
	return r;
}

static int settings_check_required(const struct setting *rows, const void *out, const char *file, char *why, size_t size)
{
	for (const struct setting *s = rows; s->name; s++)
		if (s->kind == SETTING_TEXT && !*(char *const *)((const char *)out + s->offset))
			return words_fail(-EINVAL, why, size, "%s%sthe setting \"%s\" is missing: %s", file ? file : "", file ? ": " : "",
				s->name, s->sentence);
	return 0;
}

static int override_one(const struct setting *rows, void *out, const char *name, const char *value, const struct source *from)
{
	const struct setting *s = settings_find(rows, name);
	int r = s ? settings_check(s, value, from) : refuse_unknown(rows, name, from);

	if (r == 0)
		settings_set(s, out, value);
	return r;
}

static int apply_overrides(const struct setting *rows, void *out, const char *const *overrides,
	size_t count, char *why, size_t size)
{
	struct source from = { .why = why, .size = size };
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		CLEANUP(freep) char *line = must(strdup(overrides[i]));
		char *name = NULL, *value = NULL;
		r = settings_split(line, &name, &value, &from);
		if (r == 0)
			r = override_one(rows, out, name, value, &from);
	}
	return r;
}

int settings_load(const struct setting *rows, void *out, const char *file, const char *const *overrides,
	size_t count, char *why, size_t size)
{
	int r = 0;

	set_defaults(rows, out);
	*why = '\0';
	if (file)
		r = read_files(rows, out, file, why, size);
	if (r == 0)
		r = apply_overrides(rows, out, overrides, count, why, size);
	if (r == 0)
		r = settings_check_required(rows, out, file, why, size);
	if (r < 0)
		settings_free(rows, out);
	return r;
}

const char *settings_text(const struct setting *rows, const void *settings, const char *name)
{
	while (strcmp(rows->name, name) != 0)
		rows++;
	return *(char *const *)((const char *)settings + rows->offset);
}

void settings_free(const struct setting *rows, void *out)
{
	for (const struct setting *s = rows; s->name; s++) {
		void *at = (char *)out + s->offset;
		if (s->kind == SETTING_TEXT) {
			free(*(char **)at);
			*(char **)at = NULL;
		} else if (s->kind == SETTING_WORDS) {
			words_clear(at);
		}
	}
}

void settings_print_sample(const struct setting *rows, FILE *out)
{
	for (const struct setting *s = rows; s->name; s++) {
		if (s->shared)
			continue;
		fprintf(out, "# %s\n", s->sentence);
		switch (s->kind) {
		case SETTING_TEXT:
			fprintf(out, "%s%s = %s\n\n", s->text ? "#" : "", s->name, s->text ? s->text : "");
			break;
		case SETTING_NUMBER:
			fprintf(out, "# From %lld to %lld.\n#%s = %lld\n\n", (long long)s->least,
				(long long)s->most, s->name, (long long)s->number);
			break;
		case SETTING_WORDS:
			fprintf(out, "# May be repeated.\n#%s = %s\n\n", s->name, s->form ? s->form->example : "");
			break;
		}
	}
}
