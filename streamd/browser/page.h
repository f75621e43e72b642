/* A page: opened, led somewhere, looked at, and functions called in it. What waits takes a reference (browser.h). */
#pragma once

#include "streamd/browser/browser.h"

/* Waits for one event. Begin before what causes it; end in any case. */
struct event_wait {
	char session[CDP_ID];
	const char *method; /* a literal */
	struct latch latch;
	bool came;
	LIST_ENTRY(event_wait) link;
};
void event_wait_begin(struct browser *b, struct event_wait *w, const char *session, const char *method);
int event_wait_end(struct browser *b, struct event_wait *w, int64_t deadline);

/* Both in one, for what comes by itself. */
int event_await(struct browser *b, const char *session, const char *method, int64_t deadline);

/*
 * Goes to an address and waits until the document has been loaded: 0; -EREMOTE with Chromium's reason
 * (net::ERR_...) in why; -ETIMEDOUT; -EPIPE; -ECONNRESET; -ECANCELED. why is always written, "" if nothing was said.
 */
int page_navigate(struct target_ref page, const char *url, int64_t deadline, char *why, size_t size);

/*
 * Blank documents: while this is on, nothing of this page goes to the network; a request for <origin>/.stead/N is
 * answered with an empty page that holds a frame of origins[N + 1], as deep as there are origins, and anything else with
 * 404. This is how storage of any partition is reached without the site's own code running. NULL turns it off. One page
 * of a browser at a time.
 */
void page_set_blank(struct target_ref page, const char *const *origins, size_t count);

/* Opens a page beside the others, which is in front then. 0 or as cdp_call(). */
int browser_open_page(struct browser *b, int64_t deadline, struct target_ref *ret);

/*
 * Opens a hidden tab; page_close_hidden() closes it. apart: with cookies and storage of its own, empty ones (a browser
 * context), which end with it. 0 or as cdp_call().
 */
int browser_open_hidden(struct browser *b, bool apart, int64_t deadline, struct target_ref *ret);
void page_close_hidden(struct target_ref page);

/*
 * Whether the page shows an error of the site's server, or of Chromium's for want of one, instead of what was asked for;
 * late: or the site has had its time and not answered at all. words (size bytes): the end of a sentence, "answers 503
 * (...)"; always written. *ret_retry_ms: how long the site wants to be left alone; 0: it does not say.
 */
bool page_is_down(const struct target *page, bool late, int64_t *ret_retry_ms, char *words, size_t size);

/* Until Page.enable is answered, a load there may go by unheard. (private to the room) */
int page_wait_enabled(struct target_ref page, int64_t deadline);

/*
 * Where something lies in a page, from what a page says: a number, and one that a page can have. False, and ret left
 * alone, for anything else.
 */
bool page_place(const struct cbor *v, double *ret);

/*
 * Calls a function of JavaScript in an isolated world of a frame of target, so that the page can neither see nor fake
 * it, with one object, which args are the members of. ret->result is the whole answer: its "result"."value" is what the function
 * returned. -EREMOTE also when it threw.
 */
int frame_call_args(struct target_ref target, const char *frame, const char *function, int64_t deadline,
	struct cdp_reply *ret, const struct cdp_arg *args);
#define frame_call(target_, frame_, function_, deadline_, ret_, ...)                               \
	frame_call_args(target_, frame_, function_, deadline_, ret_,                               \
		(const struct cdp_arg[]){ __VA_ARGS__ __VA_OPT__(,) { 0 } })
/* What it returned; NULL for undefined. */
const struct cbor *frame_value(const struct cdp_reply *reply);
