#include "recipe/reading.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/nearest.h"
#include "common/span.h"
#include "common/words.h"
#include "recipe/format.h"

#define MEMBER(type_, out_, offset_) ((type_ *)((char *)(out_) + (offset_)))

void reading_fail(struct reading *r, const struct place *place, const char *format, ...)
{
	char path[256], message[512];
	va_list args;

	if (r->mistakes.count == MOST_MISTAKES) { /* a place is looked for in all of the text */
		mistakes_add(&r->mistakes, 0, "", "");
		return;
	}
	va_start(args, format);
	words_set_v(message, sizeof(message), format, args);
	va_end(args);
	place_print(place, path, sizeof(path));
	mistakes_add(&r->mistakes, r->file ? place_line(place, r->text, r->length) : 0, arena_strdup(r->arena, path),
		arena_strdup(r->arena, message));
}

bool reading_failed(const struct reading *r, const struct place *place)
{
	char path[256];
	size_t n;

	place_print(place, path, sizeof(path));
	n = strlen(path);
	for (size_t i = 0; i < r->mistakes.count; i++) {
		const char *at = r->mistakes.items[i].about;
		if (!n || (strncmp(at, path, n) == 0 && (!at[n] || strchr(".[", at[n]))))
			return true;
	}
	return r->mistakes.more > 0;
}

const char *reading_take(struct reading *r)
{
	return mistake_words(r->arena, r->file, &r->mistakes.items[--r->mistakes.count]);
}

/* How much of s can be told in a message of one line. */
static const char *plain_beginning(struct reading *r, const char *s)
{
	size_t n = 0;

	while (s[n] && !iscntrl((unsigned char)s[n]))
		n++;
	return arena_memdup(r->arena, s, n);
}

/* NULL: it is not right. */
static const char *reading_read_text(struct reading *r, const struct place *place, const json_t *json, int64_t most,
	enum format format)
{
	const char *wrong = NULL;

	if (!json_is_string(json))
		reading_fail(r, place, "takes a string");
	else if (json_string_length(json) > (size_t)most)
		reading_fail(r, place, "is longer than %lld bytes", (long long)most);
	else if ((wrong = format_check(format, json_string_value(json), r->file)))
		reading_fail(r, place, "\"%s\" %s", plain_beginning(r, json_string_value(json)), wrong);
	else
		return arena_strdup(r->arena, json_string_value(json));
	return NULL;
}

/* Of a list with a text that is not right, none. */
static void reading_read_texts(struct reading *r, const struct key *k, const struct place *place, const json_t *json, void *out)
{
	size_t n = json_array_size(json), right = 0;
	const char **items;

	if (!json_is_array(json) || n == 0 || n > (size_t)k->most) {
		reading_fail(r, place, "takes a list of 1 to %lld strings", (long long)k->most);
		return;
	}
	items = arena_array(r->arena, n, sizeof(*items));
	for (size_t i = 0; i < n; i++) {
		items[i] = reading_read_text(r, PLACE_INDEX(place, i), json_array_get(json, i), k->each, k->format);
		right += items[i] != NULL;
	}
	if (right < n)
		return;
	*MEMBER(const char **, out, k->offset) = items;
	*MEMBER(size_t, out, k->count_offset) = n;
}

static void reading_read_number(struct reading *r, const struct key *k, const struct place *place, const json_t *json, void *out)
{
	if (!json_is_integer(json) || json_integer_value(json) < k->least || json_integer_value(json) > k->most)
		reading_fail(r, place, "takes a whole number from %lld to %lld", (long long)k->least, (long long)k->most);
	else
		*MEMBER(int64_t, out, k->offset) = json_integer_value(json);
}

static void fail_choice(struct reading *r, const struct place *place, const char *words, const char *given)
{
	char *copy = arena_strdup(r->arena, words);
	struct nearest near = nearest_to(given);

	for (char *save, *w = strtok_r(copy, "|", &save); w; w = strtok_r(NULL, "|", &save))
		nearest_consider(&near, w);
	if (near.name)
		reading_fail(r, place, "\"%s\" is not one of %s; did you mean \"%s\"?", given, words, near.name);
	else
		reading_fail(r, place, "\"%s\" is not one of %s", given, words);
}

