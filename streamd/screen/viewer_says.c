#include "streamd/screen/viewer_says.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/keys.h"
#include "common/loop.h"
#include "common/words.h"
#include "proto/field.h"
#include "proto/server.h"
#include "streamd/browser/reload.h"
#include "streamd/handlers.h"
#include "streamd/screen/dialogs.h"
#include "streamd/screen/hands.h"
#include "streamd/screen/menu.h"
#include "streamd/screen/notes.h"
#include "streamd/screen/screen.h"
#include "streamd/screen/screencast.h"
#include "streamd/screen/tabs.h"

#define CONTROL 2

static struct viewer *viewer_of(struct call *call)
{
	return call->front;
}

/* The session that input goes to, or NULL while there is no page, or the page must not be touched. */
static const char *viewer_session_of(struct call *call)
{
	struct screen *s = viewer_of(call)->screen;
	const struct target *page = s->browser ? browser_front(s->browser) : NULL;

	screen_used(viewer_of(call));
	return page && s->driven ? page->session : NULL;
}

static struct cdp *cdp_of(struct call *call)
{
	return browser_cdp(viewer_of(call)->screen->browser);
}

int frame_ack(struct call *call, const struct frame_ack_params *p, struct frame_ack_result *)
{
	struct viewer *v = viewer_of(call);

	edge_picture_acked(v->edge, v->id, (uint32_t)p->seq);
	return 0;
}

/* A move while a button is held drags with it: to Chromium that takes its name, not its bit alone. */
static const char *button_of(const struct mouse_event_params *p)
{
	if (p->button && strcmp(p->button, "none") != 0)
		return p->button;
	if (strcmp(p->type, "move") != 0)
		return "none";
	return p->buttons & 1 ? "left" : p->buttons & 2 ? "right" : p->buttons & 4 ? "middle" : "none";
}

int mouse_event(struct call *call, const struct mouse_event_params *p, struct mouse_event_result *)
{
	struct screen *s = viewer_of(call)->screen;
	const char *session = viewer_session_of(call);
	const char *type = strcmp(p->type, "press") == 0 ? "mousePressed" :
		strcmp(p->type, "release") == 0	   ? "mouseReleased" :
						     "mouseMoved";

	const struct cdp_arg args[] = { CDP_TEXT("type", type), CDP_REAL("x", p->x), CDP_REAL("y", p->y),
		CDP_TEXT("button", button_of(p)), CDP_INT("buttons", p->buttons), CDP_INT("clickCount", p->clicks),
		CDP_INT("modifiers", p->modifiers), { 0 } };

	if (session && strcmp(p->type, "press") == 0)
		hands_press(s->hands, browser_front(s->browser), args);
	else if (session && strcmp(p->type, "move") == 0 && p->buttons)
		hands_drag(s->hands, browser_front(s->browser), args);
	else if (session)
		cdp_send_args(cdp_of(call), session, "Input.dispatchMouseEvent", args);
	return 0;
}

int wheel_event(struct call *call, const struct wheel_event_params *p, struct wheel_event_result *)
{
	const char *session = viewer_session_of(call);

	if (session)
		cdp_send(cdp_of(call), session, "Input.dispatchMouseEvent", CDP_TEXT("type", "mouseWheel"),
			CDP_REAL("x", p->x), CDP_REAL("y", p->y), CDP_REAL("deltaX", p->dx), CDP_REAL("deltaY", p->dy),
			CDP_INT("modifiers", p->modifiers));
	return 0;
}

int key_event(struct call *call, const struct key_event_params *p, struct key_event_result *)
{
	const char *session = viewer_session_of(call), *command;
	bool down = strcmp(p->type, "down") == 0;
	bool types = down && p->text && !(p->modifiers & CONTROL);

	if (!session || !key_may_pass(p->vk, p->modifiers))
		return 0;
	command = down ? key_editing_command(p->code, p->modifiers) : NULL;
	if (command && (strcmp(command, "copy") == 0 || strcmp(command, "cut") == 0))
		viewer_of(call)->screen->copied = loop_now();
	const struct cdp_arg args[] = { CDP_TEXT("type", !down ? "keyUp" : types ? "keyDown" : "rawKeyDown"),
		CDP_TEXT("key", p->key), CDP_TEXT("code", p->code), CDP_INT("windowsVirtualKeyCode", p->vk),
		CDP_INT("nativeVirtualKeyCode", p->vk), CDP_INT("modifiers", p->modifiers),
		CDP_INT("location", p->location), CDP_BOOL("autoRepeat", p->repeat),
		CDP_TEXT("text", types ? p->text : NULL), CDP_TEXT("unmodifiedText", types ? p->text : NULL),
		command ? (struct cdp_arg)CDP_LIST("commands", CDP_TEXT(NULL, command)) : (struct cdp_arg){ 0 }, { 0 } };
	cdp_send_args(cdp_of(call), session, "Input.dispatchKeyEvent", args);
	return 0;
}

int text_insert(struct call *call, const struct text_insert_params *p, struct text_insert_result *)
{
	const char *session = viewer_session_of(call);

	if (session)
		cdp_send(cdp_of(call), session, "Input.insertText", CDP_TEXT("text", p->text));
	return 0;
}

