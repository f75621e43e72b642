/*
 * A sign-in: one person's, to one site, on a screen that they drive, from the opened browser to the saved session. It is owned by
 * the registry (sign_ins.h); its flow is one fiber, sign_in_flow.c.
 *
 * Room: may include browser/ session/ edge/ screen/ streamd.h handlers.h audit.h.
 */
#pragma once

#include <stdint.h>
#include <sys/queue.h>

#include "common/fiber.h"
#include "common/latch.h"
#include "proto/viewer.h"
#include "streamd/edge/login_guard.h"
#include "streamd/screen/screen.h"
#include "streamd/streamd.h"

enum sign_in_step {
	STEP_STARTING,
	STEP_WAITING,
	STEP_SIGNED_IN,
	STEP_PROVING,
	STEP_SAVED,
	STEP_FAILED,
	STEP_TIMED_OUT,
	STEP_CLOSED,
};

/* What has become of the session, as far as is known here: a save that was sent and not answered may have been done. */
enum save_fate {
	SAVE_NONE,
	SAVE_UNKNOWN,
	SAVE_KEPT,
};

/* One account's session in the place of another's; empty: none. */
struct replacement {
	char kept[257], by[257];
};

struct sign_in {
	struct streamd *daemon;
	char id[64];
	struct login_hold hold; /* with the login that opened it */
	int64_t opened_at_ms, ended_at_ms; /* wall clock; 0 while it is open */
	struct call *call; /* its own, without deadline; its acting user is whose the sign-in is */
	const struct recipe *recipe;
	char device[65];         /* the fingerprint of the device whose session it makes; "": it makes the background one */
	enum sign_in_step step, reached; /* reached: the furthest before it failed or ended */
	char reason[1024], advice[512];
	char next[256];          /* once it is ending: the advice without what has become of the session */
	enum save_fate save;
	bool saving;             /* a save is under way: its answer is worth a moment even when this ends */
	char account[257];       /* whose the proof showed it to be; "" before */
	struct replacement asked; /* it failed for that alone: the session that is kept is another account's */
	struct replacement agreed; /* the person said yes to this one */

	struct fiber *flow;
	struct screen *screen;
	struct state *refused;   /* what it held when the proof said no; NULL: it has not */
	struct state *before;    /* what the browser held before the person did anything */

	struct latch poked;      /* the flow waits for something to happen */
	struct latch ended;      /* who waits for its end */
	bool done_pressed, resume_pressed;
	bool tried_again;        /* by itself, since the person did something */
	bool stale, reloading;   /* stale: the proof said no to what is shown; reloading: something else is coming */
	int64_t fits_since;      /* the addresses fit, monotonic ms; 0: they do not; -1: they did before the person did anything */
	bool hearing;            /* what the page in front is answered; streamd/signin/sign_in_flow.c says when */
	bool ending;             /* sign_in_end() has been called */

	int64_t last_input, last_seen, deadline; /* monotonic ms */
	bool warned;             /* viewers have been told when it ends */
	struct event *timer;
	TAILQ_ENTRY(sign_in) link;
};

const char *step_word(enum sign_in_step step);

/* It has failed, but the browser is there and the person can go on in it. */
bool sign_in_is_resumable(const struct sign_in *s);

/* How the vault knows the session that it makes, beside its site: NULL for the background one. */
const char *sign_in_kind(const struct sign_in *s);
const char *sign_in_fingerprint(const struct sign_in *s);

/* Starts a sign-in of that name, and its flow: sign_in_flow.c. */
struct sign_in *sign_in_open(struct streamd *d, const char *id, const struct acting *acting, const struct recipe *recipe, int width,
	int height);

/* The sign-in whose screen it looks at; NULL: it looks at another's. The same. */
struct sign_in *sign_in_of(struct viewer *v);

/* One without its flow. */
struct sign_in *sign_in_new(struct streamd *d, const char *id, const struct acting *acting, const struct recipe *recipe,
	const struct screen_owner *does, int width, int height);

/* In a fiber: ends it if it is open, waits for its flow, frees it. Takes NULL, returns NULL. */
struct sign_in *sign_in_free(struct sign_in *s);

/*
 * Ends it with this step, once; its flow then ends the browser. Texts are copied. The advice is what has become of the
 * session and, behind it, what to do next, which may be "". Saved is what it is called if a save that was under way is
 * answered so in the next moment.
 */
void sign_in_end(struct sign_in *s, enum sign_in_step step, const char *reason, const char *next);

/* The same because streamd ends: a verdict that the person has been told stays what it is. */
void sign_in_end_for_restart(struct sign_in *s);

/* Of one that is ending: says anew what has become of the session. */
void sign_in_say_fate(struct sign_in *s);

/* The flow has ended and the browser is gone: wakes who waits for that. */
void sign_in_set_ended(struct sign_in *s);

/* In a fiber: waits until that. 0 or as wait_for(). */
int sign_in_wait_ended(struct sign_in *s, int64_t deadline);

/* Says where it stands; told to every viewer. STEP_FAILED: for now, so that the person can go on; sign_in_end() is for good. */
void sign_in_set_step(struct sign_in *s, enum sign_in_step step, const char *reason, const char *advice);

/* Something has happened that the flow may wait for. */
void sign_in_poke(struct sign_in *s);

/* Sets the timer for the next time-out; call it when one may come sooner. */
void sign_in_arm(struct sign_in *s);

/* The person did something. */
void sign_in_note_input(struct sign_in *s);

/* When it ends as things stand, for a viewer; of the idle and the absolute limit the nearer one. */
void sign_in_describe_limit(const struct sign_in *s, struct limit_changed_event *ret);

/* Where it stands, borrowed from s. */
void sign_in_describe_step(const struct sign_in *s, struct step_changed_event *ret);

/* What viewers read when it is over. */
#define STREAM_ENDED "This sign-in has ended."
