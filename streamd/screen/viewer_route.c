#include "streamd/screen/viewer_route.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "proto/message.h"
#include "streamd/audit.h"
#include "streamd/edge/edge_routes.h"
#include "streamd/screen/dialogs.h"
#include "streamd/screen/input.h"
#include "streamd/screen/menu.h"
#include "streamd/screen/notes.h"
#include "streamd/screen/tabs.h"
#include "streamd/screen/target_info.h"
#include "streamd/screen/viewer.h"
#include "streamd/signin/streams.h"

#define MOST_VIEWERS 16 /* of one sign-in */

/*
 * Input is passed on to Chromium without waiting for it, in order and whole, so what nobody can do by hand ends here:
 * Chromium would keep all of it in memory. The page sends one move for each picture of its screen at most. What may be
 * sent is the sign-in's, not the connection's, or whoever connects anew could send as much again.
 */
#define BURST      2000 /* messages that may come at once */
#define A_SECOND   600  /* and so many each second */
#define COST_HEAVY 50   /* what makes Chromium lay out or load the page again counts for so many */
#define COST_BYTES 256  /* and so many bytes of text for one more */

static void tell_note(void *arg, const struct note_shown_event *event)
{
	viewer_tell(arg, &method_note_shown, event);
}

/* What else there is beside the page in front. */
static void greet_around(struct viewer *v, struct arena *arena)
{
	struct stream *s = v->stream;
	struct tabs_changed_event tabs;
	struct limit_changed_event limit;
	struct keyboard_wanted_event keyboard = { .wanted = s->typing };

	stream_describe_limit(s, &limit);
	viewer_tell(v, &method_limit_changed, &limit);
	if (s->browser) {
		tabs_describe(s->browser, s->page, arena, &tabs);
		viewer_tell(v, &method_tabs_changed, &tabs);
	}
	viewer_tell(v, &method_keyboard_wanted, &keyboard);
	notes_tell(s->notes, tell_note, v);
}

/* What a page that has just come (or come back) must know. */
static void greet(struct viewer *v)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct stream *s = v->stream;
	const struct target *front = s->browser ? target_of(s->page) : NULL;
	struct step_changed_event step;
	struct page_changed_event page;
	const struct dialog_opened_event *dialog;
	const struct menu_opened_event *menu;

	stream_describe_step(s, &step);
	viewer_tell(v, &method_step_changed, &step);
	if (front) {
		target_describe(front, arena, &page);
		viewer_tell(v, &method_page_changed, &page);
	}
	if (!s->ended_at_ms)
		greet_around(v, arena);
	dialog = dialogs_shown(s->dialogs);
	if (dialog)
		viewer_tell(v, &method_dialog_opened, dialog);
	menu = s->menus ? menus_open(s->menus) : NULL;
	if (menu)
		viewer_tell(v, &method_menu_opened, menu);
	if (screencast_last(s->screencast))
		edge_send_picture(v->edge, v->id, screencast_last(s->screencast));
}

static void attach(struct edge *e, uint64_t id, struct stream *s)
{
	struct viewer *v = must(calloc(1, sizeof(*v)));

	v->edge = e;
	v->id = id;
	v->stream = s;
	v->visible = true;
	LIST_INSERT_HEAD(&s->viewers, v, link);
	edge_accept(e, id);
	greet(v);
	stream_viewers_changed(s);
	if (s->ended_at_ms)
		edge_close(e, id, EDGE_CLOSE_ENDED, STREAM_ENDED);
	else
		screencast_refresh(s->screencast);
}

/* The name of a sign-in is not to be guessed: somebody has handed it on, or looks where they should not. */
static void refuse_foreign(struct streamd *d, struct edge *e, uint64_t id, const struct login *login)
{
	streamd_audit_forbidden(d, login, "the sign-in of somebody else");
	log_warning("%s, from %s, asked for a sign-in that belongs to somebody else and was refused", login->name, login->ip);
	edge_refuse(e, id, EDGE_CLOSE_FORBIDDEN, "This sign-in belongs to somebody else.");
}

static void asked(struct edge *e, void *owner, uint64_t id, const char *rest, const struct edge_request *request,
	const struct login *login)
{
	struct streamd *d = owner;
	struct stream *s = streams_find(d->streams, rest);
	const char *gone = s ? NULL : streams_why_gone(d->streams, rest);

	(void)request;
	if (gone)
		edge_refuse(e, id, EDGE_CLOSE_ENDED, gone);
	else if (!s)
		edge_refuse(e, id, EDGE_CLOSE_NOT_FOUND, "There is no such sign-in.");
	else if (s->user != login->user)
		refuse_foreign(d, e, id, login);
	else if (viewers_count(&s->viewers) >= MOST_VIEWERS)
		edge_refuse(e, id, EDGE_CLOSE_TOO_MANY, "Too many pages show this sign-in already; close some of them.");
	else
		attach(e, id, s);
}

static struct viewer *find(struct streamd *d, uint64_t id)
{
	return streams_find_viewer(d->streams, id);
}

static void closed(struct edge *e, void *owner, uint64_t id)
{
	struct viewer *v = find(owner, id);
	struct stream *s = v ? v->stream : NULL;

	(void)e;
	if (!v)
		return;
	LIST_REMOVE(v, link);
	free(v);
	stream_viewers_changed(s);
	stream_arm(s);
}

static bool is_heavy(const char *method)
{
	return strcmp(method, "view_resize") == 0 || strcmp(method, "page_navigate_to") == 0 || strncmp(method, "tab_", 4) == 0;
}

/* What a page sends by itself is no act of a person's. */
static bool is_act(const char *method)
{
	return strcmp(method, "frame_ack") != 0 && strcmp(method, "view_resize") != 0 && strcmp(method, "view_show") != 0;
}

/* Whatever it says, its text has been read. */
static int64_t cost(const char *method, size_t n)
{
	int64_t text = (int64_t)(n / COST_BYTES);

	if (strcmp(method, "frame_ack") == 0) /* goes no further */
		return text;
	return text + (is_heavy(method) ? COST_HEAVY : 1);
}

static int charge(struct stream *s, const char *method, size_t n, const char **ret_why)
{
	int64_t now = loop_now(), earned = (now - s->charged_at) * A_SECOND / 1000;

	if (earned > 0) {
		s->allowance = s->allowance + earned < BURST ? s->allowance + earned : BURST;
		s->charged_at = now;
	}
	s->allowance -= cost(method, n);
	if (s->allowance >= 0)
		return 0;
	s->allowance = 0;
	*ret_why = "The page sends more than a person can do.";
	return -EBUSY;
}

static void message(struct edge *e, void *owner, uint64_t id, char *text, size_t n)
{
	struct viewer *v = find(owner, id);
	struct message m;
	const char *why = "";
	int r;

	if (!v)
		return;
	r = message_scan(text, n, &m, &why);
	if (r == 0 && !m.method) {
		why = "A page calls methods here; it is asked for nothing that it could answer.";
		r = -EINVAL;
	}
	if (r == 0)
		r = charge(v->stream, m.method, n, &why);
	if (r == 0 && is_act(m.method))
		edge_routes_use(((struct streamd *)owner)->routes, id);
	if (r == 0)
		r = input_take(v, m.method, m.params_text, &why);
	if (r < 0)
		edge_close(e, id, EDGE_CLOSE_POLICY, why);
}

struct edge_route viewer_route(struct streamd *d)
{
	return (struct edge_route){ .prefix = "/ws/streams/",
		.owner = d,
		.asked = asked,
		.message = message,
		.closed = closed };
}
