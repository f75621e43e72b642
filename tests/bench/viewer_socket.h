/*
 * A viewer of a stream: a WebSocket (RFC 6455) through nginx, which reads pictures and acknowledges each as it has come
 * whole, and says what a person does. What is text is left unread.
 */
#pragma once

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/loop.h"

#define VIEWER_ROOM (8u << 20)
#define VIEWER_HEAD 32 /* of a picture */

struct viewer_socket {
	int fd;
	struct event *readable;
	uint8_t *in;
	size_t have;
	void (*frame)(struct viewer_socket *v, double captured_ms, size_t n);
};

static inline void viewer_die(const char *what)
{
	fprintf(stderr, "The viewer's WebSocket: %s.\n", what);
	exit(EXIT_FAILURE);
}

static inline void viewer_write(struct viewer_socket *v, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n > 0) {
		ssize_t r = send(v->fd, p, n, MSG_NOSIGNAL);
		if (r < 0 && errno != EAGAIN && errno != EINTR)
			viewer_die("cannot be written to");
		p += r > 0 ? r : 0;
		n -= r > 0 ? (size_t)r : 0;
	}
}

/* The mask is all zeros: nobody between here and streamd could be fooled (section 10.3). */
static inline void viewer_send(struct viewer_socket *v, uint8_t opcode, const char *text)
{
	uint8_t frame[1024];
	size_t n = strlen(text), head = n < 126 ? 2 : 4;

	if (n > sizeof(frame) - 8)
		viewer_die("too much is to be said at once");
	memset(frame, 0, 8);
	frame[0] = 0x80 | opcode;
	frame[1] = 0x80 | (n < 126 ? (uint8_t)n : 126);
	if (n >= 126) {
		frame[2] = (uint8_t)(n >> 8);
		frame[3] = (uint8_t)n;
	}
	memcpy(frame + head + 4, text, n);
	viewer_write(v, frame, head + 4 + n);
}

static inline void viewer_take(struct viewer_socket *v, uint8_t opcode, const uint8_t *payload, size_t n)
{
	uint32_t seq;
	uint64_t at;
	double captured;
	char text[96];

	if (opcode == 8)
		viewer_die("was closed by streamd");
	if (opcode == 9)
		viewer_send(v, 10, "");
	if (opcode != 2 || n < VIEWER_HEAD)
		return;
	memcpy(&seq, payload + 4, sizeof(seq));
	memcpy(&at, payload + 8, sizeof(at));
	at = le64toh(at);
	memcpy(&captured, &at, sizeof(captured));
	v->frame(v, 1e3 * captured, n - VIEWER_HEAD);
	snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"method\":\"frame_ack\",\"params\":{\"seq\":%u}}", le32toh(seq));
	viewer_send(v, 1, text);
}

/* Takes one whole frame from the front: its length, or 0 when more is needed. */
static inline size_t viewer_parse(struct viewer_socket *v, const uint8_t *p, size_t have)
{
	size_t head = 2, n;

	if (have < 2)
		return 0;
	n = p[1] & 127;
	if (n == 126)
		head = 4;
	else if (n == 127)
		head = 10;
	if (have < head)
		return 0;
	if (head > 2)
		n = 0;
	for (size_t i = 2; i < head; i++)
		n = n << 8 | p[i];
	if (n > VIEWER_ROOM - head)
		viewer_die("a message is too large");
	if (have < head + n)
		return 0;
	viewer_take(v, p[0] & 15, p + head, n);
	return head + n;
}

static inline void viewer_parse_all(struct viewer_socket *v)
{
	size_t done = 0, n;

	while ((n = viewer_parse(v, v->in + done, v->have - done)) > 0)
		done += n;
	memmove(v->in, v->in + done, v->have - done);
	v->have -= done;
}

static inline void viewer_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct viewer_socket *v = arg;
	ssize_t n = recv(fd, v->in + v->have, VIEWER_ROOM - v->have, MSG_DONTWAIT);

	(void)what;
	if (n == 0)
		viewer_die("was cut off");
	if (n < 0)
		return;
	v->have += (size_t)n;
	viewer_parse_all(v);
}

static inline void viewer_handshake(struct viewer_socket *v, const char *port, const char *path, const char *cookie)
{
	char text[2048], *end = NULL;
	int n = snprintf(text, sizeof(text),
		"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nOrigin: http://127.0.0.1:%s\r\nCookie: %s\r\n"
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		path, port, port, cookie);

	viewer_write(v, text, (size_t)n);
	while (!end) {
		ssize_t r = recv(v->fd, v->in + v->have, 4096, 0);
		if (r <= 0)
			viewer_die("was refused");
		v->have += (size_t)r;
		end = memmem(v->in, v->have, "\r\n\r\n", 4);
	}
	if (memcmp(v->in, "HTTP/1.1 101", 12) != 0)
		viewer_die("was refused");
	v->have -= (size_t)((uint8_t *)end + 4 - v->in);
	memmove(v->in, end + 4, v->have);
}

/* frame is set before. Blocks until it is open. */
static inline void viewer_open(struct viewer_socket *v, const char *port, const char *path, const char *cookie)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1;

	v->in = malloc(VIEWER_ROOM);
	v->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (!v->in || connect(v->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		viewer_die("cannot reach nginx");
	setsockopt(v->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	viewer_handshake(v, port, path, cookie);
	v->readable = event_new(loop_base(), v->fd, EV_READ | EV_PERSIST, viewer_on_readable, v);
	event_add(v->readable, NULL);
	viewer_parse_all(v);
}

static inline void viewer_close(struct viewer_socket *v)
{
	event_free(v->readable);
	close(v->fd);
	free(v->in);
}
