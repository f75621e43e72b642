#include "streamd/screen/viewer_route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "common/must.h"
#include "proto/message.h"
#include "streamd/screen/screen.h"
#include "streamd/screen/screencast.h"
#include "streamd/screen/viewer.h"
#include "streamd/screen/viewer_says.h"
#include "streamd/streamd.h"

/*
 * Input is passed on to Chromium without waiting for it, in order and whole, so what nobody can do by hand ends here:
 * Chromium would keep all of it in memory. The page sends one move for each picture of its screen at most. What may be
 * sent is the screen's, not the connection's, or whoever connects anew could send as much again.
 */
#define BURST      2000 /* messages that may come at once */
#define A_SECOND   600  /* and so many each second */
#define COST_HEAVY 50   /* what makes Chromium lay out or load the page again counts for so many */
#define COST_BYTES 256  /* and so many bytes of text for one more */

static struct viewer *viewer_route_attach(const struct viewer_route *r, struct edge *e, uint64_t id,
	const struct screen_found *found)
{
	struct viewer *v = must(calloc(1, sizeof(*v)));
	struct screen *s = found->screen;

	v->edge = e;
	v->id = id;
	v->screen = s;
	v->rows = r->rows;
	v->scopes = found->scopes;
	v->visible = true;
	LIST_INSERT_HEAD(&s->viewers, v, link);
	edge_accept(e, id);
	screen_greet(v);
	screen_viewers_changed(s);
	if (s->over)
		edge_close(e, id, EDGE_CLOSE_ENDED, s->over);
	else
		screencast_refresh(s->screencast);
	return v;
}

static void *asked(struct edge *e, void *owner, uint64_t id, const char *rest, const struct edge_request *,
	const struct login *login)
{
	struct viewer_route *r = owner;
	struct screen_found found = { 0 };

	r->find(r->daemon, rest, login, &found);
	if (found.screen && viewers_count(&found.screen->viewers) < (size_t)r->daemon->settings.most_viewers)
		return viewer_route_attach(r, e, id, &found);
	edge_refuse(e, id, found.screen ? EDGE_CLOSE_TOO_MANY : found.close_code, found.screen ? r->full : found.why);
	return NULL;
}

static void closed(void *visitor)
{
	struct viewer *v = visitor;
	struct screen *s = v->screen;

	if (s)
		LIST_REMOVE(v, link);
	free(v);
	if (s)
		screen_viewers_changed(s);
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

static int viewer_route_charge(struct screen *s, const char *method, size_t n, const char **ret_why)
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

static int viewer_route_take(struct viewer *v, char *text, size_t n, bool *ret_act, const char **ret_why)
{
	struct message m;
	int e = message_scan(text, n, &m, ret_why);

	if (e == 0 && !m.method) {
		*ret_why = "A page calls methods here; it is asked for nothing that it could answer.";
		e = -EINVAL;
	}
	if (e == 0)
		e = viewer_route_charge(v->screen, m.method, n, ret_why);
	*ret_act = e == 0 && is_act(m.method);
	return e == 0 ? viewer_says_take(v, v->rows, m.method, m.params_text, ret_why) : e;
}

static bool message(void *visitor, char *text, size_t n)
{
	struct viewer *v = visitor;
	const char *why = "";
	bool act = false;
	int r = v->screen ? viewer_route_take(v, text, n, &act, &why) : 0;

	if (r < 0)
		edge_close(v->edge, v->id, r == -EPERM ? EDGE_CLOSE_FORBIDDEN : EDGE_CLOSE_POLICY, why);
	return act;
}

struct edge_route viewer_route_row(struct viewer_route *r)
{
	return (struct edge_route){ .prefix = r->prefix,
		.owner = r,
		.asked = asked,
		.message = message,
		.closed = closed };
}
