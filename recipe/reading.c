#include "recipe/reading.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "common/nearest.h"
#include "common/span.h"
#include "common/words.h"
#include "recipe/format.h"

#define MEMBER(type_, out_, offset_) ((type_ *)((char *)(out_) + (offset_)))

int reading_fail(struct reading *r, const struct place *place, const char *format, ...)
{
	char path[256], message[512];
	va_list args;

	va_start(args, format);
	words_set_v(message, sizeof(message), format, args);
	va_end(args);
	place_print(place, path, sizeof(path));
	if (r->file)
		words_set(r->why, r->size, "%s:%u: %s%s%s", r->file, place_line(place, r->text, r->length), path,
			*path ? ": " : "", message);
	else
		words_set(r->why, r->size, "%s%s%s", path, *path ? ": " : "", message);
	return -EINVAL;
}

/* How much of s can be told in a message of one line. */
static const char *plain_beginning(struct reading *r, const char *s)
{
	size_t n = 0;

	while (s[n] && !iscntrl((unsigned char)s[n]))
		n++;
	return arena_memdup(r->arena, s, n);
}

static int reading_read_text(struct reading *r, const struct place *place, const json_t *json, int64_t most,
	enum format format, const char **ret)
{
	const char *wrong;

	if (!json_is_string(json))
		return reading_fail(r, place, "takes a string");
	if (json_string_length(json) > (size_t)most)
		return reading_fail(r, place, "is longer than %lld bytes", (long long)most);
	wrong = format_check(format, json_string_value(json), r->file);
	if (wrong)
		return reading_fail(r, place, "\"%s\" %s", plain_beginning(r, json_string_value(json)), wrong);
	*ret = arena_strdup(r->arena, json_string_value(json));
	return 0;
}

static int reading_read_texts(struct reading *r, const struct key *k, const struct place *place, const json_t *json,
	void *out)
{
	size_t n = json_array_size(json);
	const char **items;

	if (!json_is_array(json) || n == 0 || n > (size_t)k->most)
		return reading_fail(r, place, "takes a list of 1 to %lld strings", (long long)k->most);
	items = arena_array(r->arena, n, sizeof(*items));
	for (size_t i = 0; i < n; i++) {
		int e = reading_read_text(r, PLACE_INDEX(place, i), json_array_get(json, i), k->each, k->format, &items[i]);
		if (e < 0)
			return e;
	}
	*MEMBER(const char **, out, k->offset) = items;
	*MEMBER(size_t, out, k->count_offset) = n;
	return 0;
}

static int reading_read_number(struct reading *r, const struct key *k, const struct place *place, const json_t *json,
	void *out)
{
	if (!json_is_integer(json) || json_integer_value(json) < k->least || json_integer_value(json) > k->most)
		return reading_fail(r, place, "takes a whole number from %lld to %lld", (long long)k->least,
			(long long)k->most);
	*MEMBER(int64_t, out, k->offset) = json_integer_value(json);
	return 0;
}

static int fail_choice(struct reading *r, const struct place *place, const char *words, const char *given)
{
	char *copy = arena_strdup(r->arena, words);
	struct nearest near = nearest_to(given);

	for (char *save, *w = strtok_r(copy, "|", &save); w; w = strtok_r(NULL, "|", &save))
		nearest_consider(&near, w);
	if (near.name)
		return reading_fail(r, place, "\"%s\" is not one of %s; did you mean \"%s\"?", given, words, near.name);
	return reading_fail(r, place, "\"%s\" is not one of %s", given, words);
}

static int read_choice(struct reading *r, const struct key *k, const struct place *place, const json_t *json,
	void *out)
{
	const char *given = json_string_value(json);

	if (!given)
		return reading_fail(r, place, "takes one of %s", k->words);
	if (!span_lists(k->words, "|", given))
		return fail_choice(r, place, k->words, given);
	*MEMBER(const char *, out, k->offset) = arena_strdup(r->arena, given);
	return 0;
}

static int reading_read_list(struct reading *r, const struct key *k, const struct place *place, const json_t *json,
	void *out)
{
	size_t n = json_array_size(json);
	char *items;

	if (!json_is_array(json) || n == 0 || n > (size_t)k->most)
		return reading_fail(r, place, "takes a list of 1 to %lld objects", (long long)k->most);
	items = arena_array(r->arena, n, k->type->size);
	for (size_t i = 0; i < n; i++) {
		int e = reading_struct(r, k->type, PLACE_INDEX(place, i), json_array_get(json, i),
			items + i * k->type->size);
		if (e < 0)
			return e;
	}
	*MEMBER(void *, out, k->offset) = items;
	*MEMBER(size_t, out, k->count_offset) = n;
	return 0;
}

