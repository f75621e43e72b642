#include "streamd/browser/page.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"
#include "streamd/browser/loads.h"
#include "streamd/browser/net_error.h"

#define ERROR_PAGE_MS 5000

#define MOST_PLACE 1000000.0 /* CSS pixels; no page is larger */

bool page_place(const struct cbor *v, double *ret)
{
	double d = NAN;

	if (!cbor_double(v, &d) || !(fabs(d) <= MOST_PLACE))
		return false;
	*ret = d;
	return true;
}

/*
 * Page.enable is carried out in the page's own process; until it is answered, a load there may go by unheard.
 */
int page_wait_enabled(struct target_ref page, int64_t deadline)
{
	return target_call(page, "Page.enable", deadline, NULL);
}

void event_wait_begin(struct browser *b, struct event_wait *w, const char *session, const char *method)
{
	*w = (struct event_wait){ .method = method };
	exact_must(w->session, sizeof(w->session), "%s", session);
	LIST_INSERT_HEAD(&b->waits, w, link);
}

int event_wait_end(struct browser *b, struct event_wait *w, int64_t deadline)
{
	int r = 0;

	if (!w->came)
		r = b->ended[0] ? -ECONNRESET : latch_wait(&w->latch, deadline);
	LIST_REMOVE(w, link);
	return r;
}

int event_await(struct browser *b, const char *session, const char *method, int64_t deadline)
{
	struct event_wait w;

	event_wait_begin(b, &w, session, method);
	return event_wait_end(b, &w, deadline);
}

/* Whether Chromium loads a page of its own in place of what failed; that must be over, or it is taken for the next one's. */
static bool shows_error(const char *why)
{
	return strncmp(why, "net::", 5) == 0 && !net_error_is_broken_off(why);
}

int page_navigate(struct target_ref page, const char *url, int64_t deadline, char *why, size_t size)
{
	struct target *t = target_of(page);
	struct browser *b = page.browser;
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	struct event_wait load;
	bool same = false; /* another place of the same document, which is not loaded again */
	int r;

	*why = '\0';
	if (!t)
		return -EPIPE;
	event_wait_begin(b, &load, t->session, "Page.loadEventFired");
	r = target_call(page, "Page.navigate", deadline, &reply, CDP_TEXT("url", url));
	if (r == 0) {
		char *error = cbor_get_utf8(reply.arena, reply.result, "errorText");
		words_set(why, size, "%s", error ? error : "");
		r = error ? -EREMOTE : 0;
		same = !cbor_get(reply.result, "loaderId");
	} else {
		words_set(why, size, "%s", reply.error);
	}
	if (r == 0 && !same)
		return event_wait_end(b, &load, deadline);
	event_wait_end(b, &load, r < 0 && shows_error(why) ? deadline_min(deadline, deadline_in(ERROR_PAGE_MS)) : loop_now());
	return r;
}

/* Asked for and not answered at all. */
static bool is_silent(const struct target *page)
{
	const struct answer *a = &page->coming;

	return a->loader[0] && strcmp(a->loader, page->answer.loader) != 0 && !a->status && !a->error[0];
}

bool page_is_down(const struct target *page, bool late, int64_t *ret_retry_ms, char *words, size_t size)
{
	bool silent = late && is_silent(page);

	*words = '\0';
	*ret_retry_ms = 0;
	if (!silent && (!answer_is_down(&page->answer) || browser_refused(page->browser, url_whole(page->url))))
		return false;
	answer_words(silent ? &page->coming : &page->answer, words, size);
	*ret_retry_ms = silent ? 0 : page->answer.retry_ms;
	return true;
}

/* A page's frames hang on its session, theirs on theirs: a blank page's frames are blank from their start. */
void page_set_blank(struct target_ref page, const char *const *origins, size_t count)
{
	struct browser *b = page.browser;
	bool on = origins != NULL;
	struct target *t;

	if (!b)
		return;
	b->blank = blank_free(b->blank);
	if (on)
		b->blank = blank_new(origins, count);
	TAILQ_FOREACH (t, &b->targets, link) {
		if ((on && t->number != page.number) || t->blank == on)
			continue;
		t->blank = on;
		target_set_fetch(b, t);
	}
}

static int page_make_context(struct browser *b, int64_t deadline, char context[CDP_ID])
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	int r = cdp_call(b->cdp, "", "Target.createBrowserContext", deadline, &reply);

	if (r < 0)
		return r;
	return cdp_id(reply.result, "browserContextId", context) ? 0 : -EBADMSG;
}

