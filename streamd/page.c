#include "streamd/browser_inside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"

static void copy_text(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text ? text : "");
}

/*
 * Page.enable is carried out in the page's own process; until it is answered, a load there may go by unheard.
 */
int page_wait_enabled(struct target *t, int64_t deadline)
{
	char session[48];

	copy_text(session, sizeof(session), t->session);
	return cdp_call(t->browser->cdp, session, "Page.enable", deadline, NULL);
}
void event_wait_begin(struct browser *b, struct event_wait *w, const char *session, const char *method)
{
	*w = (struct event_wait){ .session = session, .method = method };
	LIST_INSERT_HEAD(&b->waits, w, link);
}

int event_wait_end(struct browser *b, struct event_wait *w, int64_t deadline)
{
	struct wait wait = { 0 };
	int r = 0;

	if (!w->came && b->ended[0]) {
		r = -ECONNRESET;
	} else if (!w->came) {
		w->wait = &wait;
		r = wait_for(&wait, deadline);
	}
	LIST_REMOVE(w, link);
	return r;
}

int page_navigate(struct target *page, const char *url, int64_t deadline, char *why, size_t size)
{
	struct browser *b = page->browser;
	struct cdp_reply reply;
	struct event_wait load;
	char session[48];
	int r;

	copy_text(session, sizeof(session), page->session); /* the target may go while we wait */
	event_wait_begin(b, &load, session, "Page.loadEventFired");
	r = cdp_call(b->cdp, session, "Page.navigate", deadline, &reply, CDP_TEXT("url", url));
	if (r == 0) {
		char *error = cbor_get_utf8(reply.arena, reply.result, "errorText");
		if (error && size)
			copy_text(why, size, error);
		r = error ? -EREMOTE : 0;
		cdp_reply_free(&reply);
	} else if (size) {
		copy_text(why, size, reply.error);
	}
	if (r < 0) {
		event_wait_end(b, &load, loop_now());
		return r;
	}
	return event_wait_end(b, &load, deadline);
}

/* A page's frames hang on its session, theirs on theirs: a blank page's frames are blank from their start. */
void page_set_blank(struct target *page, const char *const *origins, size_t count)
{
	struct browser *b = page->browser;
	bool on = origins != NULL;
	struct target *t;

	b->blank = blank_free(b->blank);
	if (on)
		b->blank = blank_new(origins, count);
	TAILQ_FOREACH (t, &b->targets, link) {
		if ((on && t != page) || t->blank == on)
			continue;
		t->blank = on;
		cdp_send_args(b->cdp, t->session, on ? "Fetch.enable" : "Fetch.disable",
			(const struct cdp_arg[]){ { 0 } });
	}
}

static int make_context(struct browser *b, int64_t deadline, char context[48])
{
	struct cdp_reply reply;
	int r = cdp_call(b->cdp, "", "Target.createBrowserContext", deadline, &reply);

	if (r < 0)
		return r;
	copy_text(context, 48, cbor_get_utf8(reply.arena, reply.result, "browserContextId"));
	cdp_reply_free(&reply);
	return 0;
}

int browser_open_hidden(struct browser *b, bool apart, int64_t deadline, struct target **ret)
{
	struct cdp_reply reply;
	char context[48] = "";
	struct target *t;
	int r = apart ? make_context(b, deadline, context) : 0;

	if (r < 0)
		return r;
	b->hiding = true;
	r = cdp_call(b->cdp, "", "Target.createTarget", deadline, &reply, CDP_TEXT("url", "about:blank"),
		CDP_BOOL("background", true), CDP_TEXT("browserContextId", apart ? context : NULL));
	b->hiding = false;
	if (r < 0)
		return r;
	t = browser_target_by_id(b, cbor_get_utf8(reply.arena, reply.result, "targetId"));
	cdp_reply_free(&reply);
	if (!t)
		return -EPIPE;
	copy_text(t->context, sizeof(t->context), context);
	*ret = t;
	return page_wait_enabled(t, deadline);
}

void page_close_hidden(struct target *page)
{
	struct cdp *cdp = page ? page->browser->cdp : NULL;

	if (page && page->context[0])
		cdp_send(cdp, "", "Target.disposeBrowserContext", CDP_TEXT("browserContextId", page->context));
	else if (page)
		cdp_send(cdp, "", "Target.closeTarget", CDP_TEXT("targetId", page->id));
}

static int isolated_world(struct target *target, const char *session, const char *frame, int64_t deadline,
	int64_t *ret)
{
	struct cdp_reply reply;
	const struct cdp_arg args[] = { CDP_TEXT("frameId", frame), CDP_TEXT("worldName", "stead"), { 0 } };
	/* In the frame: a world that is made in the next document is not the one that was asked for. */
	int r = cdp_call_in_frame(target->browser->cdp, session, frame, "Page.createIsolatedWorld", deadline, &reply, args);

	if (r < 0)
		return r;
	*ret = cbor_get_int(reply.result, "executionContextId", 0);
	cdp_reply_free(&reply);
	return 0;
}

int frame_call_args(struct target *target, const char *frame, const char *function, int64_t deadline,
	struct cdp_reply *ret, const struct cdp_arg *args)
{
	struct cdp *cdp = target->browser->cdp;
	char session[48];
	int64_t world;
	int r;

	copy_text(session, sizeof(session), target->session);
	r = isolated_world(target, session, frame, deadline, &world);
	if (r < 0)
		return r;

	const struct cdp_arg call[] = { CDP_TEXT("functionDeclaration", function), CDP_INT("executionContextId", world),
		CDP_BOOL("returnByValue", true), CDP_BOOL("awaitPromise", true),
		{ .name = "arguments", .kind = CDP_KIND_LIST, .inner = args }, { 0 } };
	r = cdp_call_in_frame(cdp, session, frame, "Runtime.callFunctionOn", deadline, ret, call);
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
