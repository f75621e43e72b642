/*
 * One Chromium: started through a launcher of its own, followed through its targets, ended with its whole group.
 *
 * A target is a page (a tab or a popup window) or a frame that lives in a process of its own; each has a CDP session.
 * Functions that say so wait, in a fiber; events come on the loop.
 *
 * Room: may include settings.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/latch.h"
#include "proto/call.h"
#include "state/environment.h"
#include "streamd/browser/answer.h"
#include "streamd/browser/arrival.h"
#include "streamd/browser/cdp.h"
#include "streamd/browser/url.h"

struct act;
struct browser;
struct peer;
struct recipe;
struct streamd_settings;

enum target_kind { TARGET_PAGE, TARGET_FRAME, TARGET_OTHER };

/* Of a document; what it fetches beyond is not followed. */
#define TARGET_MOST_FETCHES 64

struct fetch {
	char id[CDP_ID]; /* "": nothing more of it is told */
	char frame[CDP_ID];
	char method[16];
	bool body;       /* it sends one, which says what it asks for */
	struct url *url; /* NULL: free */
	int64_t since;   /* monotonic ms, as are the others; 0: not */
	int64_t ended, failed;
	double asked_s, broken_s; /* by Chromium's clock, which does not tell how late we hear of it */
	struct arrival arrival;
	struct answer answer;
};

struct target {
	struct browser *browser;
	uint64_t number, holder; /* holder: that of the target whose session speaks of this one; 0: the browser's */
	enum target_kind kind;
	char id[CDP_ID];      /* of a page or frame target: also the id of its main frame */
	char session[CDP_ID]; /* "" once detached */
	char opener[CDP_ID];  /* the page that opened this popup, or "" */
	char parent[CDP_ID];  /* the frame that holds this one, or "" */
	char context[CDP_ID]; /* the browser context of a hidden tab apart, or "" */
	struct url *url; /* never NULL */
	struct url *pending; /* what it is loading, until the document is there; NULL: nothing */
	struct url *failed;  /* what could not be loaded, so that Chromium shows a page of its own in its place; or NULL */
	char *title;     /* never NULL */
	struct answer answer, coming; /* to the document that is there, and to the one that is asked for: browser_hear_answers() */
	struct fetch fetches[TARGET_MOST_FETCHES]; /* streamd/browser/fetches.h */
	bool crashed, loading;
	bool hidden; /* a tab of ours: no event speaks of it */
	bool barred; /* it went where nobody may look, and is being closed: its pictures are not shown */
	enum { RELOAD_NONE, RELOAD_ASKED, RELOAD_BEGUN } reloads; /* streamd/browser/reload.h */
	bool blank;  /* its requests are answered by page_set_blank() */
	TAILQ_ENTRY(target) link;
};

TAILQ_HEAD(target_list, target);

/* Pages and frames of one browser that are followed; a page beyond is closed, a frame beyond runs unseen. */
#define BROWSER_MOST_TARGETS 64

/*
 * A target across a wait. Its memory goes when Chromium says so, which may be whenever a fiber waits: so whoever waits
 * keeps a reference and no pointer, asks target_of() anew after each wait, and every function here that waits takes one
 * (tests/lint/style.sh looks). The browser outlives whoever works in it.
 */
struct target_ref {
	struct browser *browser;
	uint64_t number; /* 0: none */
};
#define NO_TARGET ((struct target_ref){ 0 })

/* To a target, or to none (NULL). */
struct target_ref target_ref_of(const struct target *t);

/* The target, until the next wait; NULL once it is detached, or when there was none. */
struct target *target_of(struct target_ref ref);

static inline bool target_ref_equal(struct target_ref a, struct target_ref b)
{
	return a.browser == b.browser && a.number == b.number;
}

/* cdp_call() in its session: -EPIPE, too, when it has gone already. */
int target_call_args(struct target_ref ref, const char *method, int64_t deadline, struct cdp_reply *ret,
	const struct cdp_arg *args);
#define target_call(ref_, method_, deadline_, ret_, ...)                                           \
	target_call_args(ref_, method_, deadline_, ret_,                                           \
		(const struct cdp_arg[]){ __VA_ARGS__ __VA_OPT__(,) { 0 } })

