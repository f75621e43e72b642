/* What came of a request step. */
#pragma once

#include <jansson.h>

#include "common/arena.h"
#include "recipe/step.h"

struct reply {
	const char *verdict;  /* the outcome that the recipe makes of it, the recipe's; NULL: none */
	char complaint[512];  /* what the site said is wrong; "": nothing */
	struct arena *arena;  /* of the step */
	const struct step *from; /* the recipe's; NULL: there was none */
	const struct step *step; /* filled in */
	json_t *json;
};

/* Forgets it; begins as { 0 }, too. */
void reply_end(struct reply *r);
