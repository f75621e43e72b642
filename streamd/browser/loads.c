#include "streamd/browser/loads.h"

#include <string.h>

#include "common/cleanup.h"

bool loads_ask_passwords(const struct browser *b)
{
	return b->events->password;
}

/*
 * A password can only be asked for of a request that has been paused before, and which one that will be nobody knows: so
 * each is, and goes on at once; for one that is not, be it a picture's or a script's, Chromium asks in a window of its own, which
 * no picture shows, and the page never comes. It costs a message each way, so a browser that nobody sits before does without:
 * there the launcher has turned such asking off altogether.
 */
void target_set_fetch(struct browser *b, struct target *t)
{
	if (t->blank)
		cdp_send(b->cdp, t->session, "Fetch.enable");
	else if (loads_ask_passwords(b))
		cdp_send(b->cdp, t->session, "Fetch.enable", CDP_BOOL("handleAuthRequests", true));
	else
		cdp_send(b->cdp, t->session, "Fetch.disable");
}

static void set_pending(struct target *t, const char *url)
{
	url_free(t->pending);
	t->pending = url ? url_new(url) : NULL;
}

/* What was asked for is there, or, unreachable, Chromium's own page in its place. */
void loads_landed(struct target *t, const char *unreachable)
{
	set_pending(t, NULL);
	url_free(t->failed);
	t->failed = unreachable ? url_new(unreachable) : NULL;
}

/* Told of each load as it begins, and of moves within a document, which need no answer. */
static void on_loads_navigating(struct browser *b, struct target *t, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct cbor *type = cbor_get(params, "navigationType");
	char *url = cbor_get_utf8(arena, params, "url");

	if (!url || !cbor_text_is(cbor_get(params, "frameId"), t->id) || cbor_text_is(type, "sameDocument") ||
		cbor_text_is(type, "historySameDocument"))
		return;
	set_pending(t, url);
	if (t->kind == TARGET_PAGE && !t->hidden && b->events->navigating)
		b->events->navigating(b->owner, t);
}

static bool opens_app(const char *url)
{
	static const char *const web[] = { "https:", "http:", "about:", "blob:", "data:", "javascript:", "chrome-error:" };

	for (size_t i = 0; i < sizeof(web) / sizeof(*web); i++)
		if (strncmp(url, web[i], strlen(web[i])) == 0)
			return false;
	return true;
}

/* A window that was opened for such a link alone stays empty, in front of what the person was about to do. */
static void on_requested(struct browser *b, struct target *t, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	char *url = cbor_get_utf8(arena, params, "url");
	const char *shows = url_whole(t->url);

	if (!url || !opens_app(url) || t->kind != TARGET_PAGE || t->hidden || !t->opener[0])
		return;
	if (cbor_text_is(cbor_get(params, "frameId"), t->id) && (!*shows || strcmp(shows, "about:blank") == 0))
		cdp_send(b->cdp, "", "Target.closeTarget", CDP_TEXT("targetId", t->id));
}

static void on_password(struct browser *b, struct target *t, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);

	if (loads_ask_passwords(b) && !t->hidden && !t->blank)
		b->events->password(b->owner, t, params);
	else
		browser_answer_password(target_ref_of(t), cbor_get_utf8(arena, params, "requestId"), NULL, NULL);
}

/* Of the browser's own session. */
static void on_download(struct browser *b, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	char *name = cbor_get_utf8(arena, params, "suggestedFilename");

	if (b->events->download)
		b->events->download(b->owner, name ? name : "");
}

static void on_stopped(struct target *t, const struct cbor *params)
{
	if (cbor_text_is(cbor_get(params, "frameId"), t->id))
		set_pending(t, NULL);
}

void loads_event(struct browser *b, struct target *t, const char *method, const struct cbor *params)
{
	if (!t && strcmp(method, "Browser.downloadWillBegin") == 0)
		on_download(b, params);
	if (!t)
		return;
	if (strcmp(method, "Page.frameStartedNavigating") == 0)
		on_loads_navigating(b, t, params);
	else if (strcmp(method, "Page.frameStoppedLoading") == 0)
		on_stopped(t, params);
	else if (strcmp(method, "Page.frameRequestedNavigation") == 0)
		on_requested(b, t, params);
	else if (strcmp(method, "Page.fileChooserOpened") == 0 && b->events->file_wanted)
		b->events->file_wanted(b->owner, t);
	else if (strcmp(method, "Fetch.authRequired") == 0)
		on_password(b, t, params);
}
