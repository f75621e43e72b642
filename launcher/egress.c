#include "launcher/egress_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/acceptor.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"
#include "launcher/command.h"
#include "launcher/notices.h"
#include "proto/call.h"

#define MOST_CLIENTS 256
#define HEAD_MS      30000 /* for a request's head to become whole; preconnects say nothing for a while */

static size_t alive;

static void egress_release(void *arg)
{
	struct egress *e = arg;

	alive--;
	resolver_end(&e->dialer.resolver);
	egress_rule_free(e->rule);
	free(e);
}

static void client_free(struct client *c)
{
	struct egress *e = c->egress;

	alone_end(c);
	LIST_REMOVE(c, link);
	e->count--;
	closep(&c->fd);
	relay_free(c->relay);
	free(c);
	if (e->closing && e->count == 0)
		loop_defer(egress_release, e);
	else if (!e->closing)
		acceptor_hold(e->acceptor, false);
}

static void on_relay_end(void *arg)
{
	struct client *c = arg;

	c->relay = NULL;
	client_free(c);
}

/* A short answer of our own. What a page sees of it over http is this text and nothing else. */
static void egress_answer(int fd, const char *status, const char *why)
{
	char text[1024];
	size_t n;

	exact_must(text, sizeof(text),
		"HTTP/1.1 %s\r\nProxy-Status: " EGRESS_PROXY "; error=proxy_internal_response\r\n"
		"Content-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\nStead: %s\n",
		status, strlen(why) + 8, why);
	n = strlen(text);
	/*
	 * A fresh socket's buffer takes it whole; a browser that does not read gets the rest of
	 * nothing.
	 */
	if (send(fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)n)
		shutdown(fd, SHUT_WR);
}

static void note_refusal(struct egress *e, const char *host, size_t length, const char *why)
{
	char name[HOST_TEXT + 1] = "";

	if (length < sizeof(name))
		memcpy(name, host, length);
	log_debug("refused %s: %s", name, why);
	if (!e->closing && !command_is_chromiums_own(name))
		notices_add(e->notices, NOTICE_REFUSED, host, length, why);
}

