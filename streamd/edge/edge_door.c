#include "streamd/edge/edge_door.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/acceptor.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"
#include "streamd/edge/edge_head.h"

#define SAY_PAUSE_MS   1000 /* between lines of the log about what is refused: whoever sends many fills none */
#define MOST_DRAINED   (64 << 10)

/* One whose head is not whole. */
struct visitor {
	struct edge_door *door;
	int fd;
	struct event *event;
	int64_t by_ms; /* whatever trickles in meanwhile */
	TAILQ_ENTRY(visitor) link;
};

struct edge_door {
	struct edge_door_config config;
	void (*admitted)(void *owner, int fd);
	void *owner;
	struct acceptor *acceptor;
	struct event *late;
	size_t inside, waiting; /* the first: admitted and not left */
	int64_t said_ms;
	size_t unsaid;
	TAILQ_HEAD(visitors, visitor) visitors; /* who waits longest comes first */
};

static void hold_if_full(struct edge_door *d)
{
	acceptor_hold(d->acceptor, d->inside + d->waiting >= d->config.connections);
}

/* It is not waited for any more; its descriptor is the caller's. */
static int visitor_release(struct visitor *v)
{
	struct edge_door *d = v->door;
	int fd = v->fd;

	TAILQ_REMOVE(&d->visitors, v, link);
	d->waiting--;
	event_free(v->event);
	free(v);
	return fd;
}

static void edge_door_say_refused(struct edge_door *d, const struct edge_head_refusal *why, const char *head, size_t n)
{
	int64_t now = loop_now();
	char first[64] = "";

	if (why->status == 426) /* no harm is meant */
		return;
	if (d->said_ms && now - d->said_ms < SAY_PAUSE_MS) {
		d->unsaid++;
		return;
	}
	if (n >= sizeof(first))
		n = sizeof(first) - 1;
	if (n > 0)
		memcpy(first, head, n);
	first[strcspn(first, "\r\n?#")] = '\0'; /* what an address has behind these is no business of the log */
	log_warning("a request that was no business of the edge was refused with %d (%zu more were not logged): \"%s\". %s", why->status,
		d->unsaid, BRIEF(60, first), why->sentence);
	d->said_ms = now;
	d->unsaid = 0;
}

static const char *reason_phrase(int status)
{
	switch (status) {
	case 400: return "Bad Request";
	case 405: return "Method Not Allowed";
	case 408: return "Request Timeout";
	case 426: return "Upgrade Required";
	case 431: return "Request Header Fields Too Large";
	case 503: return "Service Unavailable";
	case 505: return "HTTP Version Not Supported";
	default: return "Refused";
	}
}

