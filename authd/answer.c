#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

#include "authd/exchange.h"
#include "common/cleanup.h"
#include "common/memfd.h"
#include "common/must.h"
#include "common/words.h"
#include "proto/json.h"

#define WRITE_S     60   /* for a piece of an answer to go */
#define MOST_BEHIND 4096 /* bytes that are read behind a request whose answer has no end yet */

/* An answer that has not left yet. */
struct sending {
	struct http *http;
	struct exchange *x; /* whose it is, while it has no end yet */
};

static void answer_set_header(struct evhttp_request *request, const char *name, const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(request), name, value);
}

static void sending_end(struct sending *s)
{
	s->http->unsent--;
	latch_wake(&s->http->drained, 0);
	free(s);
}

static void on_sent(struct evhttp_request *request, void *arg)
{
	evhttp_connection_set_closecb(evhttp_request_get_connection(request), NULL, NULL);
	sending_end(arg);
}

/* evhttp is about to free the connection; the request is left to whoever has not ended its answer. */
static void on_answer_lost(struct evhttp_connection *, void *arg)
{
	struct sending *s = arg;

	if (s->x) {
		if (s->x->gone)
			event_del(s->x->gone); /* its descriptor is about to be closed */
		s->x->sending = NULL;
		exchange_cancel(s->x);
	}
	sending_end(s);
}

/* What every answer begins with. */
static struct sending *send_head(struct http *h, struct evhttp_request *request, const char *media)
{
	struct sending *s = must(calloc(1, sizeof(*s)));

	s->http = h;
	h->unsent++;
	evhttp_request_set_on_complete_cb(request, on_sent, s);
	evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_answer_lost, s);
	answer_set_header(request, "Content-Type", media);
	answer_set_header(request, "Cache-Control", "no-store");
	answer_set_header(request, "X-Content-Type-Options", "nosniff");
	return s;
}

/* body is taken over. */
static void send_whole(struct http *h, struct evhttp_request *request, int status, const char *media, struct evbuffer *body)
{
	char digits[24];

	send_head(h, request, media);
	exact_must(digits, sizeof(digits), "%zu", evbuffer_get_length(body));
	answer_set_header(request, "Content-Length", digits);
	if (evhttp_request_get_command(request) == EVHTTP_REQ_HEAD)
		evbuffer_drain(body, evbuffer_get_length(body));
	evhttp_send_reply(request, status, NULL, body);
	evbuffer_free(body);
}

static void free_text(const void *text, size_t length, void *)
{
	json_text_free((char *)text, length);
}

void answer_json(struct http *h, struct evhttp_request *request, int status, json_t *document)
{
	struct evbuffer *body = must(evbuffer_new());
	size_t length;
	char *text = json_text(document, &length);

	json_decref(document);
	if (evbuffer_add_reference(body, text, length, free_text, NULL) < 0)
		abort();
	send_whole(h, request, status, "application/json", body);
}

void answer_bytes(struct exchange *x, const char *media, const void *bytes, size_t n)
{
	struct evbuffer *body = must(evbuffer_new());

	if (evbuffer_add(body, bytes, n) < 0)
		abort();
	x->answered = true;
	send_whole(x->http, x->front.request, HTTP_OK, media, body);
}

/* What may have been done is not to be repeated by a program that has not looked. */
static void set_retry_after(struct evhttp_request *request, const struct refusal *refusal)
{
	bool passes = error_row(refusal->code)->http == 503 && refusal->code != ERR_maybe_done;
	int64_t ms = refusal->retry_ms ? refusal->retry_ms : passes ? 1000 : 0;
	char seconds[24];

	if (!ms)
		return;
	exact_must(seconds, sizeof(seconds), "%lld", (long long)((ms + 999) / 1000));
	answer_set_header(request, "Retry-After", seconds);
}

void answer_refusal(struct http *h, struct evhttp_request *request, int status, const struct refusal *refusal)
{
	const struct error_row *row = error_row(refusal->code);

	set_retry_after(request, refusal);
	answer_json(h, request, status ? status : row->http, must(json_pack("{s{ss ss ss* ss*}}", "error", "code", row->name,
		"message", refusal->message, "field", *refusal->field ? refusal->field : NULL,
		"detail", *refusal->detail ? refusal->detail : NULL)));
}

int answer_body(struct exchange *x, const void *result)
{
	const struct method *m = x->route.method;
	const struct field *f = field_named(m->result(), "body");
	CLEANUP(memfd_unmap) struct memfd_view view = { 0 };
	int r = memfd_map(*(const int *)(const void *)((const char *)result + f->offset), (size_t)f->most, &view);

	if (r == 0)
		answer_bytes(x, m->media, view.data, view.size);
	return r;
}

void answer_nothing(struct exchange *x)
{
	x->answered = true;
	send_head(x->http, x->front.request, "text/plain");
	evhttp_send_reply(x->front.request, HTTP_NOCONTENT, NULL, NULL);
}

/*
 * evhttp goes on reading meanwhile, to see the client go. That nothing comes is no failure, what comes is of no use, and no
 * further request is taken on that connection. nginx is to pass each piece on at once.
 */
void answer_begin(struct exchange *x)
{
	struct bufferevent *b = evhttp_connection_get_bufferevent(x->connection);
	const struct timeval write = { .tv_sec = WRITE_S };

	x->answered = true;
	x->sending = send_head(x->http, x->front.request, "text/event-stream");
	x->sending->x = x;
	answer_set_header(x->front.request, "X-Accel-Buffering", "no");
	answer_set_header(x->front.request, "Connection", "close");
	bufferevent_setwatermark(b, EV_READ, 0, MOST_BEHIND);
	bufferevent_set_timeouts(b, NULL, &write);
	evhttp_send_reply_start(x->front.request, HTTP_OK, NULL);
}

static void on_answer_written(struct evhttp_connection *, void *arg)
{
	struct exchange *x = arg;

	latch_wake(&x->written, 0);
}

/* One is under way at a time, so a reader that does not read costs one item. */
int answer_piece(struct exchange *x, const char *text, size_t n)
{
	struct evbuffer *piece;

	if (!x->sending)
		return -ECANCELED;
	piece = must(evbuffer_new());
	if (evbuffer_add(piece, text, n) < 0)
		abort();
	evhttp_send_reply_chunk_with_cb(x->front.request, piece, on_answer_written, x);
	evbuffer_free(piece);
	return latch_wait(&x->written, NEVER);
}

/* on_answer_written() is called no more, for evhttp has one such callback. Of a lost connection this frees the request. */
void answer_end(struct exchange *x)
{
	if (x->sending)
		x->sending->x = NULL;
	x->sending = NULL;
	evhttp_send_reply_end(x->front.request);
}
