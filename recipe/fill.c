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

static int fill_key(struct filling *f, const struct key *k, const void *p, json_t **ret)
{
	switch (k->kind) {
	case KEY_TEXT:
	case KEY_CHOICE: return fill_text(f, k, MEMBER(char *const, p, k->offset), ret);
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
