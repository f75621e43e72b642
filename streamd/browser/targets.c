#include "streamd/browser/browser_inside.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/host.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/origin.h"
#include "common/words.h"
#include "recipe/pattern.h"
#include "streamd/browser/device.h"
#include "streamd/browser/fetches.h"
#include "streamd/browser/loads.h"
#include "streamd/browser/page.h"
#include "streamd/browser/reload.h"
#include "streamd/browser/watch.h"

#define MOST_TITLE 1024
#define MOST_HOST  300 /* an origin's, with its port */

static void set_title(struct target *t, const char *text)
{
	char title[MOST_TITLE + 1];

	words_set(title, sizeof(title), "%s", text ? text : "");
	free(t->title);
	t->title = must(strdup(title));
}

static enum target_kind targets_kind_of(const struct cbor *type)
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
static bool may_be_shown(const struct url *address)
{
	static const char *const allowed[] = { "https://", "http://", "about:", "blob:", "data:", "chrome-error://" };

	const char *url = url_whole(address);

	for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++)
		if (strncmp(url, allowed[i], strlen(allowed[i])) == 0)
			return true;
	return !*url;
}

static void bar(struct browser *b, struct target *t)
{
	if (!b->barred) /* said once: a page can open windows without end */
		log_warning("a page of the browser went to %s and is closed, as are others that do", url_shown(t->url));
	t->barred = b->barred = true;
	cdp_send(b->cdp, "", "Target.closeTarget", CDP_TEXT("targetId", t->id));
}

/* Takes url over. */
static void take_url(struct browser *b, struct target *t, struct url *url)
{
	url_free(t->url);
	t->url = url;
	if (t->kind == TARGET_PAGE && !t->barred && !may_be_shown(t->url))
		bar(b, t);
}

static void target_free(struct browser *b, struct target *t)
{
	TAILQ_REMOVE(&b->targets, t, link);
	fetches_forget(t, NULL);
	url_free(t->url);
	url_free(t->pending);
	url_free(t->failed);
	free(t->title);
	free(t);
}

/* What every page and frame gets before its first script runs; nothing here is waited for. */
static void targets_prepare(struct browser *b, struct target *t)
{
	cdp_send(b->cdp, t->session, "Target.setAutoAttach", CDP_BOOL("autoAttach", true),
		CDP_BOOL("waitForDebuggerOnStart", true), CDP_BOOL("flatten", true));
	cdp_send(b->cdp, t->session, "Page.enable");
	cdp_send(b->cdp, t->session, "Inspector.enable");
	/* Else a page that focuses a field shows neither ring nor caret until the first input. */
	if (t->kind == TARGET_PAGE)
		cdp_send(b->cdp, t->session, "Emulation.setFocusEmulationEnabled", CDP_BOOL("enabled", true));
	device_prepare(b->cdp, t->session);
	if (b->events->binding)
		watch_prepare(b->cdp, t->session);
	if (b->environment.locale)
		cdp_send(b->cdp, t->session, "Emulation.setLocaleOverride",
			CDP_TEXT("locale", b->environment.locale));
	cdp_send(b->cdp, t->session, "Network.enableDeviceBoundSessions", CDP_BOOL("enable", true));
	if (b->hears)
		target_hear_answers(b, t);
	if (b->events->file_wanted && t->kind == TARGET_PAGE)
		cdp_send(b->cdp, t->session, "Page.setInterceptFileChooserDialog", CDP_BOOL("enabled", true));
	if (t->blank || loads_ask_passwords(b))
		target_set_fetch(b, t);
}

/* Whether it could be spoken to: what a page's own process says is hostile, and only the browser's own session has pages. */
static bool may_attach(struct browser *b, const struct target *parent, const struct target *t)
{
	if (!t->session[0] || !t->id[0] || browser_target_by_session(b, t->session) || browser_target_by_id(b, t->id))
		return false;
	return !parent || t->kind != TARGET_PAGE;
}

/* A page that opens windows or frames without end: its windows are closed, its frames run unseen. */
static bool is_too_many(struct browser *b, const struct target *t)
{
	const struct target *each;
	size_t n = 0;

	TAILQ_FOREACH (each, &b->targets, link)
		n++;
	if (n < BROWSER_MOST_TARGETS || (t->hidden && t->kind == TARGET_PAGE))
		return false;
	if (!b->storm)
		log_warning("a page has more than %d windows and frames open; further ones are not followed", BROWSER_MOST_TARGETS);
	b->storm = true;
	if (t->kind == TARGET_PAGE)
		cdp_send(b->cdp, "", "Target.closeTarget", CDP_TEXT("targetId", t->id));
	else
		cdp_send(b->cdp, t->session, "Runtime.runIfWaitingForDebugger");
	return true;
}