/* Into a socket that nothing has been written to, so that it fits; what came is taken out, for the peer to hear it. */
static void answer_and_close(int fd, const struct edge_head_refusal *why)
{
	char text[1024], rest[4096];
	size_t n = 0;
	ssize_t r;

	exact_must(text, sizeof(text),
		"HTTP/1.1 %d %s\r\n%sContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
		"X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n%s",
		why->status, reason_phrase(why->status), why->status == 405 ? "Allow: GET\r\n" : why->status == 426 ? "Upgrade: websocket\r\n" : "", strlen(why->sentence), why->sentence);
	while (n < MOST_DRAINED && (r = recv(fd, rest, sizeof(rest), MSG_DONTWAIT)) > 0)
		n += (size_t)r;
	explicit_bzero(rest, sizeof(rest)); /* a cookie was among it */
	if (send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug("a refusal could not be told: %s", strerror(errno));
	shutdown(fd, SHUT_WR);
	close(fd);
}

static void edge_door_refuse(struct visitor *v, const struct edge_head_refusal *why, const char *head, size_t n)
{
	struct edge_door *d = v->door;

	edge_door_say_refused(d, why, head, n);
	answer_and_close(visitor_release(v), why);
	hold_if_full(d);
}

static void edge_door_admit(struct visitor *v)
{
	struct edge_door *d = v->door;
	int fd = visitor_release(v);

	d->inside++;
	d->admitted(d->owner, fd);
}

static void edge_door_drop(struct visitor *v)
{
	struct edge_door *d = v->door;

	close(visitor_release(v));
	hold_if_full(d);
}

/* gone: nothing more will come. */
static void edge_door_look(struct visitor *v, bool gone)
{
	char head[EDGE_HEAD_MOST];
	struct edge_head_refusal why;
	ssize_t n = recv(v->fd, head, sizeof(head), MSG_PEEK | MSG_DONTWAIT);
	int r;

	if (n < 0 && (errno == EAGAIN || errno == EINTR) && !gone)
		return;
	r = n > 0 ? edge_head_check(head, (size_t)n, &why) : -ECONNRESET;
	if (r == 0)
		edge_door_admit(v);
	else if (r == -EBADMSG)
		edge_door_refuse(v, &why, head, (size_t)n);
	else if (gone || n <= 0)
		edge_door_drop(v);
	if (n > 0)
		explicit_bzero(head, (size_t)n);
}

/* Edge-triggered: what was looked at is still there, and must not wake us again. */
static void on_bytes(evutil_socket_t, short what, void *arg)
{
	edge_door_look(arg, what & EV_CLOSED);
}

static void await_first(struct edge_door *d)
{
	const struct visitor *first = TAILQ_FIRST(&d->visitors);
	int64_t ms = first ? first->by_ms - loop_now() : 0;

	if (first && !evtimer_pending(d->late, NULL))
		loop_arm(d->late, ms);
}

static void on_edge_door_late(evutil_socket_t, short, void *arg)
{
	static const struct edge_head_refusal late = { 408, "The request did not come to its end in time." };
	struct edge_door *d = arg;
	struct visitor *v;

	while ((v = TAILQ_FIRST(&d->visitors)) && v->by_ms <= loop_now())
		edge_door_refuse(v, &late, NULL, 0);
	await_first(d);
}

static void edge_door_make_room(struct edge_door *d)
{
	static const struct edge_head_refusal crowded = { 408, "Too many requests wait for their end." };

	if (d->waiting >= d->config.waiting)
		edge_door_refuse(TAILQ_FIRST(&d->visitors), &crowded, NULL, 0);
}

static void welcome(void *arg, int fd)
{
	struct edge_door *d = arg;
	struct visitor *v;

	edge_door_make_room(d);
	v = must(calloc(1, sizeof(*v)));
	v->door = d;
	v->fd = fd;
	v->event = loop_event(fd, EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, on_bytes, v);
	TAILQ_INSERT_TAIL(&d->visitors, v, link);
	d->waiting++;
	v->by_ms = loop_now() + INT64_C(1000) * d->config.head_s;
	event_add(v->event, NULL);
	edge_door_look(v, false); /* nginx sends it all at once */
	await_first(d);
	hold_if_full(d);
}

struct edge_door *edge_door_new(int listen_fd, const struct edge_door_config *config, void (*admitted)(void *owner, int fd),
	void *owner)
{
	struct edge_door *d = must(calloc(1, sizeof(*d)));

	d->config = *config;
	d->admitted = admitted;
	d->owner = owner;
	TAILQ_INIT(&d->visitors);
	d->late = loop_timer(on_edge_door_late, d);
	d->acceptor = acceptor_new(listen_fd, "nginx's", welcome, d);
	return d;
}

void edge_door_left(struct edge_door *d)
{
	d->inside--;
	hold_if_full(d);
}

struct edge_door *edge_door_free(struct edge_door *d)
{
	static const struct edge_head_refusal going = { 503, "Stead is being restarted; try again in a moment." };
	struct visitor *v;

	if (!d)
		return NULL;
	while ((v = TAILQ_FIRST(&d->visitors)))
		answer_and_close(visitor_release(v), &going);
	event_free(d->late);
	acceptor_free(d->acceptor);
	free(d);
	return NULL;
}
