/* The rows of a site's own list, as last read in a run. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/call.h"
#include "proto/streamd.h"
#include "recipe/recipe.h"
#include "recipe/template.h"

/* Begins as { 0 }. */
struct listing {
	json_t *steps; /* by which they were read; NULL: nothing is known */
	struct call *call;
	const struct run_row *rows;
	size_t count;
	int64_t read_at; /* monotonic ms */
};

/* For CLEANUP(listing_free), too. */
void listing_free(struct listing *l);

/* Forgets what was read: something may have changed. */
void listing_forget(struct listing *l);

/*
 * Keeps the rows of this action's list, as its steps, filled in with these variables, have read them; call, which owns them,
 * is taken over.
 */
void listing_keep(struct listing *l, const struct recipe_action *a, const struct variables *v, struct call *call,
	const struct run_step_result *result);

/*
 * Whether the rows that this action's steps read, filled in with these variables, are known, and not older than a few
 * seconds. A list that is opened for another day is another list.
 */
bool listing_known(const struct listing *l, const struct recipe_action *a, const struct variables *v);

/* Whether a row of them is the booking that the variables say. */
bool listing_has(const struct listing *l, const struct recipe_action *a, const struct variables *v);