static void read_choice(struct reading *r, const struct key *k, const struct place *place, const json_t *json, void *out)
{
	const char *given = json_string_value(json);

	if (!given)
		reading_fail(r, place, "takes one of %s", k->words);
	else if (!span_lists(k->words, "|", given))
		fail_choice(r, place, k->words, given);
	else
		*MEMBER(const char *, out, k->offset) = arena_strdup(r->arena, given);
}

static void read_flag(struct reading *r, const struct key *k, const struct place *place, const json_t *json, void *out)
{
	if (json_is_boolean(json))
		*MEMBER(bool, out, k->offset) = json_is_true(json);
	else
		reading_fail(r, place, "takes true or false");
}

static void reading_read_list(struct reading *r, const struct key *k, const struct place *place, const json_t *json, void *out)
{
	size_t n = json_array_size(json);
	char *items;

	if (!json_is_array(json) || n == 0 || n > (size_t)k->most) {
		reading_fail(r, place, "takes a list of 1 to %lld objects", (long long)k->most);
		return;
	}
	items = arena_array(r->arena, n, k->type->size);
	*MEMBER(void *, out, k->offset) = items;
	*MEMBER(size_t, out, k->count_offset) = n;
	for (size_t i = 0; i < n; i++)
		reading_struct(r, k->type, PLACE_INDEX(place, i), json_array_get(json, i), items + i * k->type->size);
}

/* The object's names go into the NAMED member. */
static void read_map(struct reading *r, const struct key *k, const struct place *place, json_t *json, void *out)
{
	size_t n = json_object_size(json);
	const char *name, *wrong;
	json_t *value;
	char *item;

	if (!json_is_object(json) || n == 0 || n > (size_t)k->most) {
		reading_fail(r, place, "takes an object of 1 to %lld members", (long long)k->most);
		return;
	}
	item = arena_array(r->arena, n, k->type->size);
	*MEMBER(void *, out, k->offset) = item;
	*MEMBER(size_t, out, k->count_offset) = n;
	json_object_foreach(json, name, value) {
		wrong = strlen(name) > 64 ? "is too long for a name" : format_check(FORMAT_NAME, name, false);
		if (wrong)
			reading_fail(r, PLACE_KEY(place, name), "\"%s\" %s", name, wrong);
		*MEMBER(const char *, item, k->type->keys()->offset) = arena_strdup(r->arena, name);
		reading_struct(r, k->type, PLACE_KEY(place, name), value, item);
		item += k->type->size;
	}
}

static void read_one(struct reading *r, const struct key *k, const struct place *place, const json_t *json, void *out)
{
	void *p = arena_alloc(r->arena, k->type->size);

	reading_struct(r, k->type, place, json, p);
	*MEMBER(void *, out, k->offset) = p;
}

static void read_json(struct reading *r, const struct key *k, const struct place *place, const json_t *json, void *out)
{
	char *text = json_is_object(json) || json_is_array(json) ? json_dumps(json, JSON_COMPACT) : NULL;

	if (!text)
		reading_fail(r, place, "takes an object or a list");
	else if (strlen(text) > (size_t)k->most)
		reading_fail(r, place, "is longer than %lld bytes", (long long)k->most);
	else
		*MEMBER(const char *, out, k->offset) = arena_strdup(r->arena, text);
	free(text);
}

static void reading_read_key(struct reading *r, const struct key *k, const struct place *place, json_t *json, void *out)
{
	switch (k->kind) {
	case KEY_TEXT: *MEMBER(const char *, out, k->offset) = reading_read_text(r, place, json, k->most, k->format); break;
	case KEY_TEXTS: reading_read_texts(r, k, place, json, out); break;
	case KEY_NUMBER: reading_read_number(r, k, place, json, out); break;
	case KEY_FLAG: read_flag(r, k, place, json, out); break;
	case KEY_CHOICE: read_choice(r, k, place, json, out); break;
	case KEY_ONE: read_one(r, k, place, json, out); break;
	case KEY_NESTED: reading_struct(r, k->type, place, json, MEMBER(void, out, k->offset)); break;
	case KEY_LIST: reading_read_list(r, k, place, json, out); break;
	case KEY_MAP: read_map(r, k, place, json, out); break;
	case KEY_JSON: read_json(r, k, place, json, out); break;
	case KEY_NOTE: reading_read_text(r, place, json, k->most, k->format); break;
	case KEY_NAMED:
	case KEY_END:
	case KEY_MARK: break;
	}
}

