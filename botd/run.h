/*
 * A run: one browser at a site that holds a person's session, leased from sessiond for as long as it lasts. However it
 * ends, what the browser holds then goes back to the vault, for the site may have rotated what is in it: as proved when the
 * site's probe has said so since, else beside what was proved.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "botd/ending.h"
#include "botd/reply.h"
#include "proto/call.h"
#include "proto/streamd.h"
#include "recipe/recipe.h"
#include "recipe/step.h"

struct botd;
struct run;

/* Talks to nobody yet. pageless: all that is to be done is asked over HTTP, so it opens no browser. */
struct run *run_new(struct botd *b, int64_t user, const struct recipe *recipe, bool pageless);

/*
 * Leases the session, which is kept so until run_end(), and fetches its newest state. 0; else -ECANCELED or -ENOENT, with
 * *end saying what that means for the job.
 */
int run_fetch(struct run *r, struct ending *end);

/*
 * Opens the browser and asks the site's probe: 0 when that says that the session is the account's; -EAGAIN when the newest
 * state is none any more, and the one that was last proved may be tried (run_fetch_proved()); else as above.
 */
int run_open(struct run *r, struct ending *end);

/* As run_fetch(), after -EAGAIN. */
int run_fetch_proved(struct run *r, struct ending *end);

/*
 * Closes the browser, stores what it holds, and gives the lease back. Not cut short by cancellation, but by time. hasty:
 * without asking the site's probe once more.
 */
void run_end(struct run *r, bool hasty);

/* After run_end(). Takes NULL, returns NULL. */
struct run *run_free(struct run *r);

const struct recipe *run_recipe(const struct run *r);
const char *run_account(const struct run *r);
bool run_is_of(const struct run *r, int64_t user, const char *site);

/* It has no browser, so it can carry out requests alone. */
bool run_pageless(const struct run *r);

/* To the last request step, until the next one. */
const struct reply *run_reply(const struct run *r);

/* No further job is to be done in this browser. */
bool run_broken(const struct run *r);

enum step_result {
	STEP_DONE,
	STEP_MISSING, /* what it needs is not on the page */
	STEP_OVER,    /* so is the run, whatever has ended it; the ending is set */
	STEP_HELD,    /* of run_act_step() alone: what would act is held back */
	STEP_UNSENT,  /* it was let go, but nothing left */
};

/* A call for one step of the run; its deadline is set by run_take_step(). The caller's. */
struct call *run_call(struct run *r);

/*
 * Carries out one step. *ret and what it points to belong to call. reason (of call's refusal or of the result) goes to
 * end when the run is over, and is ret->reason when something is missing.
 */
enum step_result run_take_step(struct run *r, struct call *call, const struct step *step, const struct variables *v,
	struct run_step_result *ret, struct ending *end);

/* What is held back. */
struct held {
	const char *request; /* its method and address; the call's */
	bool pressed;        /* the step had pressed something by then: else it is to be carried out once that has gone */
	const char *cut;     /* it was not carried out whole, and will not be: why; NULL if it was. The call's */
};

/* The same, but what the page would send to act is held back then, and nothing of it has left. */
enum step_result run_act_step(struct run *r, struct call *call, const struct step *step, const struct variables *v,
	struct run_step_result *ret, struct held *ret_held, struct ending *end);

enum sent {
	SENT_ANSWERED, /* with ret_status, or 0 */
	SENT_OPEN,     /* no answer has come so far */
	SENT_LOST,     /* the connection has ended without one */
	SENT_NOT,      /* nothing has left */
	SENT_NEVER,    /* the same, for the run is over; the ending is set */
	SENT_UNKNOWN,  /* streamd or the browser has gone meanwhile; the ending is set */
};

struct answer {
	enum sent sent;
	int status;
	bool reads;      /* all that went are GETs, so what acts may still come */
	const char *why; /* the call's; NULL if nothing is to be said */
};

/* Lets go what is held back and waits for the answers. */
struct answer run_send_held(struct run *r, struct call *call, int64_t wait_ms, int64_t settle_ms, struct ending *end);
