/* One connection of the edge: what is said on it, what goes out and when, and its end. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"
#include "streamd/edge/edge_inside.h"

#define GIVE_UP_S 5 /* for a peer to read what is left */

/* The line of that id, or NULL. */
static struct line *find_line(const struct edge *e, uint64_t id)
{
	struct line *l;

	LIST_FOREACH (l, &e->buckets[id % BUCKETS], same_bucket)
		if (l->id == id)
			return l;
	return NULL;
}

void edge_turn_soon(struct edge *e)
{
	if (!e->turning) /* else what is wanted is watched for when it ends, so that others have their turn, too */
		event_active(e->turn, EV_TIMEOUT, 0);
}

static void drop_message(struct line *l)
{
	if (l->message)
		explicit_bzero(l->message, l->got);
	free(l->message);
	l->message = NULL;
	l->got = l->room = 0;
}

void edge_request_free(struct line *l)
{
	if (l->request)
		explicit_bzero(l->request, sizeof(*l->request));
	free(l->request);
	l->request = NULL;
}

/* One that may still be spoken to. */
static struct line *find_open(const struct edge *e, uint64_t id)
{
	struct line *l = find_line(e, id);

	return l && !l->closing ? l : NULL;
}

static void want_write(struct line *l)
{
	l->wants = true;
	lws_callback_on_writable(l->wsi);
	edge_turn_soon(l->edge);
}

/* What the library has put aside is taken up in a turn. */
void edge_read_on(struct line *l, bool on)
{
	lws_rx_flow_control(l->wsi, on);
	l->reading = on;
	event_add(l->readable, NULL);
	edge_turn_soon(l->edge);
}

/* The end. */