/* The key that a name may have been meant for; name NULL: none is near enough. Of a file, what is only sent is none. */
static struct nearest nearest_key(const struct reading *r, const struct key_type *type, const char *name)
{
	struct nearest near = nearest_to(name);
	unsigned marks;

	for (const struct key *k = key_first(type->keys(), &marks); k->kind != KEY_END; k = key_next(k, &marks))
		if (!r->file || !(marks & MARK_SENT))
			nearest_consider(&near, k->name);
	return near;
}

static void read_absent(struct reading *r, const struct key *k, const struct place *place, void *out)
{
	json_auto_t *nothing = NULL;

	if (k->kind == KEY_NUMBER)
		*MEMBER(int64_t, out, k->offset) = k->absent;
	if (k->kind != KEY_NESTED)
		return;
	nothing = json_object();
	reading_struct(r, k->type, PLACE_KEY(place, k->name), nothing, MEMBER(void, out, k->offset));
}

/* What the mistake that was told last was meant for: nothing is told of that besides. */
static void note_meant(struct reading *r, const struct place *place)
{
	char path[256];

	place_print(place, path, sizeof(path));
	r->mistakes.items[r->mistakes.count - 1].about = arena_strdup(r->arena, path);
}

static void fail_unknown(struct reading *r, const struct key_type *type, const struct place *place, const char *name)
{
	bool told = r->mistakes.count < MOST_MISTAKES;
	struct nearest near = nearest_key(r, type, told ? name : "");
	char all[384] = "";
	unsigned marks;

	for (const struct key *k = key_first(type->keys(), &marks); k->kind != KEY_END; k = key_next(k, &marks))
		if (!(marks & MARK_SENT) && k->kind != KEY_NOTE)
			words_add(all, sizeof(all), "%s%s", *all ? ", " : "", k->name);
	if (near.name)
		reading_fail(r, PLACE_KEY(place, name), "unknown key \"%s\"; did you mean \"%s\"?", name, near.name);
	else
		reading_fail(r, PLACE_KEY(place, name), "unknown key \"%s\"; there are %s", name, all);
	if (near.name && told)
		note_meant(r, PLACE_KEY(place, near.name));
}

/* What no row has, or only one of what is sent. */
static void read_unknown(struct reading *r, const struct key_type *type, const struct place *place, const json_t *json)
{
	const char *name;
	json_t *value;
	unsigned marks;

	json_object_foreach((json_t *)json, name, value) {
		if (!key_find(type, span_of(name)))
			fail_unknown(r, type, place, name);
	}
	for (const struct key *k = key_first(type->keys(), &marks); k->kind != KEY_END && r->file; k = key_next(k, &marks))
		if ((marks & MARK_SENT) && json_object_get(json, k->name))
			fail_unknown(r, type, place, k->name);
}

static void read_keys(struct reading *r, const struct key_type *type, const struct place *place, const json_t *json, void *out)
{
	unsigned marks;

	for (const struct key *k = key_first(type->keys(), &marks); k->kind != KEY_END; k = key_next(k, &marks)) {
		json_t *value = json_object_get(json, k->name);

		if (value)
			reading_read_key(r, k, PLACE_KEY(place, k->name), value, out);
		else if (marks & MARK_OPTIONAL)
			read_absent(r, k, place, out);
		else if (!reading_failed(r, PLACE_KEY(place, k->name)))
			reading_fail(r, place, "lacks \"%s\": %s", k->name, k->sentence);
	}
}

void reading_struct(struct reading *r, const struct key_type *type, const struct place *place, const json_t *json, void *out)
{
	size_t before = mistakes_total(&r->mistakes);

	if (!json_is_object(json)) {
		reading_fail(r, place, "takes an object");
		return;
	}
	read_unknown(r, type, place, json);
	read_keys(r, type, place, json, out);
	r->check(r, type, place, out, mistakes_total(&r->mistakes) == before);
}
