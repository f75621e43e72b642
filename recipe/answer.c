#include "recipe/answer.h"

#include <stdlib.h>

#include "common/cleanup.h"
#include "common/words.h"
#include "recipe/pattern.h"
#include "recipe/pointer.h"

#define MOST_SHOWN 60 /* bytes of what is quoted */

const char *answer_value(struct arena *arena, json_t *json, const char *pointer)
{
	json_t *value = json ? pointer_find(json, pointer) : NULL;
	const char *copy;
	char *text;

	if (!value || json_is_null(value))
		return NULL;
	if (json_is_string(value))
		return arena_strdup(arena, json_string_value(value));
	text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	copy = arena_strdup(arena, text ? text : "");
	free(text);
	return copy;
}

static bool is_nothing(json_t *value)
{
	if (json_is_string(value))
		return !*json_string_value(value);
	return !value || json_is_null(value) || (json_is_array(value) && !json_array_size(value)) ||
		(json_is_object(value) && !json_object_size(value));
}

static bool fits_place(const struct answer_fits *f, const struct answer_said *a)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	json_t *value = a->json ? pointer_find(a->json, f->pointer) : NULL;
	const char *text;

	if (!a->json)
		return false; /* what is no JSON has no places, so nothing is known of them */
	if (f->missing)
		return is_nothing(value);
	if (!f->is)
		return !is_nothing(value);
	text = answer_value(arena, a->json, f->pointer);
	return same_words(text ? text : "null", f->is);
}

static bool fits_status(const struct answer_fits *f, const struct answer_said *a)
{
	return f->status ? a->status == f->status : a->status >= 200 && a->status <= 299;
}

bool answer_fits(const struct answer_fits *f, const struct answer_said *a)
{
	return fits_status(f, a) && (!f->pointer || fits_place(f, a)) && (!f->text || glob_find(f->text, a->body));
}

static const char *place_lacks(struct arena *arena, const struct answer_fits *f, const struct answer_said *a)
{
	const char *value = answer_value(arena, a->json, f->pointer);

	if (!a->json)
		return "and that is no JSON";
	if (!value)
		return arena_printf(arena, "and there is nothing at %s", f->pointer);
	return arena_printf(arena, "and \"%s\" stands at %s", words_new(arena, MOST_SHOWN, "%s", value), f->pointer);
}

const char *answer_lacks(struct arena *arena, const struct answer_fits *must, size_t n, const struct answer_said *a)
{
	static const struct answer_fits well = { 0 };

	for (size_t i = 0; i < (n ? n : 1); i++) {
		const struct answer_fits *f = n ? &must[i] : &well;

		if (!fits_status(f, a))
			return arena_printf(arena, "It answered with status %d.", a->status);
		if (f->pointer && !fits_place(f, a))
			return arena_printf(arena, "It answered with status %d, %s.", a->status, place_lacks(arena, f, a));
		if (f->text && !glob_find(f->text, a->body))
			return arena_printf(arena, "It answered with status %d, without \"%s\".", a->status, f->text);
	}
	return NULL;
}
