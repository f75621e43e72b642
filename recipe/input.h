/* What a person asks for, checked against an action's inputs. */
#pragma once

#include <stddef.h>

#include <jansson.h>

#include "common/arena.h"
#include "recipe/recipe.h"
#include "recipe/template.h"

/*
 * Checks given, an object of strings, without the blanks around them, and fills in what is left out. today is the site's
 * present day (2025-11-20), or NULL to allow any day: a booking that was accepted is not refused again because time has passed.
 * ret_inputs gets a new reference: every input that has a value, in the recipe's order. -EINVAL with the input's name in field and
 * a sentence in why (size bytes each).
 */
int inputs_check(const struct recipe_action *a, const json_t *given, const char *today, json_t **ret_inputs,
	char *field, char *why, size_t size);

#define INPUT_SAMPLE      "x"
#define INPUT_SAMPLE_DATE "2025-11-20"

/*
 * The variables of an action's templates: its inputs (as inputs_check() gave them; absent ones are empty; NULL: a sample of each),
 * today and account. In the arena; values are borrowed.
 */
struct variables inputs_variables(struct arena *arena, const struct recipe_action *a, const json_t *inputs,
	const char *today, const char *account);
