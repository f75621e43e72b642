#include "streamd/browser_inside.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "streamd/watch.h"

static void set_text(char **at, const char *text)
{
	free(*at);
	*at = browser_must(strdup(text ? text : ""));
}

static void copy_text(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text ? text : "");
}

static enum target_kind kind_of(const struct cbor *type)
{
	if (cbor_text_is(type, "page"))
		return TARGET_PAGE;
	return cbor_text_is(type, "iframe") ? TARGET_FRAME : TARGET_OTHER;
}

static bool is_shown(const struct target *t)
{
	return t->kind == TARGET_PAGE && !t->hidden;
}

/* Chromium's own pages and the files of this machine are nobody's to see, however they were opened. */
static bool may_be_shown(const char *url)
{
	static const char *const allowed[] = { "https://", "http://", "about:", "blob:", "data:", "chrome-error://" };

	for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++)
		if (strncmp(url, allowed[i], strlen(allowed[i])) == 0)
			return true;
	return !*url;
}

static void bar(struct browser *b, struct target *t)
{
	log_warning("a page of the browser went to %.100s and is closed", t->url);
	t->barred = true;
	cdp_send(b->cdp, "", "Target.closeTarget", CDP_TEXT("targetId", t->id));
}

static void take_url(struct browser *b, struct target *t, const char *url)
{
	set_text(&t->url, url);
	if (t->kind == TARGET_PAGE && !t->barred && !may_be_shown(t->url))
		bar(b, t);
}

static void target_free(struct browser *b, struct target *t)
{
	TAILQ_REMOVE(&b->targets, t, link);
	free(t->url);
	free(t->title);
	free(t);
}

/* What every page and frame gets before its first script runs; nothing here is waited for. */
static void prepare(struct browser *b, struct target *t)
{
	cdp_send(b->cdp, t->session, "Target.setAutoAttach", CDP_BOOL("autoAttach", true),
		CDP_BOOL("waitForDebuggerOnStart", true), CDP_BOOL("flatten", true));
	cdp_send(b->cdp, t->session, "Page.enable");
	cdp_send(b->cdp, t->session, "Inspector.enable");
	/* Else a page that focuses a field shows neither ring nor caret until the first input. */
	if (t->kind == TARGET_PAGE)
		cdp_send(b->cdp, t->session, "Emulation.setFocusEmulationEnabled", CDP_BOOL("enabled", true));
	if (b->events->binding)
		watch_prepare(b->cdp, t->session);
	if (b->environment.locale)
		cdp_send(b->cdp, t->session, "Emulation.setLocaleOverride",
			CDP_TEXT("locale", b->environment.locale));
	if (t->blank)
		cdp_send(b->cdp, t->session, "Fetch.enable");
}

static void on_attached(struct browser *b, const struct target *parent, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct cbor *info = cbor_get(params, "targetInfo");
	char *session = cbor_get_utf8(arena, params, "sessionId");
	char *id = cbor_get_utf8(arena, info, "targetId");
	enum target_kind kind = kind_of(cbor_get(info, "type"));

	if (!session || !id) /* not what Chromium sends; nobody could speak to it */
		return;
	if (kind == TARGET_OTHER) { /* a worker: paused for ever unless somebody lets it run */
		cdp_send(b->cdp, session, "Runtime.runIfWaitingForDebugger");
		return;
	}

	struct target *t = browser_must(calloc(1, sizeof(*t)));
	t->browser = b;
	t->kind = kind;
	copy_text(t->id, sizeof(t->id), id);
	copy_text(t->session, sizeof(t->session), session);
	copy_text(t->opener, sizeof(t->opener), cbor_get_utf8(arena, info, "openerId"));
	copy_text(t->parent, sizeof(t->parent), cbor_get_utf8(arena, info, "parentFrameId"));
	take_url(b, t, cbor_get_utf8(arena, info, "url"));
	set_text(&t->title, cbor_get_utf8(arena, info, "title"));
	t->hidden = parent ? parent->hidden : b->hiding;
	t->blank = parent && parent->blank;
	TAILQ_INSERT_TAIL(&b->targets, t, link);
	prepare(b, t);
	if (is_shown(t) && b->events->page_opened)
		b->events->page_opened(b->owner, t);
	cdp_send(b->cdp, t->session, "Runtime.runIfWaitingForDebugger");
	if (kind == TARGET_PAGE && b->first_page)
		wait_wake(b->first_page, 0);
}

