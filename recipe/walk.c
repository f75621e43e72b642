#include "recipe/walk.h"

#define MEMBER(type_, p_, offset_) (*(const type_ *)((const char *)(p_) + (offset_)))

typedef void visit(const struct place *place, enum format format, const char *text, void *arg);

static void walk_list(const struct key *k, const struct place *place, const void *p, visit *fn, void *arg)
{
	const char *items = MEMBER(char *const, p, k->offset);
	size_t n = MEMBER(size_t, p, k->count_offset);

	for (size_t i = 0; i < n; i++) {
		const char *item = items + i * k->type->size;
		const struct place *at = k->kind == KEY_LIST ?
			PLACE_INDEX(place, i) :
			PLACE_KEY(place, MEMBER(char *const, item, k->type->keys()->offset));
		walk_texts(k->type, at, item, fn, arg);
	}
}

static void visit_texts(const struct key *k, const struct place *place, const void *p, visit *fn, void *arg)
{
	const char *const *texts = MEMBER(char *const *, p, k->offset);
	size_t n = MEMBER(size_t, p, k->count_offset);

	for (size_t i = 0; i < n; i++)
		fn(PLACE_INDEX(place, i), k->format, texts[i], arg);
}

/* Every string in it, names of members apart. */
static void walk_json(const struct key *k, const struct place *place, const json_t *json, visit *fn, void *arg)
{
	const char *name;
	json_t *value;
	size_t i;

	if (json_is_string(json))
		fn(place, k->format, json_string_value(json), arg);
	json_array_foreach(json, i, value)
		walk_json(k, PLACE_INDEX(place, i), value, fn, arg);
	json_object_foreach((json_t *)json, name, value)
		walk_json(k, PLACE_KEY(place, name), value, fn, arg);
}

static void walk_document(const struct key *k, const struct place *place, const char *text, visit *fn, void *arg)
{
	json_auto_t *json = json_loads(text, 0, NULL);

	walk_json(k, place, json, fn, arg);
}

static void walk_key(const struct key *k, const struct place *place, const void *p, visit *fn, void *arg)
{
	switch (k->kind) {
	case KEY_TEXT: fn(place, k->format, MEMBER(char *const, p, k->offset), arg); break;
	case KEY_TEXTS: visit_texts(k, place, p, fn, arg); break;
	case KEY_JSON: walk_document(k, place, MEMBER(char *const, p, k->offset), fn, arg); break;
	case KEY_ONE: walk_texts(k->type, place, MEMBER(void *const, p, k->offset), fn, arg); break;
	case KEY_NESTED: walk_texts(k->type, place, (const char *)p + k->offset, fn, arg); break;
	case KEY_LIST:
	case KEY_MAP: walk_list(k, place, p, fn, arg); break;
	case KEY_NUMBER:
	case KEY_FLAG:
	case KEY_CHOICE:
	case KEY_NAMED:
	case KEY_NOTE:
	case KEY_END:
	case KEY_MARK: break;
	}
}

void walk_texts(const struct key_type *type, const struct place *place, const void *p, visit *fn, void *arg)
{
	for (const struct key *k = key_first(type->keys(), NULL); k->kind != KEY_END; k = key_next(k, NULL)) {
		if (key_present(k, p))
			walk_key(k, PLACE_KEY(place, k->name), p, fn, arg);
	}
}
