/* What the keys of one type must be together: the checks that recipe.def names. (private to recipe/) */
#pragma once

#include "recipe/reading.h"
#include "recipe/recipe.h"

int check_nothing(struct reading *r, const struct place *place, const void *p);
int check_selector(struct reading *r, const struct place *place, const void *p);
int check_step(struct reading *r, const struct place *place, const void *p);
int check_signed_in(struct reading *r, const struct place *place, const void *p);
int check_settle(struct reading *r, const struct place *place, const void *p);
int check_probe_in(struct reading *r, const struct place *place, const void *p);
int check_probe_out(struct reading *r, const struct place *place, const void *p);
int check_input(struct reading *r, const struct place *place, const void *p);
int check_own_list(struct reading *r, const struct place *place, const void *p);
int check_action(struct reading *r, const struct place *place, const void *p);
int check_recipe(struct reading *r, const struct place *place, const void *p);

/* Whether the recipe's hosts let a browser get to that address; -EINVAL with the reason if not. */
int check_reachable(struct reading *r, const struct place *place, const struct recipe *recipe, const char *url);