/* Nothing that waits for this target will be answered any more. */
static void abandon(struct browser *b, struct target *t)
{
	struct event_wait *w;

	cdp_abandon(b->cdp, t->session);
	LIST_FOREACH (w, &b->waits, link)
		if (w->wait && strcmp(w->session, t->session) == 0)
			wait_wake(w->wait, -EPIPE);
}

static void forget(struct browser *b, struct target *t)
{
	if (!t)
		return;
	abandon(b, t);
	t->session[0] = '\0';
	if (b->events->dialog) /* the one it had open, be it a page or a frame, went with it */
		b->events->dialog(b->owner, t, NULL);
	if (is_shown(t) && b->events->page_closed)
		b->events->page_closed(b->owner, t);
	target_free(b, t);
}

static void changed(struct browser *b, struct target *t)
{
	if (is_shown(t) && b->events->page_changed)
		b->events->page_changed(b->owner, t);
}

static void note_origin(struct browser *b, const char *url)
{
	const char *host = strncmp(url, "https://", 8) == 0 ? url + 8 : strncmp(url, "http://", 7) == 0 ? url + 7 : NULL;
	size_t n = host ? (size_t)(host - url) + strcspn(host, "/?#") : 0;

	for (size_t i = 0; i < b->seen_count; i++)
		if (strlen(b->seen[i]) == n && strncmp(b->seen[i], url, n) == 0)
			return;
	if (n && b->seen_count < BROWSER_MOST_SEEN)
		b->seen[b->seen_count++] = browser_must(strndup(url, n));
}

static void on_info(struct browser *b, const struct cbor *info)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct target *t = browser_target_by_id(b, cbor_get_utf8(arena, info, "targetId"));

	if (!t)
		return;
	take_url(b, t, cbor_get_utf8(arena, info, "url"));
	set_text(&t->title, cbor_get_utf8(arena, info, "title"));
	if (is_shown(t))
		note_origin(b, t->url);
	changed(b, t);
}

static void on_crash(struct browser *b, struct target *t)
{
	if (!t || t->crashed)
		return;
	t->crashed = true;
	abandon(b, t);
	if (is_shown(t) && b->events->crashed)
		b->events->crashed(b->owner, t);
}

static void set_loading(struct browser *b, struct target *t, const struct cbor *params, bool loading)
{
	if (!t || !cbor_text_is(cbor_get(params, "frameId"), t->id) || t->loading == loading)
		return;
	t->loading = loading;
	changed(b, t);
}

/* The acknowledgement goes out before anything looks at the picture: Chromium stalls after three without one. */
static void on_frame(struct browser *b, struct target *t, const struct cbor *params)
{
	int64_t number = cbor_get_int(params, "sessionId", 0);

	if (!t)
		return;
	cdp_send(b->cdp, t->session, "Page.screencastFrameAck", CDP_INT("sessionId", number));
	if (b->events->frame)
		b->events->frame(b->owner, t, params);
}

static void wake_waits(struct browser *b, const char *session, const char *method)
{
	struct event_wait *w;

	LIST_FOREACH (w, &b->waits, link) {
		if (strcmp(w->session, session) != 0 || strcmp(w->method, method) != 0)
			continue;
		w->came = true;
		if (w->wait)
			wait_wake(w->wait, 0);
	}
}

