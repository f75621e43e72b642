#include "streamd/booking_feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/arena.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/latch.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/memfd.h"
#include "common/must.h"
#include "proto/botd.h"
#include "proto/call.h"
#include "proto/field.h"
#include "proto/json.h"
#include "proto/message.h"
#include "proto/peer.h"
#include "proto/text.h"

#define PICTURE_MOST  (8 << 20)
#define PICTURE_MS    10000
#define FIRST_MS      500   /* for botd to say that there is no such booking; then the reader is let in */
#define COMMENT_MS    20000 /* an event stream on which nothing happens shows that it is alive */
#define MOST_QUEUED   65536 /* bytes for one reader; above it nothing more is taken from botd */

/* What is read after "/ws/bookings/". */
enum part { PART_LOG, PART_PICTURE, PART_NONE };

/* One page that reads, from asked() to closed(), and until its fiber has ended. */
struct reader {
	struct booking_feed *feed;
	struct edge *edge;
	uint64_t id;
	enum part part;
	bool websocket, admitted;
	bool gone; /* and its edge perhaps, too: what had come in the same turn of the loop goes nowhere */
	struct booking_watch_params from;
	struct call *call; /* for whom it reads */
	struct fiber *fiber;
	struct latch room; /* its queue is empty */
	LIST_ENTRY(reader) link;
};

struct booking_feed {
	struct peer *botd;
	struct latch idle;
	LIST_HEAD(, reader) readers;
};

static struct reader *find(const struct booking_feed *f, uint64_t id)
{
	struct reader *r;

	LIST_FOREACH (r, &f->readers, link)
		if (r->id == id)
			return r;
	return NULL;
}

static void admit(struct reader *r)
{
	if (r->admitted)
		return;
	r->admitted = true;
	if (r->websocket)
		edge_accept(r->edge, r->id);
	else
		edge_stream(r->edge, r->id, "text/event-stream");
}

/* Refusals. */

static int close_code(enum error_code code)
{
	switch (code) {
	case ERR_not_found: return EDGE_CLOSE_NOT_FOUND;
	case ERR_forbidden: return EDGE_CLOSE_FORBIDDEN;
	case ERR_not_signed_in: return EDGE_CLOSE_NOT_SIGNED_IN;
	case ERR_ended: return EDGE_CLOSE_ENDED;
	default: return EDGE_CLOSE_UNAVAILABLE;
	}
}

static void refuse(struct reader *r, int error)
{
	enum error_code code = error == REFUSED ? r->call->refusal.code : error_from_errno(error);
	const char *sentence = call_why(r->call, error);

	if (error != REFUSED)
		log_error("booking %" PRId64 " could not be read from %s: %s", r->from.id, peer_name(r->feed->botd),
			strerror(-error));
	if (r->admitted)
		edge_close(r->edge, r->id, close_code(code), sentence);
	else
		edge_refuse(r->edge, r->id, close_code(code), error_row(code)->http, sentence);
}

/* The log. */

static void send_event(struct reader *r, const struct booking_watch_item *item, const char *json, size_t n)
{
	struct text t = { 0 };

	if (item->line) {
		text_puts(&t, "id: ");
		text_whole(&t, item->line->n);
		text_puts(&t, "\n");
	}
	text_puts(&t, "event: booking_watch\ndata: ");
	text_put(&t, json, n);
	text_puts(&t, "\n\n");
	edge_send_text(r->edge, r->id, t.p, t.n);
	text_free(&t);
}

/* The document of an item: what botd has sent, or a notification of it. */
static json_t *document(struct reader *r, json_t *params)
{
	return r->websocket ? message_notification("booking_watch", params, false) : params;
}

static int send_item(struct reader *r, const struct booking_watch_item *item)
{
	json_t *params;
	size_t n;
	char *text;
	int fd, error = fields_encode(method_booking_watch.result(), item, &params, &fd, &r->call->refusal);

	if (error < 0)
		return error;
	params = document(r, params);
	text = json_text(params, &n);
	json_decref(params);
	if (r->websocket)
		edge_send_text(r->edge, r->id, text, n);
	else
		send_event(r, item, text, n);
	json_text_free(text, n);
	return 0;
}

/* Nothing more is taken from botd until this reader has read what it was given. */
static int await_room(struct reader *r)
{
	return edge_queued(r->edge, r->id) < MOST_QUEUED ? 0 : latch_wait(&r->room, NEVER);
}

static int pass_on(struct reader *r, const struct booking_watch_item *item)
{
	int error;

	admit(r);
	error = send_item(r, item);
	return error < 0 ? error : await_room(r);
}

static void show_life(struct reader *r)
{
	if (!r->admitted)
		admit(r);
	else if (!r->websocket)
		edge_send_text(r->edge, r->id, ":\n\n", 3);
}

/* -ENODATA at the end of the booking. */
static int follow(struct reader *r, struct peer_stream *stream)
{
	struct booking_watch_item item;
	int error;

	for (;;) {
		error = next_booking_watch(stream, &item, deadline_in(r->admitted ? COMMENT_MS : FIRST_MS));
		if (r->gone)
			return -ECANCELED;
		if (error == -ETIMEDOUT)
			show_life(r);
		else if (error == 0)
			error = pass_on(r, &item);
		if (error < 0 && error != -ETIMEDOUT)
			return error;
	}
}