/* A tab of ours is opened by nobody. */
static struct target read_target(struct browser *b, const struct target *parent, const struct cbor *params)
{
	const struct cbor *info = cbor_get(params, "targetInfo");
	struct target t = { .browser = b, .kind = targets_kind_of(cbor_get(info, "type")), .holder = parent ? parent->number : 0 };

	cdp_id(info, "targetId", t.id);
	cdp_id(params, "sessionId", t.session);
	cdp_id(info, "openerId", t.opener);
	cdp_id(info, "parentFrameId", t.parent);
	t.hidden = parent ? parent->hidden : b->hiding && !cbor_get(info, "openerId");
	t.blank = parent && parent->blank;
	return t;
}

static struct target *keep_target(struct browser *b, const struct target *read, const struct cbor *info)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct target *t = must(calloc(1, sizeof(*t)));

	*t = *read;
	t->number = ++b->last_target;
	TAILQ_INSERT_TAIL(&b->targets, t, link);
	set_title(t, cbor_get_utf8(arena, info, "title"));
	take_url(b, t, url_new(cbor_get_utf8(arena, info, "url")));
	return t;
}

/* page may be NULL. */
static void set_front(struct browser *b, struct target *page)
{
	b->front = page ? page->number : 0;
	if (b->events->front_changed)
		b->events->front_changed(b->owner, page);
}

/* A page behind another is painted by nobody until Chromium has it in front, too. */
void browser_bring_to_front(struct target *page)
{
	cdp_send(page->browser->cdp, page->session, "Page.bringToFront");
	set_front(page->browser, page);
}

/* To whoever opened the page that is closed, or whatever is there. */
static void go_back(struct browser *b, const struct target *closed)
{
	struct target *back = browser_target_by_id(b, closed->opener);

	if (!back || !back->session[0])
		back = browser_page(b);
	if (back)
		browser_bring_to_front(back);
	else
		set_front(b, NULL);
}

static void on_attached(struct browser *b, const struct target *parent, const struct cbor *params)
{
	struct target read = read_target(b, parent, params), *t;

	if (!may_attach(b, parent, &read))
		return;
	if (read.kind == TARGET_OTHER) { /* a worker: paused for ever unless somebody lets it run */
		cdp_send(b->cdp, read.session, "Runtime.runIfWaitingForDebugger");
		return;
	}
	if (is_too_many(b, &read))
		return;
	t = keep_target(b, &read, cbor_get(params, "targetInfo"));
	targets_prepare(b, t);
	if (is_shown(t))
		set_front(b, t);
	cdp_send(b->cdp, t->session, "Runtime.runIfWaitingForDebugger");
	if (t->kind == TARGET_PAGE)
		latch_wake(&b->first_page, 0);
}

/* Nothing that waits for this target will be answered any more. */
static void abandon(struct browser *b, struct target *t)
{
	struct event_wait *w;

	cdp_abandon(b->cdp, t->session);
	latch_wake(&b->fetched, 0);
	LIST_FOREACH (w, &b->waits, link)
		if (strcmp(w->session, t->session) == 0)
			latch_wake(&w->latch, -EPIPE);
}

static struct target *held_by(struct browser *b, const struct target *holder)
{
	struct target *t;

	TAILQ_FOREACH (t, &b->targets, link)
		if (t->holder == holder->number)
			return t;
	return NULL;
}

/* And those that its session spoke of, of which nothing is heard any more. */
static void targets_forget(struct browser *b, struct target *t)
{
	struct target *held;

	if (!t)
		return;
	while ((held = held_by(b, t)))
		targets_forget(b, held);
	abandon(b, t);
	t->session[0] = '\0';
	if (b->events->dialog) /* the one it had open, be it a page or a frame, went with it */
		b->events->dialog(b->owner, t, NULL);
	if (b->front == t->number)
		go_back(b, t);
	if (is_shown(t) && b->events->page_closed)
		b->events->page_closed(b->owner, t);
	target_free(b, t);
}

static void changed(struct browser *b, struct target *t)
{
	if (is_shown(t) && b->events->page_changed)
		b->events->page_changed(b->owner, t);
}