int option_choose(struct call *call, const struct option_choose_params *p, struct option_choose_result *)
{
	struct screen *s = viewer_of(call)->screen;

	screen_used(viewer_of(call));
	if (s->menus)
		menu_choose(s->menus, p->menu, p->option);
	return 0;
}

int dialog_answer(struct call *call, const struct dialog_answer_params *p, struct dialog_answer_result *)
{
	struct screen *s = viewer_of(call)->screen;

	screen_used(viewer_of(call));
	dialogs_answer(s->dialogs, p->dialog, p->accept, p->name, p->text);
	return 0;
}

int view_show(struct call *call, const struct view_show_params *p, struct view_show_result *)
{
	struct viewer *v = viewer_of(call);
	bool shown = p->visible && !v->visible;

	v->visible = p->visible;
	screen_viewers_changed(v->screen);
	if (shown)
		screencast_refresh(v->screen->screencast);
	return 0;
}

int view_resize(struct call *call, const struct view_resize_params *p, struct view_resize_result *)
{
	screen_set_size(viewer_of(call)->screen, (int)p->width, (int)p->height);
	return 0;
}

int page_navigate_to(struct call *call, const struct page_navigate_to_params *p, struct page_navigate_to_result *)
{
	struct screen *s = viewer_of(call)->screen;
	const char *session = viewer_session_of(call);

	if (!session)
		return 0;
	if (strcmp(p->to, "reload") == 0)
		page_reload(browser_front(s->browser));
	else /* history.back() is what a person's button does, and needs no answer */
		cdp_send(cdp_of(call), session, "Runtime.evaluate",
			CDP_TEXT("expression", strcmp(p->to, "back") == 0 ? "history.back()" : "history.forward()"));
	return 0;
}

static struct target *tab_of(struct call *call, int64_t number)
{
	struct screen *s = viewer_of(call)->screen;

	screen_used(viewer_of(call));
	return s->browser && s->driven ? tabs_find(s->browser, number) : NULL;
}

int tab_show(struct call *call, const struct tab_show_params *p, struct tab_show_result *)
{
	struct target *page = tab_of(call, p->tab);

	if (page)
		browser_bring_to_front(page);
	return 0;
}

int tab_close(struct call *call, const struct tab_close_params *p, struct tab_close_result *)
{
	struct target *page = tab_of(call, p->tab);

	if (page)
		tabs_close(page->browser, page);
	return 0;
}

int note_close(struct call *call, const struct note_close_params *p, struct note_close_result *)
{
	notes_close(viewer_of(call)->screen->notes, p->note);
	return 0;
}

int stay(struct call *call, const struct stay_params *, struct stay_result *)
{
	screen_used(viewer_of(call));
	return 0;
}

static const struct dispatch_row *row_named(const struct dispatch_row *rows, const char *method)
{
	for (const struct dispatch_row *row = rows; row->method; row++)
		if (strcmp(row->method->name, method) == 0)
			return row;
	return NULL;
}

static int said_read_params(struct said *s, struct raw_json text)
{
	struct call *call = s->call;
	const struct method *m = s->row->method;
	char *own = arena_memdup(call->arena, text.p ? text.p : "{}", text.p ? text.n : 2);
	json_t *kept = NULL;
	int r;

	s->params = arena_alloc(call->arena, m->params_size);
	r = fields_read(call->arena, m->params(), own, text.p ? text.n : 2, NULL, s->params, &kept, &call->refusal);
	if (kept)
		call_keep(call, kept);
	return r < 0 ? REFUSED : 0;
}

static char why[124];

static int check_rights(const struct viewer *v, const struct dispatch_row *row)
{
	if ((v->scopes & row->method->scope) == (unsigned)row->method->scope)
		return 0;
	return words_fail(-EPERM, why, sizeof(why), "This page may look, and not do anything here (%s).", BRIEF(40, row->method->name));
}

/* Kept until its turn has come, or done at once. */
static int hear(struct viewer *v, struct said *said, struct raw_json params, const char **ret_why)
{
	int r = 0;

	said->call = call_new(NULL, NULL, 0);
	if (said_read_params(said, params) < 0) {
		words_set(why, sizeof(why), "%s", said->call->refusal.message);
		r = -EPROTO;
	} else if (hands_hold(v->screen->hands, said)) {
		return 0;
	} else {
		r = viewer_carry_out(v, said, ret_why);
	}
	call_free(said->call);
	return r;
}

int viewer_says_take(struct viewer *v, const struct dispatch_row *rows, const char *method, struct raw_json params,
	const char **ret_why)
{
	struct said said = { .viewer = v->id, .row = row_named(rows, method) };
	int r;

	*why = '\0';
	*ret_why = why;
	if (!said.row)
		return words_fail(-EPROTO, why, sizeof(why), "There is no message \"%s\" here.", BRIEF(40, method));
	r = check_rights(v, said.row);
	return r < 0 ? r : hear(v, &said, params, ret_why);
}
