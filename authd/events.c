/* A STREAM row as an event stream (HTML, section 9.2, "Server-sent events"). */
#include <errno.h>
#include <string.h>

#include "authd/exchange.h"
#include "authd/state.h"
#include "common/arena.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "proto/error.h"
#include "proto/field.h"
#include "proto/peer.h"
#include "proto/text.h"

#define MOST_STREAMS 256   /* at once */
#define FIRST_MS     500   /* for the daemon to refuse; then the answer begins */
#define COMMENT_MS   20000 /* a stream on which nothing happens shows that it is alive */

/* One that is open. */
struct events {
	struct login_use use; /* first: on_events_login_ended() */
	struct exchange *x;
	struct peer_stream *stream;
	bool begun, ended; /* ended: its login has */
};

static void on_events_login_ended(struct login_use *use)
{
	struct events *e = (struct events *)use;

	e->ended = true;
	exchange_cancel(e->x);
}

static void events_begin(struct events *e)
{
	if (!e->begun)
		answer_begin(e->x);
	e->begun = true;
}

static int events_say(struct events *e, const char *text)
{
	return answer_piece(e->x, text, strlen(text));
}

static int events_send_item(struct events *e, const void *item)
{
	const struct method *m = e->x->route.method;
	int64_t cursor = method_cursor(m, item);
	struct bytes t = { 0 };
	int fd, r;

	if (cursor) {
		bytes_puts(&t, "id: ");
		text_whole(&t, cursor);
		bytes_puts(&t, "\n");
	}
	bytes_puts(&t, "event: ");
	bytes_puts(&t, m->name);
	bytes_puts(&t, "\ndata: ");
	r = fields_write(&t, m->result(), item, &fd, &e->x->call->refusal);
	bytes_puts(&t, "\n\n");
	if (r == 0)
		r = answer_piece(e->x, t.p, t.n);
	bytes_free(&t);
	return r;
}

static int events_refuse_ended(struct events *e)
{
	return call_refuse(e->x->call, ERR_not_signed_in, NULL, "%s", "");
}

/* The login may have ended while it was being looked up, without word of it, or as time went by. */
static int check_login(struct events *e)
{
	struct exchange *x = e->x;
	struct arena *arena = arena_new(0);
	struct login now;
	int r;

	e->use.doubtful = false;
	r = login_find_named(x->http->a, arena, x->login.name, deadline_in(x->http->a->settings->request_ms), &now);
	if (r == 0)
		x->login.expires_at_ms = now.expires_at_ms;
	arena_free(arena);
	return r == -ENOENT ? events_refuse_ended(e) : r;
}

/* Nothing has come for a while. */
static int events_rest(struct events *e)
{
	events_begin(e);
	return events_say(e, ":\n\n");
}

/* Until its end, or why it is not gone on with. */
static int events_pass_on(struct events *e)
{
	void *item = arena_alloc(e->x->call->arena, e->x->route.method->result_size);
	int r, login = 0;

	for (;;) {
		r = peer_stream_next(e->stream, item, deadline_in(e->begun ? COMMENT_MS : FIRST_MS));
		if (e->use.doubtful || wall_now() >= e->x->login.expires_at_ms)
			login = check_login(e);
		if (login < 0)
			return login;
		if (r == -ETIMEDOUT) {
			r = events_rest(e);
		} else if (r == 0) {
			events_begin(e);
			r = events_send_item(e, item);
		}
		if (r < 0)
			return r;
	}
}

/* A browser asks again for an event stream that has ended, with the id of its last event. */
static int say_end(struct events *e)
{
	if (!e->begun) {
		answer_nothing(e->x);
		return 0;
	}
	return events_say(e, "id: " EVENTS_END "\nevent: end\ndata: {}\n\n");
}

static int serve(struct events *e, struct peer *peer, const void *params)
{
	struct exchange *x = e->x;
	int r = check_login(e);

	x->call->deadline = NEVER;
	if (r == 0)
		r = peer_stream_open(peer, x->call, x->route.method, params, &e->stream);
	if (r == 0 && strcmp(x->verb, "HEAD") == 0)
		events_begin(e);
	else if (r == 0)
		r = events_pass_on(e);
	peer_stream_close(e->stream);
	return r == -ENODATA ? say_end(e) : r;
}

int events_serve(struct exchange *x, struct peer *peer, const void *params)
{
	struct events e = { .use = { .login = x->login.name, .ended = on_events_login_ended }, .x = x };
	struct http *h = x->http;
	int r;

	if (h->streaming >= MOST_STREAMS)
		return call_refuse(x->call, ERR_busy, NULL, "Too many pages follow something at Stead just now; try again in a moment.");
	h->under_way--;
	h->streaming++;
	login_use_begin(&h->a->watch, &e.use);
	r = serve(&e, peer, params);
	login_use_end(&e.use);
	h->streaming--;
	h->under_way++;
	if (e.begun)
		answer_end(x);
	if (e.ended && r == -ECANCELED)
		r = events_refuse_ended(&e);
	return x->answered ? 0 : r;
}
