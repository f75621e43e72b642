/* What a recipe may say and what cannot work all the same: told to its writer, and no reason to refuse it. (private to recipe/) */
#pragma once

#include "recipe/reading.h"
#include "recipe/recipe.h"

/* Fills recipe->doubts, with sentences that live as long as the recipe; in r there must be no mistake. */
void doubt_all(struct reading *r, struct recipe *recipe);
