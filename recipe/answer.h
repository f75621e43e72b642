/* What an answer of HTTP says, by the rules of a request step (recipe.def, answer_fits). Pure. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "common/arena.h"
#include "recipe/recipe.h"

struct answer_said {
	int status;
	json_t *json;     /* borrowed; NULL: its body is none */
	const char *body; /* as text; what is no UTF-8 in it is U+FFFD */
};

/* Whether it says all that f names, whose variables are filled in. */
bool answer_fits(const struct answer_fits *f, const struct answer_said *a);

/*
 * The first of must that it does not fit, as a sentence about what it says instead: "It answered with status 200, and there is nothing
 * at /data/0."; NULL: it fits all. Without any, a status from 200 to 299 is what must be. In the arena.
 */
const char *answer_lacks(struct arena *arena, const struct answer_fits *must, size_t n, const struct answer_said *a);

/* What stands at a place of it: a text as it is, all else as JSON writes it; NULL: nothing does, or null. In the arena. */
const char *answer_value(struct arena *arena, json_t *json, const char *pointer);
