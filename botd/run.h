/*
 * A run: one browser at a site that holds a person's session, leased from sessiond for as long as it lasts. Afterwards
 * the session goes back as a new version, for the site may have rotated what is in it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "botd/ending.h"
#include "proto/call.h"
#include "proto/streamd.h"
#include "recipe/recipe.h"
#include "recipe/step.h"

struct botd;
struct run;

/* Talks to nobody yet. */
struct run *run_new(struct botd *b, int64_t user, const struct recipe *recipe);

/* Leases the session and fetches it. 0; else -ECANCELED or -ENOENT, with *end saying what that means for the job. */
int run_fetch(struct run *r, struct ending *end);

/* Opens the browser and asks the site's probe: 0 when that says that the session is the account's; else as above. */
int run_open(struct run *r, struct ending *end);

/*
 * Closes the browser and stores the session, or, when the run is broken, discards it; then gives the lease back. Not
 * cut short by cancellation, but by time.
 */
void run_end(struct run *r);

/* After run_end(). Takes NULL, returns NULL. */
struct run *run_free(struct run *r);

/* Prolongs the lease on the session; called, on another fiber than the rest, with each beat of the job's. */
void run_beat(struct run *r);

const struct recipe *run_recipe(const struct run *r);
const char *run_account(const struct run *r);

/* The browser or the session is of no more use; set by run_step() too. */
bool run_broken(const struct run *r);
void run_break(struct run *r);

enum step_result {
	STEP_DONE,
	STEP_MISSING, /* what it needs is not on the page */
	STEP_EXPIRED, /* the session has ended; the vault has been told, and the ending is set */
	STEP_BROKEN,  /* the browser failed or streamd is gone; the ending is set */
	STEP_LOST,    /* cancelled; the ending is set */
};

/* A call for one step of the run; its deadline is set by run_take_step(). The caller's. */
struct call *run_call(struct run *r);

/*
 * Carries out one step. *ret and what it points to belong to call. reason (of call's refusal or of the result) goes to
 * end when the run is over, and is ret->reason when something is missing.
 */
enum step_result run_take_step(struct run *r, struct call *call, const struct step *step, const struct variables *v,
	struct run_step_result *ret, struct ending *end);