/* 0 once the buffer holds a whole head. */
static int egress_read_head(int fd, char *in, size_t *length, struct proxy_request *ret)
{
	int64_t deadline = deadline_in(HEAD_MS);
	int r;

	while ((r = proxy_request_parse(in, *length, ret)) == -EAGAIN) {
		if (*length == PROXY_HEAD_MOST + 1)
			return -E2BIG;
		r = fiber_wait_fd(fd, EV_READ, deadline);
		if (r < 0)
			return r;
		ssize_t n = recv(fd, in + *length, PROXY_HEAD_MOST + 1 - *length, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return -ECONNRESET;
		*length += n > 0 ? (size_t)n : 0;
	}
	return r;
}

static void answer_bad(int fd, int r)
{
	if (r == -E2BIG)
		egress_answer(fd, "431 Request Header Fields Too Large",
			"the request's head is too large.");
	else if (r == -ENOTSUP)
		egress_answer(fd, "411 Length Required",
			"a plain HTTP request with a body must say its length.");
	else if (r == -EBADMSG)
		egress_answer(fd, "400 Bad Request", "this is no request to a proxy.");
}

/* What came behind the head goes on first; a CONNECT is answered. */
static void begin_relay(struct client *c, int server, const struct proxy_request *request,
	const char *in, size_t length)
{
	size_t early = length - request->length;
	char *first = NULL;

	if (early > request->body)
		early = (size_t)request->body;
	first = must(malloc(request->head_length + early + 1));
	if (request->head)
		memcpy(first, request->head, request->head_length);
	memcpy(first + request->head_length, in + request->length, early);
	uint64_t left = request->connect ? UINT64_MAX : request->body - early;
	c->relay = relay_new(
		TAKE_FD(c->fd), server, first, request->head_length + early, left, on_relay_end, c);
	c->tunnel = request->connect;
	if (request->connect)
		relay_say_connected(c->relay);
	relay_on_heard(c->relay, alone_heard);
	alone_made(c);
	free(first);
}

/* What loses its turn while it is dialled waits for another, and is dialled anew. */
static int reach(struct client *c, const struct proxy_request *request, int *ret, char why[EGRESS_WHY])
{
	for (;;) {
		int r = alone_wait_turn(c, request);
		if (r == 0)
			r = dialer_dial(&c->egress->dialer, request->host, request->host_length, request->port, ret, why);
		bool cut = fiber_cancelled() || !c->egress->open; /* meanwhile */
		if (r < 0 || (!cut && !alone_bars(c)))
			return r;
		close(*ret);
		if (cut)
			return -ECANCELED;
	}
}

static void egress_carry_out(
	struct client *c, const struct proxy_request *request, const char *in, size_t length)
{
	char why[EGRESS_WHY] = "";
	int server = -1;
	int r = reach(c, request, &server, why);

	if (r == -ECONNREFUSED) {
		egress_answer(c->fd, "503 Service Unavailable", "what was sent is not sent again.");
	} else if (r == -EACCES || r == -EINVAL) {
		note_refusal(c->egress, request->host, request->host_length, why);
		egress_answer(c->fd, "403 Forbidden", why);
	} else if (r == 0) {
		begin_relay(c, server, request, in, length);
	} else if (r != -ECANCELED) {
		if (!c->egress->closing)
			notices_add(c->egress->notices, NOTICE_UNREACHED, request->host, request->host_length, why);
		egress_answer(c->fd, "502 Bad Gateway", why);
	}
}

static void egress_serve(void *arg)
{
	struct client *c = arg;
	struct proxy_request request = { 0 };
	char *in = must(malloc(PROXY_HEAD_MOST + 1));
	size_t length = 0;

	c->fiber = fiber_self();
	int r = c->egress->open ? egress_read_head(c->fd, in, &length, &request) : -ECANCELED;
	if (r == 0)
		egress_carry_out(c, &request, in, length);
	else
		answer_bad(c->fd, r);
	proxy_request_clear(&request);
	explicit_bzero(in, length);
	free(in);
	c->fiber = NULL;
	if (!c->relay)
		client_free(c);
}

static void client_new(struct egress *e, int fd)
{
	struct client *c = must(calloc(1, sizeof(*c)));

	c->egress = e;
	c->fd = fd;
	LIST_INSERT_HEAD(&e->clients, c, link);
	e->count++;
	fiber_start("egress", egress_serve, c, NULL);
}

static void on_egress_accepted(void *arg, int fd)
{
	struct egress *e = arg;

	if (e->open)
		client_new(e, fd);
	else
		close(fd);
	acceptor_hold(e->acceptor, e->count >= MOST_CLIENTS); /* the others wait in the backlog */
}

struct egress *egress_new(int listener, struct egress_rule *rule, bool open, struct notices *notices)
{
	struct egress *e = must(calloc(1, sizeof(*e)));

	alive++;
	e->rule = rule;
	e->dialer.rule = rule;
	e->open = open;
	e->notices = notices;
	LIST_INIT(&e->clients);
	e->acceptor = acceptor_new(listener, "the browser's", on_egress_accepted, e);
	return e;
}

/* A relay goes at once; a fiber ends at its wait, and its socket is dead until then. */
void client_cut(struct client *c)
{
	if (c->relay) {
		c->relay = relay_free(c->relay);
		client_free(c);
		return;
	}
	shutdown(c->fd, SHUT_RDWR);
	fiber_cancel(c->fiber);
}

static void cut_all(struct egress *e)
{
	struct client *c, *next;

	for (c = LIST_FIRST(&e->clients); c; c = next) {
		next = LIST_NEXT(c, link);
		client_cut(c);
	}
}

void egress_open(struct egress *e, bool open)
{
	e->open = open;
	if (!open)
		cut_all(e);
}

bool egress_any(void)
{
	return alive > 0;
}

struct egress *egress_free(struct egress *e)
{
	if (!e)
		return NULL;
	e->acceptor = acceptor_free(e->acceptor);
	latch_wake(&e->alone.news, -ECONNRESET);
	latch_wake(&e->turns, -ECONNRESET);
	if (e->count == 0) {
		egress_release(e);
		return NULL;
	}
	e->closing = true;
	e->open = false;
	cut_all(e);
	return NULL;
}