/* A browser asks again for an event stream that has ended, unless it is told with 204 that there is no more. */
static void say_end(struct reader *r)
{
	static const char end[] = "event: end\ndata: {}\n\n";

	if (!r->admitted && !r->websocket) {
		edge_answer(r->edge, r->id, 204, "text/event-stream", NULL, 0);
		return;
	}
	admit(r);
	if (!r->websocket)
		edge_send_text(r->edge, r->id, end, strlen(end));
	edge_close(r->edge, r->id, EDGE_CLOSE_ENDED, "The booking has ended.");
}

static void read_log(struct reader *r)
{
	struct peer_stream *stream;
	int error = open_booking_watch(r->call, r->feed->botd, &r->from, &stream);

	if (error == 0) {
		error = follow(r, stream);
		peer_stream_close(stream);
	}
	if (error == -ENODATA)
		say_end(r);
	else if (error != -ECANCELED && !r->gone)
		refuse(r, error);
}

/* The picture. */

static int answer_picture(struct reader *r, int fd)
{
	CLEANUP(memfd_unmap) struct memfd_view view = { 0 };
	int error = memfd_map(fd, PICTURE_MOST, &view);

	if (error < 0)
		return error;
	edge_answer(r->edge, r->id, 200, "image/jpeg", view.data, view.size);
	return 0;
}

static void read_picture(struct reader *r)
{
	struct booking_picture_params params = { .id = r->from.id };
	struct booking_picture_result result;
	int error;

	r->call->deadline = deadline_in(PICTURE_MS);
	error = call_booking_picture(r->call, r->feed->botd, &params, &result);
	if (r->gone)
		return;
	if (error == 0)
		error = answer_picture(r, result.picture);
	if (error < 0 && error != -ECANCELED)
		refuse(r, error);
}

static void run(void *arg)
{
	struct reader *r = arg;
	struct booking_feed *f = r->feed;

	r->fiber = fiber_self();
	if (!r->gone && r->part == PART_LOG)
		read_log(r);
	else if (!r->gone)
		read_picture(r);
	r->fiber = NULL;
	LIST_REMOVE(r, link);
	call_free(r->call);
	free(r);
	latch_wake(&f->idle, 0);
}

/* What is asked for. */

/* A number of a booking or line; -1 if it is none. At most 18 digits, so it cannot overflow. */
static int64_t read_number(const char *p, const char **ret_end)
{
	size_t n = strspn(p, "0123456789");

	*ret_end = p + n;
	return n > 0 && n <= 18 ? strtoll(p, NULL, 10) : -1;
}

static enum part read_rest(const char *rest, bool websocket, int64_t *ret_id)
{
	const char *end;

	*ret_id = read_number(rest, &end);
	if (*ret_id < 1)
		return PART_NONE;
	if (strcmp(end, websocket ? "" : "/events") == 0)
		return PART_LOG;
	return !websocket && strcmp(end, "/picture") == 0 ? PART_PICTURE : PART_NONE;
}

/* The number after which to go on; what a browser repeats by itself is newer than what stands in the address. */
static int64_t read_after(const struct edge_request *q)
{
	const char *end, *p = q->query;
	int64_t n = read_number(q->last_event_id, &end);

	if (n >= 0 && !*end)
		return n;
	while (p && strncmp(p, "after=", 6) != 0) {
		p = strchr(p, '&');
		p = p ? p + 1 : NULL;
	}
	n = p ? read_number(p + 6, &end) : 0;
	return n < 0 ? 0 : n;
}

static void on_asked(struct edge *e, void *owner, uint64_t id, const char *rest, const struct edge_request *q,
	const struct login *login)
{
	const struct acting acting = { .user = login->user,
		.name = login->name,
		.login = login->login,
		.ip = *login->ip ? login->ip : NULL,
		.scopes = login->scopes };
	struct booking_feed *f = owner;
	struct reader *r = must(calloc(1, sizeof(*r)));

	r->part = read_rest(rest, q->websocket, &r->from.id);
	if (r->part == PART_NONE) {
		free(r);
		edge_refuse(e, id, EDGE_CLOSE_NOT_FOUND, 404, "There is nothing at this address.");
		return;
	}
	r->from.after = read_after(q);
	r->feed = f;
	r->edge = e;
	r->id = id;
	r->websocket = q->websocket;
	r->call = call_new(NULL, &acting, NEVER);
	LIST_INSERT_HEAD(&f->readers, r, link);
	fiber_start("booking_feed", run, r, NULL);
}

static void on_drained(struct edge *e, void *owner, uint64_t id)
{
	struct reader *r = find(owner, id);

	(void)e;
	if (r)
		latch_wake(&r->room, 0);
}

static void on_closed(struct edge *e, void *owner, uint64_t id)
{
	struct reader *r = find(owner, id);

	(void)e;
	if (!r)
		return;
	r->gone = true;
	if (r->fiber)
		fiber_cancel(r->fiber);
}

struct booking_feed *booking_feed_new(struct peer *botd)
{
	struct booking_feed *f = must(calloc(1, sizeof(*f)));

	f->botd = botd;
	LIST_INIT(&f->readers);
	return f;
}

struct booking_feed *booking_feed_free(struct booking_feed *f)
{
	if (!f)
		return NULL;
	LATCH_AWAIT(&f->idle, LIST_EMPTY(&f->readers));
	free(f);
	return NULL;
}

struct edge_route booking_feed_route(struct booking_feed *f)
{
	return (struct edge_route){ .prefix = "/ws/bookings/",
		.owner = f,
		.asked = on_asked,
		.drained = on_drained,
		.closed = on_closed };
}
