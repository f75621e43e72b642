/* The sites that have a recipe, and what can be done there. */
#pragma once

#include "common/arena.h"
#include "recipe/recipe.h"

/* The recipes anew, as proto/service.h has it: new work goes by the new ones, open work ends with those it began with. */
void botd_load_recipes(void *daemon);

/* Why an action is off, in a sentence for people, in the arena; NULL when it is not. */
const char *action_off(struct arena *arena, const struct recipe *r, const struct recipe_action *a);