static void on_target_event(struct browser *b, struct target *t, const char *method, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);

	if (strcmp(method, "Target.attachedToTarget") == 0)
		on_attached(b, t, params);
	else if (strcmp(method, "Target.detachedFromTarget") == 0)
		forget(b, browser_target_by_session(b, cbor_get_utf8(arena, params, "sessionId")));
	else if (strcmp(method, "Target.targetInfoChanged") == 0)
		on_info(b, cbor_get(params, "targetInfo"));
	else if (strcmp(method, "Target.targetCrashed") == 0)
		on_crash(b, browser_target_by_id(b, cbor_get_utf8(arena, params, "targetId")));
}

static void set_url(struct browser *b, struct target *t, const char *url)
{
	if (!url || strcmp(t->url, url) == 0)
		return;
	take_url(b, t, url);
	if (is_shown(t))
		note_origin(b, url);
	changed(b, t);
}

/*
 * A frame has got another document: what was asked of the old one is not answered any more. The address is taken from
 * here, for Target.targetInfoChanged may come much later.
 */
static void on_navigated(struct browser *b, struct target *t, const struct cbor *frame)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	char *id = cbor_get_utf8(arena, frame, "id"), *fragment = cbor_get_utf8(arena, frame, "urlFragment");
	char *url = cbor_get_utf8(arena, frame, "url");

	if (!id || !url)
		return;
	cdp_abandon_frame(b->cdp, id);
	if (t && strcmp(t->id, id) == 0)
		set_url(b, t, fragment ? arena_printf(arena, "%s%s", url, fragment) : url);
}

/* pushState() and the like: another address, the same document. */
static void on_moved(struct browser *b, struct target *t, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);

	if (t && cbor_text_is(cbor_get(params, "frameId"), t->id))
		set_url(b, t, cbor_get_utf8(arena, params, "url"));
}

static void on_page_event(struct browser *b, struct target *t, const char *method, const struct cbor *params)
{
	if (strcmp(method, "Page.frameNavigated") == 0)
		on_navigated(b, t, cbor_get(params, "frame"));
	else if (strcmp(method, "Page.navigatedWithinDocument") == 0)
		on_moved(b, t, params);
	else if (strcmp(method, "Page.frameStartedLoading") == 0)
		set_loading(b, t, params, true);
	else if (strcmp(method, "Page.frameStoppedLoading") == 0)
		set_loading(b, t, params, false);
	else if (strcmp(method, "Page.javascriptDialogOpening") == 0 && t && b->events->dialog)
		b->events->dialog(b->owner, t, params);
	else if (strcmp(method, "Page.javascriptDialogClosed") == 0 && t && b->events->dialog)
		b->events->dialog(b->owner, t, NULL);
	else if (strcmp(method, "Inspector.targetCrashed") == 0)
		on_crash(b, t);
	else if (strcmp(method, "Inspector.targetReloadedAfterCrash") == 0 && t)
		t->crashed = false;
	else if (strcmp(method, "Runtime.bindingCalled") == 0 && t && b->events->binding)
		b->events->binding(b->owner, t, params);
	else if (strcmp(method, "Fetch.requestPaused") == 0)
		blank_answer(b->blank, b->cdp, t ? t->session : "", params);
}

void targets_event(struct cdp *c, void *owner, const char *session, const char *method, const struct cbor *params)
{
	struct browser *b = owner;
	struct target *t = browser_target_by_session(b, session);

	(void)c;
	if (b->closing) /* nobody is told any more, and what they would be told of is about to go */
		return;
	if (strcmp(method, "Page.screencastFrame") == 0)
		on_frame(b, t, params);
	else if (strncmp(method, "Target.", 7) == 0)
		on_target_event(b, t, method, params);
	else
		on_page_event(b, t, method, params);
	wake_waits(b, session, method);
}

void targets_free(struct browser *b)
{
	struct target *t;

	while ((t = TAILQ_FIRST(&b->targets)))
		target_free(b, t);
}
