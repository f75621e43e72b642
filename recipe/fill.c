/* From a recipe's step back to JSON, with the variables filled in: the same rows, walked the other way. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/words.h"
#include "recipe/key.h"
#include "recipe/step.h"
#include "recipe/template.h"

#define MEMBER(type_, p_, offset_) (*(const type_ *)((const char *)(p_) + (offset_)))

struct filling {
	struct arena *arena;
	const struct variables *v;
	char *why;
	size_t size;
};

static int fill_struct(struct filling *f, const struct key_type *type, const void *p, json_t **ret);

static int fill_text(struct filling *f, const struct key *k, const char *text, json_t **ret)
{
	const char *filled = text, *wrong;
	char why[256];

	if (k->kind == KEY_TEXT && format_rows[k->format].template &&
	    template_fill(f->arena, text, f->v, format_rows[k->format].escape, &filled, why, sizeof(why)) < 0) {
		return words_fail(-EINVAL, f->why, f->size, "%s: \"%s\" %s", k->name, text, why);
	}
	wrong = k->kind == KEY_TEXT ? format_check(k->format, filled, false) : NULL;
	if (!wrong && k->kind == KEY_TEXT && strlen(filled) > (size_t)k->most)
		wrong = "is too long";
	if (wrong)
		return words_fail(-EINVAL, f->why, f->size, "%s: \"%s\" %s", k->name, filled, wrong);
	*ret = json_string(filled);
	return *ret ? 0 : -EINVAL;
}

static int fill_list(struct filling *f, const struct key *k, const void *p, json_t **ret)
{
	const char *items = MEMBER(char *const, p, k->offset);
	size_t n = MEMBER(size_t, p, k->count_offset);
	json_auto_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *item;
		int e = fill_struct(f, k->type, items + i * k->type->size, &item);
		if (e < 0)
			return e;
		json_array_append_new(list, item);
	}
	*ret = TAKE(list);
	return 0;
}

static int fill_texts(const struct key *k, const void *p, json_t **ret)
{
	const char *const *items = MEMBER(char *const *const, p, k->offset);

	*ret = json_array();
	for (size_t i = 0; i < MEMBER(size_t, p, k->count_offset); i++)
		json_array_append_new(*ret, json_string(items[i]));
	return 0;
}

static int fill_json(struct filling *f, const struct key *k, const json_t *json, json_t **ret);

static int fill_value(struct filling *f, const struct key *k, const char *text, const char **ret)
{
	char why[256];

	if (template_fill(f->arena, text, f->v, ESCAPE_NONE, ret, why, sizeof(why)) < 0)
		return words_fail(-EINVAL, f->why, f->size, "%s: \"%s\" %s", k->name, text, why);
	return 0;
}

/* {"$number": "{name}"}: what the variable says, as a number. */
static int fill_number(struct filling *f, const struct key *k, const char *text, json_t **ret)
{
	const char *filled;
	int e = fill_value(f, k, text, &filled);

	if (e < 0)
		return e;
	*ret = json_loads(filled, JSON_DECODE_ANY, NULL);
	if (json_is_number(*ret))
		return 0;
	json_decref(*ret);
	return words_fail(-EINVAL, f->why, f->size, "%s: \"%s\" is no number", k->name, filled);
}

static int fill_object(struct filling *f, const struct key *k, const json_t *json, json_t **ret)
{
	const json_t *number = json_object_get(json, "$number");
	json_auto_t *object = json_object();
	const char *name;
	json_t *value;

	if (json_is_string(number) && json_object_size(json) == 1)
		return fill_number(f, k, json_string_value(number), ret);
	json_object_foreach((json_t *)json, name, value) {
		json_t *filled;
		int e = fill_json(f, k, value, &filled);
		if (e < 0)
			return e;
		json_object_set_new(object, name, filled);
	}
	*ret = TAKE(object);
	return 0;
}

static int fill_json(struct filling *f, const struct key *k, const json_t *json, json_t **ret)
{
	json_auto_t *list = NULL;
	const char *text;
	json_t *value;
	size_t i;

	if (json_is_object(json))
		return fill_object(f, k, json, ret);
	if (json_is_string(json)) {
		int e = fill_value(f, k, json_string_value(json), &text);
		*ret = e < 0 ? NULL : json_string(text);
		return e;
	}
	if (!json_is_array(json)) {
		*ret = json_deep_copy(json);
		return 0;
	}
	list = json_array();
	json_array_foreach(json, i, value) {
		json_t *filled;
		int e = fill_json(f, k, value, &filled);
		if (e < 0)
			return e;
		json_array_append_new(list, filled);
	}
	*ret = TAKE(list);
	return 0;
}

static int fill_document(struct filling *f, const struct key *k, const char *text, json_t **ret)
{
	json_auto_t *json = json_loads(text, 0, NULL);

	return fill_json(f, k, json, ret);
}

static int fill_key(struct filling *f, const struct key *k, const void *p, json_t **ret)
{
	switch (k->kind) {
	case KEY_TEXT:
	case KEY_CHOICE: return fill_text(f, k, MEMBER(char *const, p, k->offset), ret);
	case KEY_JSON: return fill_document(f, k, MEMBER(char *const, p, k->offset), ret);
	case KEY_NUMBER: *ret = json_integer(MEMBER(int64_t, p, k->offset)); return 0;
	case KEY_FLAG: *ret = json_true(); return 0;
	case KEY_ONE: return fill_struct(f, k->type, MEMBER(void *const, p, k->offset), ret);
	case KEY_LIST: return fill_list(f, k, p, ret);
	case KEY_TEXTS: return fill_texts(k, p, ret); /* none of them is a template */
	case KEY_NESTED:
	case KEY_MAP:
	case KEY_NAMED:
	case KEY_NOTE:
	case KEY_END:
	case KEY_MARK: break; /* no step has such keys */
	}
	return words_fail(-EINVAL, f->why, f->size, "%s: cannot be part of a step", k->name);
}

static int fill_struct(struct filling *f, const struct key_type *type, const void *p, json_t **ret)
{
	json_auto_t *object = json_object();
	unsigned marks;

	for (const struct key *k = key_first(type->keys(), &marks); k->kind != KEY_END;
	     k = key_next(k, &marks)) {
		json_t *value = NULL;
		int e;

		if ((marks & MARK_LOCAL) || !key_present(k, p) ||
		    (k->kind == KEY_NUMBER && MEMBER(int64_t, p, k->offset) == k->absent))
			continue;
		e = fill_key(f, k, p, &value);
		if (e < 0)
			return e;
		json_object_set_new(object, k->name, value);
	}
	*ret = TAKE(object);
	return 0;
}

int step_fill(const struct step *s, const struct variables *v, json_t **ret, char *why, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct filling f = { .arena = arena, .v = v, .why = why, .size = size };
	int e;

	*why = '\0';
	e = fill_struct(&f, &step_type, s, ret);
	if (e == 0)
		json_object_set_new(*ret, "timeout_ms", json_integer(step_timeout_ms(s)));
	return e;
}
