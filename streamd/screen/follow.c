/* How a screen follows its browser: what that tells, and what viewers and the owner make of it. */
#include "common/cleanup.h"
#include "proto/viewer.h"
#include "recipe/recipe.h"
#include "streamd/browser/blank.h"
#include "streamd/screen/dialogs.h"
#include "streamd/screen/hands.h"
#include "streamd/screen/menu.h"
#include "streamd/screen/screen.h"
#include "streamd/screen/screencast.h"
#include "streamd/screen/tabs.h"
#include "streamd/screen/target_info.h"
#include "streamd/screen/trouble.h"
#include "streamd/screen/wants.h"

#define MOST_POPUPS 16 /* windows that opened each other, as far as they are followed back */

static void on_opened(void *owner, struct browser *b)
{
	struct screen *s = owner;

	s->browser = b;
	screencast_set_page(s->screencast, target_ref_of(browser_front(b)));
}

static void on_driven_opened(void *owner, struct browser *b)
{
	struct screen *s = owner;

	s->menus = menus_new(screen_tell, s);
	s->trouble = trouble_new(s->notes, s->recipe->title);
	on_opened(s, b);
}

static void on_closing(void *owner)
{
	struct screen *s = owner;

	s->ending = true;
	screencast_set_page(s->screencast, NO_TARGET);
	dialogs_clear(s->dialogs);
	hands_drop(s->hands);
	s->menus = menus_free(s->menus);
	s->trouble = trouble_free(s->trouble);
	s->browser = NULL;
}

static void lost(struct screen *s, const char *why)
{
	if (s->does->lost)
		s->does->lost(s->owner, why);
}

static void tell_page(struct screen *s, const struct target *page)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct page_changed_event event;

	if (LIST_EMPTY(&s->viewers))
		return;
	target_describe(page, arena, &event);
	screen_tell(s, &method_page_changed, &event);
}

/* Which tabs there are, if there is something to choose between. */
static void tell_tabs(struct screen *s)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct tabs_changed_event event;

	if (!s->browser || s->ending)
		return;
	tabs_describe(s->browser, arena, &event);
	if (event.tabs_count <= 1 && s->tabs_told <= 1) /* nothing to choose between, as ever */
		return;
	s->tabs_told = event.tabs_count;
	screen_tell(s, &method_tabs_changed, &event);
}

/* A popup, the identity provider's often: it is what the person must see now. Or what they go back to. */
static void on_front_changed(void *owner, struct target *page)
{
	struct screen *s = owner;

	if (!s->browser || s->ending) /* what comes while the browser is being ended is gone in a moment */
		return;
	screencast_set_page(s->screencast, target_ref_of(page));
	if (s->menus)
		menus_close(s->menus);
	if (s->trouble)
		trouble_navigating(s->trouble, page);
	if (page)
		tell_page(s, page);
	tell_tabs(s);
	screen_happened(s);
	if (!page)
		lost(s, "The site closed its last window.");
}

static void on_page_closed(void *owner, struct target *)
{
	tell_tabs(owner);
}

static bool is_in_front(const struct screen *s, const struct target *page)
{
	return s->browser && browser_front(s->browser) == page;
}

static void on_front_page_changed(struct screen *s, struct target *page)
{
	if (page->loading && s->menus)
		menus_close(s->menus);
	/* Chromium may keep the last picture of a document to itself; one is asked for once it stands. */
	if (s->loading && !page->loading)
		screencast_refresh(s->screencast);
	s->loading = page->loading;
	tell_page(s, page);
	if (s->trouble)
		trouble_changed(s->trouble, page);
}

static void on_follow_page_changed(void *owner, struct target *page)
{
	struct screen *s = owner;

	if (is_in_front(s, page) && !s->ending)
		on_front_page_changed(s, page);
	if (s->does->page_changed)
		s->does->page_changed(s->owner, page);
	tell_tabs(s);
	screen_happened(s);
}

/* While a session is put into the browser there is nothing of the site's to see. */
static void on_follow_frame(void *owner, struct target *page, const struct cbor *params)
{
	if (!blank_is_at(url_whole(page->url)))
		screencast_frame(((struct screen *)owner)->screencast, page, params);
}

static void on_follow_dialog(void *owner, struct target *page, const struct cbor *params)
{
	struct screen *s = owner;

	if (!params)
		dialogs_remove(s->dialogs, page, true, !page->session[0]);
	else if (s->unattended)
		dialog_put_away(page, params, s->said, sizeof(s->said));
	else if (!s->ending)
		dialogs_add(s->dialogs, page, params);
	screen_happened(s);
}

/* Whether the person looks at it, or at a popup that it opened and will go back to it. */
static bool follow_is_wanted(struct screen *s, const struct target *page)
{
	const struct target *t = browser_front(s->browser);

	for (int depth = 0; t && depth < MOST_POPUPS; depth++) {
		if (t == page)
			return true;
		t = browser_target_by_id(s->browser, t->opener);
	}
	return false;
}

static void on_crashed(void *owner, struct target *page)
{
	struct screen *s = owner;

	if (!s->browser || follow_is_wanted(s, page))
		lost(s, "The page crashed.");
	else
		cdp_send(browser_cdp(s->browser), "", "Target.closeTarget", CDP_TEXT("targetId", page->id));
}

static void on_ended(void *owner, const char *why)
{
	lost(owner, why);
}

static void on_follow_host_refused(void *owner, const char *host, const char *)
{
	struct screen *s = owner;

	if (s->does->host_refused)
		s->does->host_refused(s->owner, host);
}

const struct browser_events screen_driven_events = {
	.opened = on_driven_opened,
	.closing = on_closing,
	.front_changed = on_front_changed,
	.page_closed = on_page_closed,
	.page_changed = on_follow_page_changed,
	.frame = on_follow_frame,
	.dialog = on_follow_dialog,
	.navigating = wants_navigating,
	.password = wants_password,
	.app_refused = wants_app,
	.download = wants_download,
	.file_wanted = wants_file,
	.binding = wants_binding,
	.crashed = on_crashed,
	.host_refused = wants_host,
	.host_unreached = wants_lost_host,
	.ended = on_ended,
};

/* A crash is for whoever takes the next step there to say. */
const struct browser_events screen_watched_events = {
	.opened = on_opened,
	.closing = on_closing,
	.front_changed = on_front_changed,
	.page_closed = on_page_closed,
	.page_changed = on_follow_page_changed,
	.frame = on_follow_frame,
	.dialog = on_follow_dialog,
	.host_refused = on_follow_host_refused,
	.acts = true,
};