struct browser_events {
	void (*opened)(void *owner, struct browser *b); /* it is there, with a page */
	void (*closing)(void *owner); /* in a fiber, and may wait: it is being closed, and gone after that */
	void (*front_changed)(void *owner, struct target *page); /* another is in front, or none (NULL) */
	void (*page_closed)(void *owner, struct target *page); /* its memory goes after this, and it is in front no more */
	void (*page_changed)(void *owner, struct target *page); /* address, title or loading */
	void (*frame)(void *owner, struct target *page, const struct cbor *params); /* Page.screencastFrame, acknowledged */
	void (*dialog)(void *owner, struct target *page, const struct cbor *params); /* params NULL: it has gone */
	void (*navigating)(void *owner, struct target *page); /* it begins to load what pending says */
	void (*password)(void *owner, struct target *target, const struct cbor *params); /* Fetch.authRequired; NULL: no */
	void (*app_refused)(void *owner, const char *scheme); /* a link that would have opened an app */
	void (*download)(void *owner, const char *name); /* refused */
	void (*file_wanted)(void *owner, struct target *target); /* Page.fileChooserOpened: no dialog comes of it */
	void (*binding)(void *owner, struct target *target, const struct cbor *params); /* Runtime.bindingCalled */
	void (*crashed)(void *owner, struct target *page);
	void (*host_refused)(void *owner, const char *host, const char *why); /* why: a sentence that says "It" of the host */
	void (*host_unreached)(void *owner, const char *host, const char *why);
	void (*ended)(void *owner, const char *why); /* the browser is gone: a sentence */
	bool acts; /* what its pages send can be held back: streamd/browser/act.h */
};

/*
 * Starts a browser for a site and waits until its first page is there: 0, REFUSED with the reason in the call, or a
 * negative errno. cut: begin with the network cut. Events may come before it returns.
 */
int browser_open(struct call *call, const struct streamd_settings *settings, const struct recipe *recipe,
	const struct environment *environment, bool cut, const struct browser_events *events, void *owner,
	struct browser **ret);

/* Ends it without farewell and waits until nothing of it is left. Takes NULL; no event comes after it. */
struct browser *browser_close(struct browser *b);

struct cdp *browser_cdp(struct browser *b);
struct act *browser_act(struct browser *b); /* NULL unless its events say that it acts */
struct peer *browser_launcher(struct browser *b);
const struct environment *browser_environment(const struct browser *b);

/* NULL while it runs, then why it ended. */
const char *browser_ended(const struct browser *b);

/*
 * In a fiber, after something failed with -ECONNRESET: as browser_ended(), once the launcher has had the time to say
 * why. Still NULL: it runs, as far as anybody knows.
 */
const char *browser_why_ended(struct browser *b);

/* Pages and frames, oldest first. */
struct target_list *browser_targets(struct browser *b);

struct target *browser_page(struct browser *b); /* the oldest that is not hidden, or NULL */

/*
 * The page in front, which is looked at and worked on; NULL: there is none. The newest that was opened, a popup often, or one that
 * was brought there; once it is closed the page that opened it, or the oldest that is there.
 */
struct target *browser_front(struct browser *b);
void browser_bring_to_front(struct target *page);

struct target *browser_target_by_session(struct browser *b, const char *session);
struct target *browser_target_by_id(struct browser *b, const char *id);

/* How much room there is for its profile, as a sentence; "": it is not known. */
void browser_room_words(struct browser *b, struct call *call, char *out, size_t size);

/* What a page's own watcher says it is called; those who follow it are told. */
void target_set_title(struct target *page, const char *title);

/* Cuts the network or opens it; waits. */
int browser_set_network(struct browser *b, struct call *call, bool open);

/*
 * Whether pages are followed as to what the site answers them (target.answer); it costs a few messages for every request,
 * so a browser that is only looked at does without. Said before a page is loaded, it counts for that page.
 */
void browser_hear_answers(struct browser *b, bool on);

/*
 * Why the launcher refused the host of this address, a sentence; NULL: it did not, as far as is known. Borrowed.
 */
const char *browser_refused(const struct browser *b, const char *url);

/*
 * What was answered, from now on, to requests of shown pages and their frames (hidden: of hidden tabs) that fit patterns. The
 * last answer counts, for a page may be refused once and come back with a new token. NULL ends it; one watch at a time.
 */
#define REQUESTS_MOST 17 /* a probe's, and the one that names the account */
struct request_watch {
	const char *const *patterns;
	size_t count; /* of patterns, REQUESTS_MOST at most */
	bool hidden;
	bool bodies; /* what is answered is kept for Network.getResponseBody, up to a megabyte of each, until the watch ends */
	struct {
		struct answer answer;
		int64_t at; /* when; 0: not yet */
		char session[CDP_ID], request[CDP_ID]; /* by which its body is to be had (Network.getResponseBody) */
	} seen[REQUESTS_MOST];
};
void browser_watch_requests(struct browser *b, struct request_watch *w);

/* A site that has bound a session to this browser's device (DBSC), by number; NULL: there are no more. Borrowed. */
const char *browser_bound(const struct browser *b, size_t i);

/*
 * Answers Fetch.authRequired, by its request: with a name and a password, or, name NULL, not at all. Chromium keeps what was
 * right for as long as it runs, which nothing can carry into another browser; whether it may hold such is the other.
 */
void browser_answer_password(struct target_ref target, const char *request, const char *name, const char *password);
bool browser_used_http_auth(const struct browser *b);

/*
 * The origins that pages of this browser have shown, in order: texts such as https://sso.test; count in *ret. *ret_more:
 * there were others, more than are remembered.
 */
const char *const *browser_origins_seen(const struct browser *b, size_t *ret, bool *ret_more);
