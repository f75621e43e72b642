#include "streamd/input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "proto/field.h"
#include "proto/server.h"
#include "streamd/dialogs.h"
#include "streamd/keys.h"
#include "streamd/menu.h"
#include "streamd/stream.h"

#define DEF "proto/viewer.def"
#define EXPAND_HANDLERS
#include "proto/expand.h"
#undef EXPAND_HANDLERS

#define CONTROL 2

static struct viewer *viewer_of(struct call *call)
{
	return call->front;
}

/* The session that input goes to, or NULL while there is no page, or the page must not be touched. */
static const char *session_of(struct call *call)
{
	struct stream *s = viewer_of(call)->stream;

	stream_note_input(s);
	if (!s->browser || !s->page || !s->page->session[0] || s->step != STEP_WAITING)
		return NULL;
	return s->page->session;
}

static struct cdp *cdp_of(struct call *call)
{
	return browser_cdp(viewer_of(call)->stream->browser);
}

int frame_ack(struct call *call, const struct frame_ack_params *p, struct frame_ack_result *r)
{
	struct viewer *v = viewer_of(call);

	(void)r;
	edge_picture_acked(v->edge, v->id, (uint32_t)p->seq);
	return 0;
}

int mouse_event(struct call *call, const struct mouse_event_params *p, struct mouse_event_result *r)
{
	const char *session = session_of(call);
	const char *type = strcmp(p->type, "press") == 0 ? "mousePressed" :
		strcmp(p->type, "release") == 0	   ? "mouseReleased" :
						     "mouseMoved";

	(void)r;
	if (session)
		cdp_send(cdp_of(call), session, "Input.dispatchMouseEvent", CDP_TEXT("type", type), CDP_REAL("x", p->x),
			CDP_REAL("y", p->y), CDP_TEXT("button", p->button ? p->button : "none"),
			CDP_INT("buttons", p->buttons), CDP_INT("clickCount", p->clicks),
			CDP_INT("modifiers", p->modifiers));
	return 0;
}

int wheel_event(struct call *call, const struct wheel_event_params *p, struct wheel_event_result *r)
{
	const char *session = session_of(call);

	(void)r;
	if (session)
		cdp_send(cdp_of(call), session, "Input.dispatchMouseEvent", CDP_TEXT("type", "mouseWheel"),
			CDP_REAL("x", p->x), CDP_REAL("y", p->y), CDP_REAL("deltaX", p->dx), CDP_REAL("deltaY", p->dy),
			CDP_INT("modifiers", p->modifiers));
	return 0;
}

/* Headless Chromium has no menus to find these in, so the editor is told. */
static const char *editing_command(const struct key_event_params *p)
{
	static const struct {
		const char *code, *command;
	} rows[] = { { "KeyA", "selectAll" }, { "KeyC", "copy" }, { "KeyX", "cut" }, { "KeyV", "paste" },
		{ "KeyZ", "undo" }, { "KeyY", "redo" } };

	for (size_t i = 0; p->modifiers == CONTROL && i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].code, p->code) == 0)
			return rows[i].command;
	return NULL;
}

int key_event(struct call *call, const struct key_event_params *p, struct key_event_result *r)
{
	const char *session = session_of(call), *command;
	bool down = strcmp(p->type, "down") == 0;
	bool types = down && p->text && !(p->modifiers & CONTROL);

	(void)r;
	if (!session || !key_may_pass(p->vk, p->modifiers))
		return 0;
	command = down ? editing_command(p) : NULL;
	const struct cdp_arg args[] = { CDP_TEXT("type", !down ? "keyUp" : types ? "keyDown" : "rawKeyDown"),
		CDP_TEXT("key", p->key), CDP_TEXT("code", p->code), CDP_INT("windowsVirtualKeyCode", p->vk),
		CDP_INT("nativeVirtualKeyCode", p->vk), CDP_INT("modifiers", p->modifiers),
		CDP_INT("location", p->location), CDP_BOOL("autoRepeat", p->repeat),
		CDP_TEXT("text", types ? p->text : NULL), CDP_TEXT("unmodifiedText", types ? p->text : NULL),
		command ? (struct cdp_arg)CDP_LIST("commands", CDP_TEXT(NULL, command)) : (struct cdp_arg){ 0 }, { 0 } };
	cdp_send_args(cdp_of(call), session, "Input.dispatchKeyEvent", args);
	return 0;
}

