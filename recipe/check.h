/* What the keys of one type must be together: the checks that recipe.def names. (private to recipe/) */
#pragma once

#include "recipe/reading.h"
#include "recipe/recipe.h"

/* Of any type: what recipe.def names for it. whole: its keys are all right. */
void check_type(struct reading *r, const struct key_type *type, const struct place *place, const void *p, bool whole);

/* In step.c, by what steps.def says of its kinds. */
void check_step(struct reading *r, const struct place *place, const void *p);

void check_answer_fits(struct reading *r, const struct place *place, const void *p);

/* That the recipe's hosts let a browser get to that address. */
void check_reachable(struct reading *r, const struct place *place, const struct recipe *recipe, const char *url);