/* "" for what has none that is a web page's. */
static void targets_origin_of(const char *url, char origin[MOST_HOST + 1])
{
	size_t n, scheme = strncmp(url, "https://", 8) == 0 ? 8 : 7;
	const char *host = host_in_url(url, &n);

	*origin = '\0';
	if (n == 0 || scheme + n > MOST_HOST)
		return;
	memcpy(origin, url, scheme);
	memcpy(origin + scheme, host, n);
	origin[scheme + n] = '\0';
	if (origin_check(origin))
		*origin = '\0';
}

static void note_origin(struct browser *b, const struct url *address)
{
	char origin[MOST_HOST + 1];

	targets_origin_of(url_whole(address), origin);
	if (!*origin)
		return;
	for (size_t i = 0; i < b->seen_count; i++)
		if (strcmp(b->seen[i], origin) == 0)
			return;
	if (b->seen_count < BROWSER_MOST_SEEN)
		b->seen[b->seen_count++] = arena_strdup(b->arena, origin);
	else
		b->seen_more = true;
}

/*
 * A session speaks of the targets that it holds alone, for the process behind a page's may say anything; the browser's own
 * (NULL), which no page's process writes to, of all. NULL if it may not.
 */
static struct target *spoken_of(const struct target *by, struct target *t)
{
	return t && (!by || t->holder == by->number) ? t : NULL;
}

static void on_info(struct browser *b, const struct target *by, const struct cbor *info)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct target *t = spoken_of(by, browser_target_by_id(b, cbor_get_utf8(arena, info, "targetId")));

	if (!t)
		return;
	take_url(b, t, url_new(cbor_get_utf8(arena, info, "url")));
	set_title(t, cbor_get_utf8(arena, info, "title"));
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
static void on_targets_frame(struct browser *b, struct target *t, const struct cbor *params)
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
		latch_wake(&w->latch, 0);
	}
}

static void on_target_event(struct browser *b, struct target *t, const char *method, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);

	if (strcmp(method, "Target.attachedToTarget") == 0)
		on_attached(b, t, params);
	else if (strcmp(method, "Target.detachedFromTarget") == 0)
		targets_forget(b, spoken_of(t, browser_target_by_session(b, cbor_get_utf8(arena, params, "sessionId"))));
	else if (strcmp(method, "Target.targetInfoChanged") == 0)
		on_info(b, t, cbor_get(params, "targetInfo"));
	else if (strcmp(method, "Target.targetCrashed") == 0)
		on_crash(b, spoken_of(t, browser_target_by_id(b, cbor_get_utf8(arena, params, "targetId"))));
}

static void set_url(struct browser *b, struct target *t, const char *text)
{
	struct url *url;

	if (!text)
		return;
	url = url_new(text);
	if (url_equal(t->url, url)) {
		url_free(url);
		return;
	}
	take_url(b, t, url);
	if (is_shown(t))
		note_origin(b, t->url);
	changed(b, t);
}

static void on_load_failed(struct target *t, const struct cbor *params)
{
	const struct cbor *request = cbor_get(params, "requestId");

	if (t->coming.loader[0] && cbor_text_is(request, t->coming.loader))
		answer_fail(&t->coming, params);
	if (t->answer.loader[0] && cbor_text_is(request, t->answer.loader))
		answer_fail(&t->answer, params);
}

/* https://www.w3.org/TR/dbsc/: what has a key of this device cannot be used by another browser. */
static void on_bound(struct browser *b, const struct cbor *sessions)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);

	for (const struct cbor *v = cbor_first(sessions); v; v = cbor_next(v)) {
		const char *site = words_new(arena, 256, "%s", cbor_get_utf8(arena, cbor_get(v, "key"), "site") ?: "a site");
		bool known = b->bound_count == BROWSER_MOST_BOUND;
		for (size_t i = 0; i < b->bound_count; i++)
			known |= strcmp(b->bound[i], site) == 0;
		if (!known)
			exact_must(b->bound[b->bound_count++], sizeof(b->bound[0]), "%s", site);
	}
}

/* A browser's own question whether the page may ask (Preflight) is no answer to the page. */
static void note_request(struct request_watch *w, const struct target *t, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_secret(0);
	const char *url = cbor_get_utf8(arena, cbor_get(params, "response"), "url");

	for (size_t i = 0; url && i < w->count && !cbor_text_is(cbor_get(params, "type"), "Preflight"); i++) {
		if (!url_match(w->patterns[i], url))
			continue;
		answer_read(&w->seen[i].answer, params);
		w->seen[i].at = loop_now();
		exact_must(w->seen[i].session, sizeof(w->seen[i].session), "%s", t->session);
		if (!cdp_id(params, "requestId", w->seen[i].request))
			w->seen[i].request[0] = '\0';
	}
}

