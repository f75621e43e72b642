#include "streamd/screen/screen.h"

#include <stdlib.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "common/must.h"
#include "proto/viewer.h"
#include "recipe/recipe.h"
#include "streamd/browser/blank.h"
#include "streamd/screen/dialogs.h"
#include "streamd/screen/hands.h"
#include "streamd/screen/input.h"
#include "streamd/screen/menu.h"
#include "streamd/screen/notes.h"
#include "streamd/screen/screencast.h"
#include "streamd/screen/tabs.h"
#include "streamd/screen/target_info.h"
#include "streamd/screen/trouble.h"
#include "streamd/screen/wants.h"

#define MOST_POPUPS 16 /* windows that opened each other, as far as they are followed back */

void screen_tell(struct screen *s, const struct method *event, const void *fields)
{
	viewers_tell(&s->viewers, event, fields);
}

static void on_dialog_shown(void *owner, const struct dialog_opened_event *event)
{
	screen_tell(owner, &method_dialog_opened, event);
}

static void on_dialog_gone(void *owner, const struct dialog_closed_event *event)
{
	screen_tell(owner, &method_dialog_closed, event);
}

static const struct dialog_listener dialog_listener = { on_dialog_shown, on_dialog_gone };

static void on_note_shown(void *owner, const struct note_shown_event *event)
{
	screen_tell(owner, &method_note_shown, event);
}

static void on_note_gone(void *owner, const struct note_gone_event *event)
{
	screen_tell(owner, &method_note_gone, event);
}

static const struct note_listener note_listener = { on_note_shown, on_note_gone };

static void on_menu_opened(void *owner, const struct menu_opened_event *event)
{
	screen_tell(owner, &method_menu_opened, event);
}

static void on_menu_closed(void *owner, const struct menu_closed_event *event)
{
	screen_tell(owner, &method_menu_closed, event);
}

static const struct menu_listener menu_listener = { on_menu_opened, on_menu_closed };

static void show(void *owner, struct picture *p)
{
	viewers_show(&((struct screen *)owner)->viewers, p);
}

struct screen *screen_new(const struct recipe *recipe, int quality, const struct screen_owner *does, void *owner)
{
	struct screen *s = must(calloc(1, sizeof(*s)));

	s->does = does;
	s->owner = owner;
	s->recipe = recipe;
	LIST_INIT(&s->viewers);
	s->dialogs = dialogs_new(&dialog_listener, s);
	s->hands = hands_new(input_let_go, s);
	s->notes = notes_new(&note_listener, s);
	s->screencast = screencast_new(quality, show, s);
	return s;
}

void screen_end(struct screen *s, const char *why)
{
	struct viewer *v;

	s->over = why;
	LIST_FOREACH (v, &s->viewers, link)
		edge_close(v->edge, v->id, EDGE_CLOSE_ENDED, why);
}

struct screen *screen_free(struct screen *s)
{
	struct viewer *v;

	if (!s)
		return NULL;
	while ((v = LIST_FIRST(&s->viewers))) { /* their connections are closing, or have more to send */
		LIST_REMOVE(v, link);
		v->screen = NULL;
	}
	screencast_free(s->screencast);
	dialogs_free(s->dialogs);
	hands_free(s->hands);
	notes_free(s->notes);
	free(s);
	return NULL;
}

void screen_set_size(struct screen *s, int width, int height)
{
	s->width = width;
	s->height = height;
	screencast_set_size(s->screencast, width, height);
}

static void on_opened(void *owner, struct browser *b)
{
	struct screen *s = owner;

	s->browser = b;
	screencast_set_page(s->screencast, target_ref_of(browser_front(b)));
}

