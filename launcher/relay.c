#include "launcher/relay.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <sys/socket.h>

#include "common/loop.h"
#include "common/must.h"

#define INPUT_MOST  65536  /* bytes taken from the kernel at most */
#define OUTPUT_HIGH 262144 /* bytes queued for one side above which the other is not read */
#define OUTPUT_LOW  65536  /* and below which it is again */
#define IDLE_MS     600000

struct side {
	struct relay *relay;
	struct side *other;
	struct bufferevent *bev;
	uint64_t left; /* bytes that may still come from here */
	bool ended;    /* has said all */
	bool shut;     /* has been told that the other has */
};

struct relay {
	struct side client, server;
	struct event *timer;
	int64_t moved; /* when a byte last did */
	void (*on_end)(void *arg);
	void (*on_heard)(void *arg, bool end);
	void *on_end_arg;
};

struct relay *relay_free(struct relay *r)
{
	if (!r)
		return NULL;
	/* libevent closes the sockets only at its next turn; a cut is a cut now. */
	shutdown(bufferevent_getfd(r->client.bev), SHUT_RDWR);
	shutdown(bufferevent_getfd(r->server.bev), SHUT_RDWR);
	bufferevent_free(r->client.bev);
	bufferevent_free(r->server.bev);
	event_free(r->timer);
	free(r);
	return NULL;
}

static void relay_end(struct relay *r)
{
	void (*on_end)(void *) = r->on_end;
	void *arg = r->on_end_arg;

	relay_free(r);
	on_end(arg);
}

/*
 * One side has said all and the other has got all of it: pass the end on. True when that was the
 * last of the relay.
 */
static bool pass_end(struct side *from)
{
	struct side *to = from->other;

	if (from->ended && !to->shut && evbuffer_get_length(bufferevent_get_output(to->bev)) == 0) {
		shutdown(bufferevent_getfd(to->bev), SHUT_WR);
		to->shut = true;
	}
	if (!(from->relay->client.shut && from->relay->server.shut))
		return false;
	relay_end(from->relay);
	return true;
}

static void tell_heard(const struct side *from, bool end)
{
	struct relay *r = from->relay;

	if (from == &r->server && r->on_heard)
		r->on_heard(r->on_end_arg, end);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct side *from = arg;
	struct evbuffer *in = bufferevent_get_input(bev),
			*out = bufferevent_get_output(from->other->bev);
	size_t n = evbuffer_get_length(in);

	if (n > from->left) {
		relay_end(from->relay);
		return;
	}
	if (from->left != UINT64_MAX)
		from->left -= n;
	from->relay->moved = loop_now();
	tell_heard(from, false);
	evbuffer_add_buffer(out, in);
	if (evbuffer_get_length(out) > OUTPUT_HIGH)
		bufferevent_disable(bev, EV_READ);
}

static void on_relay_written(struct bufferevent *, void *arg)
{
	struct side *to = arg;

	to->relay->moved = loop_now();
	if (pass_end(to->other))
		return;
	if (!to->other->ended)
		bufferevent_enable(to->other->bev, EV_READ);
}

static void on_relay_event(struct bufferevent *bev, short what, void *arg)
{
	struct side *side = arg;

	tell_heard(side, true);
	if ((what & BEV_EVENT_EOF) && (what & BEV_EVENT_READING)) {
		side->ended = true;
		bufferevent_disable(bev, EV_READ);
		pass_end(side);
		return;
	}
	relay_end(side->relay);
}

static void arm(struct relay *r)
{
	loop_arm(r->timer, r->moved + IDLE_MS - loop_now());
}

static void on_relay_timer(evutil_socket_t, short, void *arg)
{
	struct relay *r = arg;

	if (loop_now() - r->moved >= IDLE_MS)
		relay_end(r);
	else
		arm(r);
}

static void side_init(
	struct side *side, struct relay *relay, struct side *other, int fd, uint64_t most)
{
	side->relay = relay;
	side->other = other;
	side->left = most;
	side->bev = must(bufferevent_socket_new(loop_base(), fd, BEV_OPT_CLOSE_ON_FREE));
	bufferevent_setcb(side->bev, on_read, on_relay_written, on_relay_event, side);
	bufferevent_setwatermark(side->bev, EV_READ, 0, INPUT_MOST);
	bufferevent_setwatermark(side->bev, EV_WRITE, OUTPUT_LOW, 0);
}

struct relay *relay_new(int client, int server, const void *p, size_t n, uint64_t client_most,
	void (*ended)(void *arg), void *arg)
{
	struct relay *r = must(calloc(1, sizeof(*r)));

	r->on_end = ended;
	r->on_end_arg = arg;
	r->moved = loop_now();
	side_init(&r->client, r, &r->server, client, client_most);
	side_init(&r->server, r, &r->client, server, UINT64_MAX);
	r->timer = loop_timer(on_relay_timer, r);
	arm(r);
	if (n)
		bufferevent_write(r->server.bev, p, n);
	bufferevent_enable(r->client.bev, EV_READ | EV_WRITE);
	bufferevent_enable(r->server.bev, EV_READ | EV_WRITE);
	return r;
}

void relay_on_heard(struct relay *r, void (*heard)(void *arg, bool end))
{
	r->on_heard = heard;
}

void relay_mute(struct relay *r)
{
	r->client.left = 0;
}

int64_t relay_moved(const struct relay *r)
{
	return r->moved;
}

void relay_say_connected(struct relay *r)
{
	static const char text[] = "HTTP/1.1 200 Connection established\r\n\r\n";

	bufferevent_write(r->client.bev, text, sizeof(text) - 1);
}