/* What becomes of the load of a page's own document. */
static void on_network(struct target *t, const char *method, const struct cbor *params)
{
	struct request_watch *w = t->browser->requests;
	bool begins = strcmp(method, "Network.requestWillBeSent") == 0;

	fetches_note(t, method, params);
	if (strcmp(method, "Network.loadingFailed") == 0)
		on_load_failed(t, params);
	if (!begins && strcmp(method, "Network.responseReceived") != 0)
		return;
	if (w && !begins && t->hidden == w->hidden)
		note_request(w, t, params);
	if (!cbor_text_is(cbor_get(params, "frameId"), t->id) || !cbor_text_is(cbor_get(params, "type"), "Document"))
		return;
	t->coming = (struct answer){ 0 };
	cdp_id(params, "loaderId", t->coming.loader);
	if (!begins)
		answer_read(&t->coming, params);
}

/* The document is there; what was answered to another one says nothing of it. */
static void targets_take_answer(struct target *t, const char *loader)
{
	bool own = loader && *loader && strcmp(loader, t->coming.loader) == 0;

	t->answer = own ? t->coming : (struct answer){ 0 };
}

void target_set_title(struct target *page, const char *title)
{
	set_title(page, title);
	changed(page->browser, page);
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
	/* A frame that has got a process of its own is asked there from now on: its target, which has its id, says so. */
	cdp_abandon_frame(b->cdp, t && strcmp(t->id, id) != 0 ? t->session : NULL, id);
	if (t && strcmp(t->id, id) != 0)
		fetches_forget(t, id);
	if (!t || strcmp(t->id, id) != 0)
		return;
	targets_take_answer(t, cbor_get_utf8(arena, frame, "loaderId"));
	loads_landed(t, cbor_get_utf8(arena, frame, "unreachableUrl"));
	fetches_forget(t, NULL); /* the old document's */
	set_url(b, t, fragment ? arena_printf(arena, "%s%s", url, fragment) : url);
}

/* pushState() and the like: another address, the same document. */
static void on_moved(struct browser *b, struct target *t, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);

	if (t && cbor_text_is(cbor_get(params, "frameId"), t->id))
		set_url(b, t, cbor_get_utf8(arena, params, "url"));
}

static void on_detached(struct target *t, const struct cbor *params)
{
	char frame[CDP_ID];

	if (t && cdp_id(params, "frameId", frame))
		fetches_forget(t, frame);
}

static void on_page_event(struct browser *b, struct target *t, const char *method, const struct cbor *params)
{
	if (strcmp(method, "Network.deviceBoundSessionsAdded") == 0)
		on_bound(b, cbor_get(params, "sessions"));
	else if (strncmp(method, "Network.", 8) == 0 && t)
		on_network(t, method, params);
	else if (strcmp(method, "Page.frameNavigated") == 0)
		on_navigated(b, t, cbor_get(params, "frame"));
	else if (strcmp(method, "Page.frameDetached") == 0)
		on_detached(t, params);
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
	else if (t && reload_event(t, method, params))
		return;
	else if (strcmp(method, "Fetch.requestPaused") == 0 && t)
		blank_answer(b->blank, b->cdp, t->session, params);
}

void targets_event(struct cdp *, void *owner, const char *session, const char *method, const struct cbor *params)
{
	struct browser *b = owner;
	struct target *t = browser_target_by_session(b, session);

	if (b->closing) /* nobody is told any more, and what they would be told of is about to go */
		return;
	if (b->act && act_event(b->act, session, method, params))
		return;
	if (*session && !t) /* a worker's, or one that was not followed */
		return;
	if (strcmp(method, "Page.screencastFrame") == 0)
		on_targets_frame(b, t, params);
	else if (strncmp(method, "Target.", 7) == 0)
		on_target_event(b, t, method, params);
	else {
		loads_event(b, t, method, params);
		on_page_event(b, t, method, params);
	}
	wake_waits(b, session, method);
}

void targets_free(struct browser *b)
{
	struct target *t;

	while ((t = TAILQ_FIRST(&b->targets)))
		target_free(b, t);
}
