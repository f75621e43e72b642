#include "streamd/screen/screen.h"

#include <stdlib.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "common/must.h"
#include "proto/viewer.h"
#include "streamd/screen/dialogs.h"
#include "streamd/screen/hands.h"
#include "streamd/screen/menu.h"
#include "streamd/screen/notes.h"
#include "streamd/screen/screencast.h"
#include "streamd/screen/tabs.h"
#include "streamd/screen/target_info.h"

void screen_tell(void *screen, const struct method *event, const void *fields)
{
	struct screen *s = screen;

	viewers_tell(&s->viewers, event, fields);
}

static void screen_show(void *owner, struct picture *p)
{
	viewers_show(&((struct screen *)owner)->viewers, p);
}

static struct viewer *screen_find_viewer(const struct screen *s, uint64_t id)
{
	struct viewer *v;

	LIST_FOREACH (v, &s->viewers, link)
		if (v->id == id)
			return v;
	return NULL;
}

/* What was said a moment ago has its turn. */
static void screen_let_go(void *owner, const struct said *said)
{
	struct viewer *v = screen_find_viewer(owner, said->viewer);
	const char *why;

	if (v && viewer_carry_out(v, said, &why) < 0)
		edge_close(v->edge, v->id, EDGE_CLOSE_POLICY, why);
}

struct screen *screen_new(const struct recipe *recipe, int quality, const struct screen_owner *does, void *owner)
{
	struct screen *s = must(calloc(1, sizeof(*s)));

	s->does = does;
	s->owner = owner;
	s->recipe = recipe;
	LIST_INIT(&s->viewers);
	s->dialogs = dialogs_new(screen_tell, s);
	s->hands = hands_new(screen_let_go, s);
	s->notes = notes_new(screen_tell, s);
	s->screencast = screencast_new(quality, screen_show, s);
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

void screen_viewers_changed(struct screen *s)
{
	screencast_set_on(s->screencast, viewers_look(&s->viewers));
	if (s->does->seen)
		s->does->seen(s->owner);
}

void screen_happened(struct screen *s)
{
	if (s->does->happened)
		s->does->happened(s->owner);
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
