/* Days that a plan's inputs give by the day of its run: "+14" is the day that is fourteen days later, as the site's calendar has it. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "recipe/recipe.h"

/* The inputs for a run on that day ("2025-11-20"): a new object, for the action's recipe to check. */
json_t *relative_fill(const struct recipe_action *a, const json_t *inputs, const char *day);

/* The label of an input that gives the same day for every run; NULL: there is none. */
const char *relative_fixed(const struct recipe_action *a, const json_t *inputs);