/* The object's names go into the NAMED member. */
static int read_map(struct reading *r, const struct key *k, const struct place *place, json_t *json, void *out)
{
	size_t n = json_object_size(json), i = 0;
	const char *name, *wrong;
	json_t *value;
	char *items;

	if (!json_is_object(json) || n == 0 || n > (size_t)k->most)
		return reading_fail(r, place, "takes an object of 1 to %lld members", (long long)k->most);
	items = arena_array(r->arena, n, k->type->size);
	json_object_foreach(json, name, value) {
		void *item = items + i++ * k->type->size;
		int e = reading_struct(r, k->type, PLACE_KEY(place, name), value, item);
		if (e < 0)
			return e;
		wrong = strlen(name) > 64 ? "is too long for a name" : format_check(FORMAT_NAME, name, false);
		if (wrong)
			return reading_fail(r, PLACE_KEY(place, name), "\"%s\" %s", name, wrong);
		*MEMBER(const char *, item, k->type->keys()->offset) = arena_strdup(r->arena, name);
	}
	*MEMBER(void *, out, k->offset) = items;
	*MEMBER(size_t, out, k->count_offset) = n;
	return 0;
}

static int read_one(struct reading *r, const struct key *k, const struct place *place, const json_t *json, void *out)
{
	void *p = arena_alloc(r->arena, k->type->size);
	int e = reading_struct(r, k->type, place, json, p);

	if (e == 0)
		*MEMBER(void *, out, k->offset) = p;
	return e;
}

static int reading_read_key(struct reading *r, const struct key *k, const struct place *place, json_t *json, void *out)
{
	switch (k->kind) {
	case KEY_TEXT: return reading_read_text(r, place, json, k->most, k->format, MEMBER(const char *, out, k->offset));
	case KEY_TEXTS: return reading_read_texts(r, k, place, json, out);
	case KEY_NUMBER: return reading_read_number(r, k, place, json, out);
	case KEY_FLAG:
		if (!json_is_boolean(json))
			return reading_fail(r, place, "takes true or false");
		*MEMBER(bool, out, k->offset) = json_is_true(json);
		return 0;
	case KEY_CHOICE: return read_choice(r, k, place, json, out);
	case KEY_ONE: return read_one(r, k, place, json, out);
	case KEY_NESTED: return reading_struct(r, k->type, place, json, MEMBER(void, out, k->offset));
	case KEY_LIST: return reading_read_list(r, k, place, json, out);
	case KEY_MAP: return read_map(r, k, place, json, out);
	case KEY_NAMED:
	case KEY_END:
	case KEY_MARK: break;
	}
	return 0;
}

static int read_absent(struct reading *r, const struct key *k, bool optional, const struct place *place, void *out)
{
	json_auto_t *nothing = NULL;

	if (!optional)
		return reading_fail(r, place, "lacks \"%s\": %s", k->name, k->sentence);
	if (k->kind == KEY_NUMBER)
		*MEMBER(int64_t, out, k->offset) = k->absent;
	if (k->kind != KEY_NESTED)
		return 0;
	nothing = json_object();
	return reading_struct(r, k->type, PLACE_KEY(place, k->name), nothing, MEMBER(void, out, k->offset));
}

static int fail_unknown(struct reading *r, const struct key_type *type, const struct place *place, const char *name)
{
	struct nearest near = nearest_to(name);
	char all[384] = "";
	unsigned marks;

	for (const struct key *k = key_first(type->keys(), &marks); k->kind != KEY_END; k = key_next(k, &marks)) {
		if (marks & MARK_SENT)
			continue;
		nearest_consider(&near, k->name);
		words_add(all, sizeof(all), "%s%s", *all ? ", " : "", k->name);
	}
	if (near.name)
		return reading_fail(r, PLACE_KEY(place, name), "unknown key \"%s\"; did you mean \"%s\"?", name,
			near.name);
	return reading_fail(r, PLACE_KEY(place, name), "unknown key \"%s\"; there are %s", name, all);
}

int reading_struct(struct reading *r, const struct key_type *type, const struct place *place, const json_t *json,
	void *out)
{
	unsigned marks;
	const char *name;
	json_t *value;
	int e;

	if (!json_is_object(json))
		return reading_fail(r, place, "takes an object");
	json_object_foreach((json_t *)json, name, value) {
		if (!key_find(type, span_of(name)))
			return fail_unknown(r, type, place, name);
	}
	for (const struct key *k = key_first(type->keys(), &marks); k->kind != KEY_END; k = key_next(k, &marks)) {
		value = json_object_get(json, k->name);
		if (value && r->file && (marks & MARK_SENT))
			return fail_unknown(r, type, place, k->name);
		e = value ? reading_read_key(r, k, PLACE_KEY(place, k->name), value, out) :
			    read_absent(r, k, marks & (MARK_OPTIONAL | MARK_NEWER), place, out);
		if (e < 0)
			return e;
	}
	return r->check(r, type, place, out);
}