static void on_driven_opened(void *owner, struct browser *b)
{
	struct screen *s = owner;

	s->menus = menus_new(&menu_listener, s);
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

void screen_viewers_changed(struct screen *s)
{
	screencast_set_on(s->screencast, viewers_look(&s->viewers));
	if (s->does->seen)
		s->does->seen(s->owner);
}

void screen_used(struct viewer *v)
{
	struct screen *s = v->screen;

	s->control = v->id;
	s->acted = loop_now();
	if (s->does->used)
		s->does->used(s->owner);
}

static void tell_note(void *arg, const struct note_shown_event *event)
{
	viewer_tell(arg, &method_note_shown, event);
}

/* What lies over the page, or beside it. */
static void greet_around(struct viewer *v, struct arena *arena)
{
	struct screen *s = v->screen;
	struct tabs_changed_event tabs;
	struct keyboard_wanted_event keyboard = { .wanted = s->typing };
	const struct dialog_opened_event *dialog = dialogs_shown(s->dialogs);
	const struct menu_opened_event *menu = s->menus ? menus_open(s->menus) : NULL;

	tabs_describe(s->browser, arena, &tabs);
	viewer_tell(v, &method_tabs_changed, &tabs);
	viewer_tell(v, &method_keyboard_wanted, &keyboard);
	notes_tell(s->notes, tell_note, v);
	if (dialog)
		viewer_tell(v, &method_dialog_opened, dialog);
	if (menu)
		viewer_tell(v, &method_menu_opened, menu);
}

void screen_greet(struct viewer *v)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct screen *s = v->screen;
	const struct target *front = s->browser ? browser_front(s->browser) : NULL;
	struct page_changed_event page;

	if (s->does->greet)
		s->does->greet(s->owner, v);
	if (front) {
		target_describe(front, arena, &page);
		viewer_tell(v, &method_page_changed, &page);
	}
	if (s->browser)
		greet_around(v, arena);
	if (screencast_last(s->screencast))
		edge_send_picture(v->edge, v->id, screencast_last(s->screencast));
}

static void happened(struct screen *s)
{
	if (s->does->happened)
		s->does->happened(s->owner);
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

void screen_tell_tabs(struct screen *s)
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
	screen_tell_tabs(s);
	happened(s);
	if (!page)
		lost(s, "The site closed its last window.");
}

static void on_page_closed(void *owner, struct target *page)
{
	(void)page;
	screen_tell_tabs(owner);
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

static void on_page_changed(void *owner, struct target *page)
{
	struct screen *s = owner;

	if (is_in_front(s, page) && !s->ending)
		on_front_page_changed(s, page);
	if (s->does->page_changed)
		s->does->page_changed(s->owner, page);
	screen_tell_tabs(s);
	happened(s);
}

/* While a session is put into the browser there is nothing of the site's to see. */
static void on_frame(void *owner, struct target *page, const struct cbor *params)
{
	if (!blank_is_at(url_whole(page->url)))
		screencast_frame(((struct screen *)owner)->screencast, page, params);
}

static void on_dialog(void *owner, struct target *page, const struct cbor *params)
{
	struct screen *s = owner;

	if (!params && !page->session[0])
		dialogs_leave(s->dialogs, page, true);
	else if (!params)
		dialogs_remove(s->dialogs, page);
	else if (s->unattended)
		dialog_put_away(page, params, s->said, sizeof(s->said));
	else if (!s->ending)
		dialogs_add(s->dialogs, page, params);
	happened(s);
}

/* Whether the person looks at it, or at a popup that it opened and will go back to it. */
static bool is_wanted(struct screen *s, const struct target *page)
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

	if (!s->browser || is_wanted(s, page))
		lost(s, "The page crashed.");
	else
		cdp_send(browser_cdp(s->browser), "", "Target.closeTarget", CDP_TEXT("targetId", page->id));
}

static void on_ended(void *owner, const char *why)
{
	lost(owner, why);
}

static void on_host_refused(void *owner, const char *host, const char *why)
{
	struct screen *s = owner;

	(void)why;
	if (s->does->host_refused)
		s->does->host_refused(s->owner, host);
}

const struct browser_events screen_driven_events = {
	.opened = on_driven_opened,
	.closing = on_closing,
	.front_changed = on_front_changed,
	.page_closed = on_page_closed,
	.page_changed = on_page_changed,
	.frame = on_frame,
	.dialog = on_dialog,
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
	.page_changed = on_page_changed,
	.frame = on_frame,
	.dialog = on_dialog,
	.host_refused = on_host_refused,
	.acts = true,
};
