/* The calling end of a STREAM. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/must.h"
#include "proto/field.h"
#include "proto/json.h"
#include "proto/peer_inside.h"

struct peer_stream {
	struct peer *peer;
	struct call *call;
	const struct method *method;
	struct pending pending;
	struct arena *arena; /* of the present item */
	json_t *kept;        /* its documents */
	struct arrival *present;
	void *item; /* the present item's struct, for its descriptor */
	int64_t unacknowledged;
};

int peer_stream_open(struct peer *p, struct call *call, const struct method *method, const void *params,
	struct peer_stream **ret)
{
	struct peer_stream *s = must(calloc(1, sizeof(*s)));
	int r = peer_begin(p, call, method, params, &s->pending);

	if (r < 0) {
		free(s);
		return r;
	}
	s->peer = p;
	s->call = call;
	s->method = method;
	s->item = must(calloc(1, method->result_size + 1));
	fields_init(method->result(), s->item, method->result_size);
	*ret = s;
	return 0;
}

static void stream_drop_item(struct peer_stream *s)
{
	if (!s->present)
		return;
	fields_close(s->method->result(), s->item);
	s->arena = arena_free(s->arena);
	json_decref(s->kept);
	s->kept = NULL;
	arrival_free(s->present);
	s->present = NULL;
}

static void stream_acknowledge(struct peer_stream *s)
{
	if (++s->unacknowledged < CREDIT / 2 || s->pending.ended)
		return;
	peer_notify(s->peer, "credit", s->pending.id, s->unacknowledged);
	s->unacknowledged = 0;
}

static int stream_read_item(struct peer_stream *s, void *ret)
{
	struct raw_json item = s->present->item;
	int r;

	if (!item.p)
		return -EBADMSG;
	s->arena = arena_new_secret(0);
	fields_init(s->method->result(), s->item, s->method->result_size);
	r = fields_read(s->arena, s->method->result(), item.p, item.n, &s->present->fd, s->item, &s->kept,
		&s->call->refusal);
	if (r < 0)
		return -EBADMSG;
	memcpy(ret, s->item, s->method->result_size);
	stream_acknowledge(s);
	return 0;
}

int peer_stream_next(struct peer_stream *s, void *ret, int64_t deadline)
{
	int r;

	stream_drop_item(s);
	r = peer_await(&s->pending, deadline, &s->present);
	if (r == -ECONNRESET)
		return s->pending.lost ? peer_refuse_lost(s->peer, s->call, s->method, &s->pending) : -ENODATA;
	if (r < 0)
		return r;
	if (s->present->message.refused)
		return peer_take_refusal(s->call, &s->present->message);
	if (s->present->message.response)
		return -ENODATA;
	return stream_read_item(s, ret);
}

struct peer_stream *peer_stream_close(struct peer_stream *s)
{
	if (!s)
		return NULL;
	stream_drop_item(s);
	peer_end(s->peer, &s->pending);
	peer_let_go(s->peer);
	free(s->item);
	free(s);
	return NULL;
}
