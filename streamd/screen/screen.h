/*
 * A screen: a browser that can be looked at and driven. It follows the page in front with pictures and with what they do not show
 * (lists, dialogs, notes), for its viewers, each with its rights. Who owns it, a sign-in or a run, has its browser, and says what
 * may be done; what happens there it is told.
 *
 * Room: may include browser/ session/ edge/ streamd.h handlers.h audit.h.
 */
#pragma once

#include <stdint.h>

#include "streamd/browser/browser.h"
#include "streamd/screen/viewer.h"
#include "streamd/session/dialog_policy.h"

struct dialogs;
struct hands;
struct menus;
struct notes;
struct screencast;
struct trouble;

/* Whoever a screen belongs to. All on the loop or in a fiber; none of them may wait, and any may be NULL. */
struct screen_owner {
	void (*happened)(void *owner); /* something that a flow may wait for: a page, a dialog */
	void (*page_changed)(void *owner, struct target *page); /* address, title or loading, of any */
	void (*used)(void *owner); /* a viewer did something */
	void (*seen)(void *owner); /* viewers have come, gone, begun or stopped to look */
	void (*greet)(void *owner, struct viewer *v); /* what one that has come should know of the owner, before all else */
	void (*host_refused)(void *owner, const char *host); /* of a screen that is only watched */
	void (*lost)(void *owner, const char *why); /* its browser or its last page is gone: a sentence */
};

struct screen {
	const struct screen_owner *does;
	void *owner;
	const struct recipe *recipe; /* the owner's */
	struct browser *browser; /* NULL before and after; the owner closes it */
	struct screencast *screencast;
	struct dialogs *dialogs; /* that its pages have open */
	struct hands *hands;     /* what viewers do, in order */
	struct notes *notes;     /* what they should know of the page */
	struct menus *menus;     /* lists of select elements; of one that is driven, while its browser is there */
	struct trouble *trouble; /* why the page in front is not there; the same */
	int width, height;       /* of its pages, CSS pixels; 0: as the browser opened them */

	bool driven;             /* what viewers do reaches the page */
	bool unattended;         /* nobody is asked what a dialog asks */
	char said[DIALOGS_SAID]; /* by those dialogs */
	const char *over;        /* what viewers read once it has been ended; NULL before */
	bool ending;             /* what happens now is over in a moment */
	bool loading;            /* the page in front was, when last heard of */
	bool typing;             /* a field that takes text has the focus */
	size_t tabs_told;        /* how many tabs viewers know of */

	struct viewer_list viewers;
	uint64_t control;        /* the viewer that holds it (its edge's id): who did something last */
	int64_t acted, copied;   /* when that was, and when they asked to copy; monotonic ms */
	int64_t allowance, charged_at; /* what they may still send: viewer_route.c */
};

/* Of an owner that will open a browser with one of the events below, with the screen as their owner. */
struct screen *screen_new(const struct recipe *recipe, int quality, const struct screen_owner *does, void *owner);

/* There is no more to see: closes its viewers' connections with the sentence, a literal, and those of whoever comes later. */
void screen_end(struct screen *s, const char *why);

/* Once its browser has gone, and it has been ended. Takes NULL, returns NULL. */
struct screen *screen_free(struct screen *s);

/* What the owner's browser tells: of one that viewers drive, and of one that a bot drives and they watch. */
extern const struct browser_events screen_driven_events, screen_watched_events;

/* Other room for its pages, CSS pixels. */
void screen_set_size(struct screen *s, int width, int height);

/* A viewer has come, gone, or begun or stopped to look. */
void screen_viewers_changed(struct screen *s);

/* Everything that one that has come must know. */
void screen_greet(struct viewer *v);

/* Something has happened there that its owner's flow may wait for. */
void screen_happened(struct screen *s);

/* The viewer did something: it holds control. */
void screen_used(struct viewer *v);

/* Sends an event of proto/viewer.def to every viewer of the screen; what lies over its page tells so, too. */
void screen_tell(void *screen, const struct method *event, const void *fields);