int text_insert(struct call *call, const struct text_insert_params *p, struct text_insert_result *r)
{
	const char *session = session_of(call);

	(void)r;
	if (session)
		cdp_send(cdp_of(call), session, "Input.insertText", CDP_TEXT("text", p->text));
	return 0;
}

int option_choose(struct call *call, const struct option_choose_params *p, struct option_choose_result *r)
{
	struct stream *s = viewer_of(call)->stream;

	(void)r;
	stream_note_input(s);
	if (s->menus)
		menu_choose(s->menus, p->menu, p->option);
	return 0;
}

int dialog_answer(struct call *call, const struct dialog_answer_params *p, struct dialog_answer_result *r)
{
	struct stream *s = viewer_of(call)->stream;

	(void)r;
	stream_note_input(s);
	dialogs_answer(s->dialogs, p->dialog, p->accept, p->text);
	return 0;
}

int view_show(struct call *call, const struct view_show_params *p, struct view_show_result *r)
{
	struct viewer *v = viewer_of(call);
	bool shown = p->visible && !v->visible;

	(void)r;
	v->visible = p->visible;
	stream_viewers_changed(v->stream);
	if (shown)
		screencast_refresh(v->stream->screencast);
	return 0;
}

int view_resize(struct call *call, const struct view_resize_params *p, struct view_resize_result *r)
{
	struct stream *s = viewer_of(call)->stream;

	(void)r;
	s->width = (int)p->width;
	s->height = (int)p->height;
	screencast_set_size(s->screencast, s->width, s->height);
	return 0;
}

int page_navigate_to(struct call *call, const struct page_navigate_to_params *p, struct page_navigate_to_result *r)
{
	const char *session = session_of(call);

	(void)r;
	if (!session)
		return 0;
	if (strcmp(p->to, "reload") == 0)
		cdp_send(cdp_of(call), session, "Page.reload");
	else /* history.back() is what a person's button does, and needs no answer */
		cdp_send(cdp_of(call), session, "Runtime.evaluate",
			CDP_TEXT("expression", strcmp(p->to, "back") == 0 ? "history.back()" : "history.forward()"));
	return 0;
}

int sign_in_done(struct call *call, const struct sign_in_done_params *p, struct sign_in_done_result *r)
{
	struct stream *s = viewer_of(call)->stream;

	(void)r;
	stream_note_input(s);
	s->done_pressed = true;
	if (p->in_place_of && strcmp(p->in_place_of, s->asked.kept) == 0 && p->account &&
		strcmp(p->account, s->asked.by) == 0)
		s->agreed = s->asked;
	stream_poke(s);
	return 0;
}

int sign_in_resume(struct call *call, const struct sign_in_resume_params *p, struct sign_in_resume_result *r)
{
	struct stream *s = viewer_of(call)->stream;

	(void)p, (void)r;
	stream_note_input(s);
	s->resume_pressed = true;
	stream_poke(s);
	return 0;
}

#define EXPAND_THUNKS
#include "proto/expand.h"
#undef EXPAND_THUNKS

static const struct dispatch_row rows[] = {
#define EXPAND_DISPATCH
#include "proto/expand.h"
#undef EXPAND_DISPATCH
	{ 0 }
};

static const struct dispatch_row *row_named(const char *method)
{
	for (const struct dispatch_row *row = rows; row->method; row++)
		if (strcmp(row->method->name, method) == 0)
			return row;
	return NULL;
}

static int take(struct call *call, const struct dispatch_row *row, json_t *params)
{
	json_t *none = json_object();
	char fields[256];
	int r;

	_Static_assert(sizeof(struct key_event_params) <= sizeof(fields), "room for any of the messages");
	memset(fields, 0, sizeof(fields));
	r = fields_decode(call->arena, row->method->params(), params ? params : none, NULL, fields, &call->refusal);
	if (r == 0)
		r = row->handler(call, fields, NULL);
	explicit_bzero(fields, sizeof(fields));
	json_decref(none);
	return r;
}

int input_take(struct viewer *v, const char *method, json_t *params, const char **ret_why)
{
	static char why[124];
	const struct dispatch_row *row = row_named(method);
	struct call *call;
	int r;

	*ret_why = why;
	if (!row) {
		snprintf(why, sizeof(why), "There is no message \"%.40s\" here.", method);
		return -EPROTO;
	}
	call = call_new(v->stream->daemon, NULL, 0);
	call->front = v;
	r = take(call, row, params);
	if (r < 0)
		snprintf(why, sizeof(why), "%.120s", call_why(call, r));
	call_free(call);
	return r < 0 ? -EPROTO : 0;
}