void edge_line_kill(struct line *l)
{
	lws_set_timeout(l->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
	edge_turn_soon(l->edge);
}

static void on_edge_line_late(evutil_socket_t, short, void *arg)
{
	struct line *l = arg;

	if (l->decided || l->closing) {
		edge_line_kill(l); /* a peer that never reads keeps our turn to write from us */
		return;
	}
	log_warning("A request was not decided on in time; it is closed.");
	edge_line_close(l, EDGE_CLOSE_UNAVAILABLE, "Stead did not answer in time; try again in a moment.");
}

void edge_give_up_in(struct line *l, unsigned s)
{
	if (!l->late)
		l->late = loop_timer(on_edge_line_late, l);
	loop_arm(l->late, s * INT64_C(1000));
}

static void drop_out(struct line *l)
{
	struct piece *p;

	while ((p = STAILQ_FIRST(&l->out))) {
		STAILQ_REMOVE_HEAD(&l->out, link);
		explicit_bzero(p->room + LWS_PRE, p->size);
		free(p);
	}
	l->queued = 0;
}

static void queue(struct line *l, const void *bytes, size_t n)
{
	struct piece *p = must(malloc(sizeof(*p) + LWS_PRE + n));

	p->size = n;
	memcpy(p->room + LWS_PRE, bytes, n);
	STAILQ_INSERT_TAIL(&l->out, p, link);
	l->queued += n;
	want_write(l);
}

/* A peer that sends without a pause would keep our turn to write from us, so nothing more is read before we have had it. */
void edge_line_close(struct line *l, int code, const char *reason)
{
	if (l->closing)
		return;
	l->closing = true;
	l->close_code = code;
	words_set(l->reason, sizeof(l->reason), "%s", reason);
	l->picture = picture_unref(l->picture);
	drop_message(l);
	edge_read_on(l, false);
	edge_give_up_in(l, GIVE_UP_S);
	want_write(l);
}

void edge_line_close_now(struct line *l, int code, const char *reason)
{
	drop_out(l);
	edge_line_close(l, code, reason);
}

void edge_line_free(struct line *l)
{
	LIST_REMOVE(l, link);
	if (l->id)
		LIST_REMOVE(l, same_bucket);
	if (l->late)
		event_free(l->late);
	event_free(l->readable);
	event_free(l->writable);
	drop_out(l);
	drop_message(l);
	edge_request_free(l);
	picture_unref(l->picture);
	free(l);
}

/* What goes out. */

static int send_piece(struct line *l)
{
	struct edge *e = l->edge;
	struct piece *p = STAILQ_FIRST(&l->out);
	int r = lws_write(l->wsi, p->room + LWS_PRE, p->size, LWS_WRITE_TEXT);

	STAILQ_REMOVE_HEAD(&l->out, link);
	l->queued -= p->size;
	explicit_bzero(p->room + LWS_PRE, p->size);
	free(p);
	if (l->queued == 0 && !l->closing && !e->ending && e->events->drained)
		e->events->drained(l->visitor);
	return r < 0 ? -1 : 0;
}

static int send_picture(struct line *l)
{
	int r = lws_write(l->wsi, picture_message(l->picture), picture_size(l->picture), LWS_WRITE_BINARY);

	l->flying[l->flying_count++] = picture_seq(l->picture);
	l->picture = picture_unref(l->picture);
	return r < 0 ? -1 : 0;
}

static bool may_send_picture(const struct line *l)
{
	return l->accepted && l->picture && l->flying_count < MOST_FLYING;
}

/* The library writes it in a turn of its own, and then waits for the peer's answer. */
static int say_close(struct line *l)
{
	l->said_close = l->once_more = true;
	lws_close_reason(l->wsi, (enum lws_close_status)l->close_code, (uint8_t *)l->reason, strlen(l->reason));
	edge_read_on(l, true);
	return -1;
}

int edge_writable(struct line *l)
{
	int r = 0;

	l->wants = false;
	if (l->said_close) /* what the peer still sends can bring us here; it is to have time to answer */
		return 0;
	if (!STAILQ_EMPTY(&l->out)) {
		r = send_piece(l);
	} else if (l->closing) {
		return say_close(l);
	} else if (may_send_picture(l)) {
		r = send_picture(l);
	}
	if (r == 0 && (!STAILQ_EMPTY(&l->out) || l->closing || may_send_picture(l)))
		want_write(l);
	return r;
}

/* What is said on it. */

void edge_accept(struct edge *e, uint64_t id)
{
	struct line *l = find_open(e, id);

	if (!l || l->decided)
		return;
	l->decided = l->accepted = true;
	event_del(l->late);
	edge_read_on(l, true);
}

void edge_refuse(struct edge *e, uint64_t id, int close_code, const char *sentence)
{
	struct line *l = find_open(e, id);

	if (!l || l->decided)
		return;
	l->decided = true;
	edge_line_close(l, close_code, sentence);
}

void edge_send_text(struct edge *e, uint64_t id, const char *text, size_t n)
{
	struct line *l = find_open(e, id);

	if (!l)
		return;
	assert(l->decided);
	if (l->queued + n > e->config.queue) {
		log_debug("viewer %llu does not read and is closed", (unsigned long long)id);
		edge_line_close_now(l, EDGE_CLOSE_POLICY, "The page does not read what it is sent.");
	} else {
		queue(l, text, n);
	}
}

size_t edge_queued(const struct edge *e, uint64_t id)
{
	const struct line *l = find_line(e, id);

	return l ? l->queued : 0;
}

void edge_send_picture(struct edge *e, uint64_t id, struct picture *p)
{
	struct line *l = find_open(e, id);

	if (!l)
		return;
	picture_unref(l->picture);
	l->picture = picture_ref(p);
	if (may_send_picture(l))
		want_write(l);
}

void edge_picture_acked(struct edge *e, uint64_t id, uint32_t seq)
{
	struct line *l = find_open(e, id);
	unsigned left = 0;

	if (!l)
		return;
	for (unsigned i = 0; i < l->flying_count; i++)
		if ((int32_t)(l->flying[i] - seq) > 0)
			l->flying[left++] = l->flying[i];
	l->flying_count = left;
	if (may_send_picture(l))
		want_write(l);
}

void edge_close(struct edge *e, uint64_t id, int code, const char *reason)
{
	struct line *l = find_open(e, id);

	if (l)
		edge_line_close(l, code, reason);
}