static int open_tab(struct browser *b, const char *context, bool hidden, int64_t deadline, struct target_ref *ret)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	struct target *t;
	int r;

	b->hiding = hidden;
	r = cdp_call(b->cdp, "", "Target.createTarget", deadline, &reply, CDP_TEXT("url", "about:blank"),
		CDP_BOOL("background", hidden), CDP_TEXT("browserContextId", *context ? context : NULL));
	b->hiding = false;
	if (r < 0)
		return r;
	t = browser_target_by_id(b, cbor_get_utf8(reply.arena, reply.result, "targetId"));
	if (!t || t->hidden != hidden || t->kind != TARGET_PAGE) /* it has gone already, or what is named is not ours to use */
		return -EPIPE;
	exact_must(t->context, sizeof(t->context), "%s", context);
	*ret = target_ref_of(t);
	return page_wait_enabled(*ret, deadline);
}

int browser_open_page(struct browser *b, int64_t deadline, struct target_ref *ret)
{
	*ret = NO_TARGET;
	return open_tab(b, "", false, deadline, ret);
}

/* With all that is open in it. */
static void page_end_context(struct browser *b, const char *context)
{
	cdp_send(b->cdp, "", "Target.disposeBrowserContext", CDP_TEXT("browserContextId", context));
}

int browser_open_hidden(struct browser *b, bool apart, int64_t deadline, struct target_ref *ret)
{
	char context[CDP_ID] = "";
	int r = apart ? page_make_context(b, deadline, context) : 0;

	*ret = NO_TARGET;
	if (r == 0)
		r = open_tab(b, context, true, deadline, ret);
	if (r < 0 && *context)
		page_end_context(b, context); /* also where its tab was never heard of */
	else if (r < 0)
		page_close_hidden(*ret);
	return r;
}

void page_close_hidden(struct target_ref page)
{
	const struct target *t = target_of(page);

	if (t && t->context[0])
		page_end_context(page.browser, t->context);
	else if (t)
		cdp_send(page.browser->cdp, "", "Target.closeTarget", CDP_TEXT("targetId", t->id));
}

/* In the frame: what is made or done in the next document is not what was asked for. */
static int call_in_frame(struct target_ref target, const char *frame, const char *method, int64_t deadline,
	struct cdp_reply *ret, const struct cdp_arg *args)
{
	const struct target *t = target_of(target);

	return t ? cdp_call_in_frame(target.browser->cdp, t->session, frame, method, deadline, ret, args) : -EPIPE;
}

static int isolated_world(struct target_ref target, const char *frame, int64_t deadline, int64_t *ret)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	const struct cdp_arg args[] = { CDP_TEXT("frameId", frame), CDP_TEXT("worldName", "stead"), { 0 } };
	int r = call_in_frame(target, frame, "Page.createIsolatedWorld", deadline, &reply, args);

	if (r < 0)
		return r;
	*ret = cbor_get_int(reply.result, "executionContextId", 0);
	return 0;
}

/* Chromium's "arguments" wants every value wrapped: {value: ...}. */
int frame_call_args(struct target_ref target, const char *frame, const char *function, int64_t deadline,
	struct cdp_reply *ret, const struct cdp_arg *args)
{
	int64_t world;
	int r = isolated_world(target, frame, deadline, &world);

	if (r < 0)
		return r;

	const struct cdp_arg call[] = { CDP_TEXT("functionDeclaration", function), CDP_INT("executionContextId", world),
		CDP_BOOL("returnByValue", true), CDP_BOOL("awaitPromise", true),
		CDP_LIST("arguments", CDP_MAP(NULL, CDP_MAP_OF("value", args))), { 0 } };
	r = call_in_frame(target, frame, "Runtime.callFunctionOn", deadline, ret, call);
	if (r == 0 && cbor_get(ret->result, "exceptionDetails")) {
		char *text = cbor_get_utf8(ret->arena,
			cbor_get(cbor_get(ret->result, "exceptionDetails"), "exception"), "description");
		log_debug("a function in the page threw: %s", text ? text : "?");
		cdp_reply_free(ret);
		return -EREMOTE;
	}
	return r;
}

const struct cbor *frame_value(const struct cdp_reply *reply)
{
	return cbor_get(cbor_get(reply->result, "result"), "value");
}
