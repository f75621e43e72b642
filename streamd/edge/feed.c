#include "streamd/edge/feed.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/fiber.h"
#include "common/latch.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "proto/call.h"
#include "proto/field.h"
#include "proto/message.h"
#include "proto/peer.h"
#include "proto/query.h"
#include "proto/route.h"
#include "proto/server.h"
#include "common/bytes.h"

#define FIRST_MS    500   /* for the daemon to refuse; then the reader is let in */
#define MOST_QUEUED 65536 /* bytes for one reader; above it nothing more is taken from the daemon */

/* One page that reads, from asked() to closed(), and until its fiber has ended. */
struct reader {
	struct feed *feed;
	struct edge *edge;
	uint64_t id;
	const struct method *method;
	void *params;
	bool admitted;
	bool gone; /* and its edge perhaps, too: what had come in the same turn of the loop goes nowhere */
	bool over; /* its fiber */
	struct call *call; /* for whom it reads */
	struct fiber *fiber;
	struct latch room; /* its queue is empty */
};

struct feed {
	struct peer *peer;
	const struct method_list *lists[2];
	struct latch idle;
	size_t reading; /* fibers */
};

static void reader_free(struct reader *r)
{
	call_free(r->call);
	free(r);
}

static void feed_admit(struct reader *r)
{
	if (!r->admitted)
		edge_accept(r->edge, r->id);
	r->admitted = true;
}

static int close_code(enum error_code code)
{
	switch (code) {
	case ERR_invalid:
	case ERR_unknown_method:
	case ERR_not_found: return EDGE_CLOSE_NOT_FOUND;
	case ERR_forbidden: return EDGE_CLOSE_FORBIDDEN;
	case ERR_not_signed_in: return EDGE_CLOSE_NOT_SIGNED_IN;
	case ERR_ended: return EDGE_CLOSE_ENDED;
	default: return EDGE_CLOSE_UNAVAILABLE;
	}
}

static void feed_refuse(struct reader *r, int error)
{
	enum error_code code = error == REFUSED ? r->call->refusal.code : error_from_errno(error);
	const char *sentence = call_why(r->call, error);

	if (error != REFUSED)
		log_error("%s could not be read from %s: %s", r->method->name, peer_name(r->feed->peer), strerror(-error));
	if (r->admitted)
		edge_close(r->edge, r->id, close_code(code), sentence);
	else
		edge_refuse(r->edge, r->id, close_code(code), sentence);
}

static int feed_send_item(struct reader *r, const void *item)
{
	struct bytes t = { 0 };
	int fd, error;

	message_begin_notification(&t, r->method->name);
	error = fields_write(&t, r->method->result(), item, &fd, &r->call->refusal);
	message_end(&t, false);
	if (error == 0)
		edge_send_text(r->edge, r->id, t.p, t.n);
	bytes_free(&t);
	return error;
}

/* Nothing more is taken from the daemon until this reader has read what it was given. */
static int await_room(struct reader *r)
{
	return edge_queued(r->edge, r->id) < MOST_QUEUED ? 0 : latch_wait(&r->room, NEVER);
}

static int feed_pass_on(struct reader *r, const void *item)
{
	int error;

	feed_admit(r);
	error = feed_send_item(r, item);
	return error < 0 ? error : await_room(r);
}

/* -ENODATA at the end. */
static int feed_follow(struct reader *r, struct peer_stream *stream)
{
	void *item = arena_alloc(r->call->arena, r->method->result_size);
	int error;

	for (;;) {
		error = peer_stream_next(stream, item, r->admitted ? NEVER : deadline_in(FIRST_MS));
		if (r->gone)
			return -ECANCELED;
		if (error == -ETIMEDOUT)
			feed_admit(r);
		else if (error == 0)
			error = feed_pass_on(r, item);
		if (error < 0 && error != -ETIMEDOUT)
			return error;
	}
}

