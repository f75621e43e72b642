/*
 * A stream: one person's sign-in to one site, from the opened browser to the saved session. It is owned by the registry
 * (streams.h); its flow is one fiber, stream_flow.c.
 */
#pragma once

#include <stdint.h>
#include <sys/queue.h>

#include "common/fiber.h"
#include "common/latch.h"
#include "proto/viewer.h"
#include "streamd/screen/screencast.h"
#include "streamd/screen/viewer.h"
#include "streamd/streamd.h"

enum stream_step {
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

struct dialogs;
struct hands;
struct menus;
struct notes;
struct trouble;

/* One account's session in the place of another's; empty: none. */
struct replacement {
	char kept[257], by[257];
};

struct stream {
	struct streamd *daemon;
	char id[64];
	uint64_t number; /* what it is held by with the login that opened it */
	int64_t user, opened_at_ms, ended_at_ms; /* wall clock; 0 while it is open */
	char *user_name;
	struct call *call; /* the stream's own, for the acting user, without deadline */
	const struct recipe *recipe;
	enum stream_step step, reached; /* reached: the furthest before it failed or ended */
	char reason[1024], advice[512];
	char next[256];          /* once it is ending: the advice without what has become of the session */
	enum save_fate save;
	bool saving;             /* a save is under way: its answer is worth a moment even when this ends */
	bool resumable;
	char account[257];       /* whose the proof showed it to be; "" before */
	struct replacement asked; /* it failed for that alone: the session that is kept is another account's */
	struct replacement agreed; /* the person said yes to this one */

	struct fiber *flow;
	struct browser *browser; /* NULL before and after */
	struct target_ref page;  /* the one in front */
	bool loading;            /* it was loading when last heard of */
	struct screencast *screencast;
	struct menus *menus;     /* lists of select elements; lives with the browser */
	struct state *refused;   /* what it held when the proof said no; NULL: it has not */
	struct state *before;    /* what the browser held before the person did anything */
	int width, height;

	struct latch poked;      /* the flow waits for something to happen */
	struct latch ended;      /* who waits for its end */
	bool done_pressed, resume_pressed;
	bool tried_again;        /* by itself, since the person did something */
	bool stale, reloading;   /* stale: the proof said no to what is shown; reloading: something else is coming */
	int64_t fits_since;      /* the addresses fit, monotonic ms; 0: they do not; -1: they did before the person did anything */
	bool hearing;            /* what the page in front is answered; streamd/signin/stream_flow.c says when */
	bool ending;             /* stream_end() has been called */

	int64_t last_input, last_seen, deadline; /* monotonic ms */
	bool warned;             /* viewers have been told when it ends */
	struct event *timer;

	struct dialogs *dialogs; /* that its pages have open */
	struct hands *hands;     /* what the person does, in order */
	struct notes *notes;     /* what they should know of the page */
	struct trouble *trouble; /* why the page in front is not there; lives with the browser */
	uint64_t actor;          /* the viewer (its edge's id) who did something last */
	int64_t acted, copied;   /* when that was, and when they asked to copy; monotonic ms */
	size_t tabs_told;        /* how many tabs viewers know of */
	bool typing;             /* a field that takes text has the focus */

	struct viewer_list viewers;
	int64_t allowance, charged_at; /* what they may still send: viewer_route.c */
	TAILQ_ENTRY(stream) link;
};

const char *step_word(enum stream_step step);
bool step_is_final(enum stream_step step);

/* Starts a stream of that name and its flow. */
struct stream *stream_new(struct streamd *d, const char *id, const struct acting *acting, const struct recipe *recipe,
	int width, int height);

/* In a fiber: ends it if it is open, waits for its flow, frees it. Takes NULL, returns NULL. */
struct stream *stream_free(struct stream *s);

/*
 * Ends it with this step, once; its flow then ends the browser. Texts are copied. The advice is what has become of the
 * session and, behind it, what to do next, which may be "". Saved is what it is called if a save that was under way is
 * answered so in the next moment.
 */
void stream_end(struct stream *s, enum stream_step step, const char *reason, const char *next);

/* The same because streamd ends: a verdict that the person has been told stays what it is. */
void stream_end_for_restart(struct stream *s);

/* Of one that is ending: says anew what has become of the session. */
void stream_say_fate(struct stream *s);

/* The flow has ended and the browser is gone: wakes who waits for that. */
void stream_set_ended(struct stream *s);

/* In a fiber: waits until that. 0 or as wait_for(). */
int stream_wait_ended(struct stream *s, int64_t deadline);

/* Says where it stands; told to every viewer. */
void stream_set_step(struct stream *s, enum stream_step step, const char *reason, const char *advice);

/* Something has happened that the flow may wait for. */
void stream_poke(struct stream *s);

/* Sets the timer for the next time-out; call it when one may come sooner. */
void stream_arm(struct stream *s);

/* The person did something. */
void stream_note_input(struct stream *s);

/* When it ends as things stand, for a viewer; of the idle and the absolute limit the nearer one. */
void stream_describe_limit(const struct stream *s, struct limit_changed_event *ret);

/* Brings another of its pages to the front: stream_flow.c. */
void stream_show_page(struct stream *s, struct target *page);

/* Tells of the tabs that there are: stream_flow.c. */
void stream_tell_tabs(struct stream *s);

/* A viewer has come, gone, or begun or stopped looking: switches the screencast on or off. */
void stream_viewers_changed(struct stream *s);

/* Where it stands, borrowed from s. */
void stream_describe_step(const struct stream *s, struct step_changed_event *ret);

/* What viewers read when it is over. */
#define STREAM_ENDED "This sign-in has ended."

/* Sends an event of proto/viewer.def to every viewer. */
void stream_tell(struct stream *s, const struct method *event, const void *fields);

/* The flow: stream_flow.c. */
void stream_run(void *stream);
/* What the browser tells: stream_flow.c. */
extern const struct browser_events stream_browser_events;
