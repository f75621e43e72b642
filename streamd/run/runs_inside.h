/* A run and its list, for the files of streamd's runs alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "common/fiber.h"
#include "common/latch.h"
#include "streamd/handlers.h"
#include "streamd/run/run_step.h"
#include "streamd/run/runs.h"
#include "streamd/streamd.h"

#define RUN_MOST_REASON 1024
#define RUN_ANSWER_MS   5000   /* before the caller's deadline: for the way back */
#define RUN_CLOSE_SPARE_MS 15000 /* of the time for run_close, for what follows the answer */
#define RUN_OPEN_MS     600000 /* for the answer to what a run has sent, when nobody asks after the run any more */

struct run {
	struct runs *runs;
	char id[65]; /* the caller's name for it */
	int64_t user;
	const struct recipe *recipe;
	char account[257];
	int64_t opened_at_ms;     /* wall clock */
	int64_t session, version; /* the session that its browser was given, as the vault counts */
	struct state *state;      /* what its browser was given */
	struct screen *screen;    /* on which the user may watch it */
	struct browser *browser;  /* once it has been to the site */
	int handed; /* what it held, once that has been given to whoever closes it, until they have it saved; else -1 */
	struct fiber *visitor; /* who works on it, or NULL */
	struct latch left;     /* whoever ends it waits for the visitor to be gone */
	struct event *idle;
	bool opened;  /* the probe has said whose session it is */
	int64_t acted_at; /* when run_send() was called last */
	bool ending;  /* nobody may begin to work on it; whoever has set this frees it */
	struct latch gone;   /* run_await_gone() */
	size_t awaited_by;   /* so many */
	bool expired; /* a step has seen that nobody is signed in */
	bool untouched; /* it stands on the probe's page, as the probe left that */
	char refused[1024]; /* hosts that were refused since the last answer */
	TAILQ_ENTRY(run) link;
};

/* A fiber inside one of the handlers here. */
struct visit {
	struct fiber *fiber;
	LIST_ENTRY(visit) link;
};

struct runs {
	struct streamd *daemon;
	TAILQ_HEAD(run_list, run) list;
	LIST_HEAD(, visit) visits;
	struct latch emptied; /* runs_free() waits for the visits to end */
	bool stopping;
};

void run_visit_begin(struct runs *runs, struct visit *v);
void run_visit_end(struct runs *runs, struct visit *v);

/* One whose browser is about to be opened; state is taken over. on_idle: when nobody has worked on it for too long. */
struct run *run_new(struct runs *runs, int64_t user, const struct run_open_params *params, const struct recipe *recipe,
	struct state *state, event_callback_fn on_idle);
void run_arm_idle(struct run *run);
void run_on_idle(evutil_socket_t fd, short what, void *run);

/* Of that user, or NULL. */
struct run *run_named(struct runs *runs, int64_t user, const char *id);

/* Waits until its browser is gone. */
void run_free(struct run *run);

/* The same, of the browser alone; whoever watches it is told. */
void run_close_browser(struct run *run);

/* 0 once it has been freed, -ETIMEDOUT, -ECANCELED. */
int run_await_gone(struct run *run, int64_t deadline);

/*
 * Nobody closes it (run_left.c): on a fiber of its own its browser is ended, what that holds is saved, beside what was proved, and
 * it is freed.
 */
void run_put_away(struct run *run);

/* Whoever works on it is cut short, and what it has let go is waited for as long as the call allows; nobody may work on it then. */
void run_quieten(struct run *run, const struct call *call);

/* The caller's run of that name, also one that is being ended; or NULL after refusing. */
struct run *run_find(struct call *call, const char *id);

/*
 * One call works on a run, alone: the run, to be given back by run_end_work(), or NULL after refusing. r is what came of it, and
 * what becomes of the call: 0, REFUSED or a negative errno. sends: once it has been cut short, something of it may have been done.
 */
struct run *run_begin_work(struct call *call, const char *id, struct visit *v);
int run_end_work(struct run *run, struct call *call, struct visit *v, bool sends, int r);

/* Whoever worked on it does so no more. */
void run_leave(struct run *run);

/* 0, or REFUSED: it is no step. */
int run_read_step(struct call *call, json_t *document, struct step *ret);
void run_answer_step(struct run *run, struct call *call, const struct step_result *from, struct run_step_result *to);

/* Appends what the page's dialogs said and which hosts were refused, and forgets both. NULL if that is nothing at all. */
const char *run_with_events(struct run *run, struct arena *arena, const char *reason);

/*
 * What its browser held (state) is on its way to its caller, who says with another run_close once the vault has it; else it is put
 * away in the end. Waits until the browser is gone.
 */
void run_hand_out(struct run *run, int state);

/*
 * What the browser holds goes to *ret, unless it is what it was given; and what of that could not be had, which is never silent,
 * to *ret_left_out, else NULL. The network is cut from here on.
 */
void run_take_state(struct run *run, struct call *call, int *ret, const char **ret_left_out);
