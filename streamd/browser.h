/*
 * One Chromium: started through a launcher of its own, followed through its targets, ended with its whole group.
 *
 * A target is a page (a tab or a popup window) or a frame that lives in a process of its own; each has a CDP session.
 * Functions that say so wait, in a fiber; events come on the loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "proto/call.h"
#include "streamd/cdp.h"

struct browser;
struct recipe;
struct streamd_settings;

/* What a site sees of the browser, the same in sign-in, proof and every run. Texts may be NULL. */
struct environment {
	const char *user_agent, *languages, *time_zone, *locale;
	int width, height; /* CSS pixels */
};

enum target_kind { TARGET_PAGE, TARGET_FRAME, TARGET_OTHER };

struct target {
	struct browser *browser;
	enum target_kind kind;
	char id[48];     /* of a page or frame target: also the id of its main frame */
	char session[48]; /* "" once detached */
	char opener[48]; /* the page that opened this popup, or "" */
	char parent[48]; /* the frame that holds this one, or "" */
	char context[48]; /* the browser context of a hidden tab apart, or "" */
	char *url, *title; /* never NULL */
	bool crashed, loading;
	bool hidden; /* a tab of ours: no event speaks of it */
	bool barred; /* it went where nobody may look, and is being closed: its pictures are not shown */
	bool blank;  /* its requests are answered by browser_set_blank() */
	TAILQ_ENTRY(target) link;
};

TAILQ_HEAD(target_list, target);

struct browser_events {
	void (*page_opened)(void *owner, struct target *page);
	void (*page_closed)(void *owner, struct target *page); /* its memory goes after this */
	void (*page_changed)(void *owner, struct target *page); /* address, title or loading */
	void (*frame)(void *owner, struct target *page, const struct cbor *params); /* Page.screencastFrame, acknowledged */
	void (*dialog)(void *owner, struct target *page, const struct cbor *params); /* params NULL: it has gone */
	void (*binding)(void *owner, struct target *target, const struct cbor *params); /* Runtime.bindingCalled */
	void (*crashed)(void *owner, struct target *page);
	void (*host_refused)(void *owner, const char *host, const char *why);
	void (*ended)(void *owner, const char *why); /* the browser is gone: a sentence */
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
struct target *browser_page(struct browser *b); /* the oldest page, or NULL */
struct target *browser_target_by_session(struct browser *b, const char *session);
struct target *browser_target_by_id(struct browser *b, const char *id);

/* Cuts the network or opens it; waits. */
int browser_set_network(struct browser *b, struct call *call, bool open);

/* Waits for one event. Begin before what causes it; end in any case. */
struct event_wait {
	const char *session, *method;
	struct wait *wait;
	bool came;
	LIST_ENTRY(event_wait) link;
};
void event_wait_begin(struct browser *b, struct event_wait *w, const char *session, const char *method);
int event_wait_end(struct browser *b, struct event_wait *w, int64_t deadline);

/*
 * Goes to an address and waits until the document has been loaded: 0; -EREMOTE with Chromium's reason
 * (net::ERR_...) in why; -ETIMEDOUT; -EPIPE; -ECONNRESET; -ECANCELED.
 */
int page_navigate(struct target *page, const char *url, int64_t deadline, char *why, size_t size);

/*
 * Blank documents: while this is on, nothing of this page goes to the network; a request for <origin>/.stead/N is
 * answered with an empty page that holds a frame of origins[N + 1], as deep as there are origins, and anything else with
 * 404. This is how storage of any partition is reached without the site's own code running. NULL turns it off. One page
 * of a browser at a time.
 */
void page_set_blank(struct target *page, const char *const *origins, size_t count);

/*
 * Opens a hidden tab; page_close_hidden() closes it. apart: with cookies and storage of its own, empty ones (a browser
 * context), which end with it. 0 or as cdp_call().
 */
int browser_open_hidden(struct browser *b, bool apart, int64_t deadline, struct target **ret);
void page_close_hidden(struct target *page);

/* The origins that pages of this browser have shown, in order: texts such as https://sso.test; count in *ret. */
const char *const *browser_origins_seen(const struct browser *b, size_t *ret);

/*
 * Calls a function of JavaScript in an isolated world of a frame of target, so that the page can neither see nor fake
 * it; args are the elements of CDP's "arguments". ret->result is the whole answer: its "result"."value" is what the function
 * returned. -EREMOTE also when it threw.
 */
int frame_call_args(struct target *target, const char *frame, const char *function, int64_t deadline,
	struct cdp_reply *ret, const struct cdp_arg *args);
#define frame_call(target_, frame_, function_, deadline_, ret_, ...)                               \
	frame_call_args(target_, frame_, function_, deadline_, ret_,                               \
		(const struct cdp_arg[]){ __VA_ARGS__ __VA_OPT__(,) { 0 } })
/* What it returned; NULL for undefined. */
const struct cbor *frame_value(const struct cdp_reply *reply);