static void feed_read_all(struct reader *r)
{
	struct peer_stream *stream;
	int error = peer_stream_open(r->feed->peer, r->call, r->method, r->params, &stream);

	if (error == 0) {
		error = feed_follow(r, stream);
		peer_stream_close(stream);
	}
	if (r->gone || error == -ECANCELED)
		return;
	if (error != -ENODATA)
		return feed_refuse(r, error);
	feed_admit(r);
	edge_close(r->edge, r->id, EDGE_CLOSE_ENDED, "There is no more to come.");
}

static void reader_run(void *arg)
{
	struct reader *r = arg;
	struct feed *f = r->feed;

	r->fiber = fiber_self();
	if (!r->gone)
		feed_read_all(r);
	r->fiber = NULL;
	r->over = true;
	if (r->gone)
		reader_free(r);
	f->reading--;
	latch_wake(&f->idle, 0);
}

/* What is asked for. */

static int find_stream(struct reader *r, const char *path, json_t *params)
{
	struct route route;
	char allow[64];
	int error = route_find(r->feed->lists, "GET", path, params, &route, allow, sizeof(allow), &r->call->refusal);

	if (error == -ENOENT || error == -EPERM || (error == 0 && !route.method->streams))
		return call_refuse(r->call, ERR_unknown_method, NULL, "There is nothing at this address.");
	if (error < 0)
		return REFUSED;
	r->method = route.method;
	return call_check_scope(r->call, r->method);
}

static int feed_read_params(struct reader *r, const char *path, const char *query)
{
	json_t *document = json_object(), *kept = NULL;
	struct refusal *why = &r->call->refusal;
	int error;

	call_keep(r->call, document);
	error = find_stream(r, path, document);
	if (error < 0)
		return error;
	r->params = arena_alloc(r->call->arena, r->method->params_size);
	error = query_read(r->method->params(), document, *query ? query : NULL, why);
	if (error == 0)
		error = fields_decode(r->call->arena, r->method->params(), document, NULL, r->params, &kept, why);
	if (kept)
		call_keep(r->call, kept);
	return error < 0 ? REFUSED : 0;
}

static void *on_feed_asked(struct edge *e, void *owner, uint64_t id, const char *rest, const struct edge_request *q,
	const struct login *login)
{
	const struct acting acting = { .user = login->user,
		.name = login->name,
		.login = login->login,
		.ip = *login->ip ? login->ip : NULL,
		.scopes = login->scopes };
	struct feed *f = owner;
	struct reader *r = must(calloc(1, sizeof(*r)));

	r->feed = f;
	r->edge = e;
	r->id = id;
	r->call = call_new(NULL, &acting, NEVER);
	if (feed_read_params(r, rest, q->query) < 0) {
		feed_refuse(r, REFUSED);
		reader_free(r);
		return NULL;
	}
	f->reading++;
	fiber_start("feed", reader_run, r, NULL);
	return r;
}

static void on_feed_drained(void *visitor)
{
	struct reader *r = visitor;

	latch_wake(&r->room, 0);
}

static void on_feed_closed(void *visitor)
{
	struct reader *r = visitor;

	r->gone = true;
	if (r->fiber)
		fiber_cancel(r->fiber);
	if (r->over)
		reader_free(r);
}

struct feed *feed_new(const struct method_list *rows, struct peer *peer)
{
	struct feed *f = must(calloc(1, sizeof(*f)));

	f->peer = peer;
	f->lists[0] = rows;
	return f;
}

struct feed *feed_free(struct feed *f)
{
	if (!f)
		return NULL;
	LATCH_AWAIT(&f->idle, f->reading == 0);
	free(f);
	return NULL;
}

struct edge_route feed_route(struct feed *f)
{
	return (struct edge_route){ .prefix = "/ws",
		.owner = f,
		.asked = on_feed_asked,
		.drained = on_feed_drained,
		.closed = on_feed_closed };
}
