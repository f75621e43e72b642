/*
 * A WebSocket client for tests, which blocks (RFC 6455). It sends whatever it is told to, right or wrong. Every wait
 * ends after a minute with a failed assertion.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define WS_TEXT   1
#define WS_BINARY 2
#define WS_CLOSE  8
#define WS_PING   9
#define WS_PONG   10

struct ws {
	int fd;
	uint8_t *in; /* bytes read and not used */
	size_t have, room;
};

struct ws_frame {
	bool fin;
	int opcode;
	size_t size;
	uint8_t *payload; /* to be freed; with a NUL behind it */
};

/* A plain connection. */
static inline struct ws ws_connect(const char *path)
{
	const struct timeval minute = { .tv_sec = 60 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct ws w = { .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };

	assert_true(w.fd >= 0);
	setsockopt(w.fd, SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof(minute));
	setsockopt(w.fd, SOL_SOCKET, SO_SNDTIMEO, &minute, sizeof(minute));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(connect(w.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return w;
}

static inline void ws_disconnect(struct ws *w)
{
	if (w->fd >= 0)
		close(w->fd);
	free(w->in);
	*w = (struct ws){ .fd = -1 };
}

/* All bytes; the peer may have gone meanwhile, what it said can still be read. */
static inline void ws_write(struct ws *w, const void *p, size_t n)
{
	const char *from = p;

	while (n > 0) {
		ssize_t r = send(w->fd, from, n, MSG_NOSIGNAL);
		if (r < 0 && (errno == EPIPE || errno == ECONNRESET))
			return;
		assert_true(r > 0);
		from += r;
		n -= (size_t)r;
	}
}

/* More bytes; false at the end. */
static inline bool ws_fill(struct ws *w)
{
	ssize_t r;

	if (w->room - w->have < 65536) {
		w->room = 2 * w->room + 65536;
		w->in = realloc(w->in, w->room);
		assert_non_null(w->in);
	}
	r = recv(w->fd, w->in + w->have, w->room - w->have, 0);
	if (r < 0 && errno == EAGAIN)
		fail_msg("nothing came for a minute");
	if (r <= 0)
		return false;
	w->have += (size_t)r;
	return true;
}

static inline void ws_use(struct ws *w, size_t n)
{
	w->have -= n;
	memmove(w->in, w->in + n, w->have);
}

/* The text of a request for an upgrade; headers: whole lines or "". To be freed. */
static inline char *ws_request(const char *target, const char *origin, const char *headers)
{
	char *text;
	int n = asprintf(&text,
		"GET %s HTTP/1.1\r\nHost: stead.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s%s%s%s\r\n",
		target, origin ? "Origin: " : "", origin ? origin : "", origin ? "\r\n" : "", headers);

	assert_true(n > 0);
	return text;
}

/* Reads the head of an HTTP answer into head (size bytes): its status, or 0 if there is none. */
static inline int ws_read_head(struct ws *w, char *head, size_t size)
{
	char *end;
	int status;
	size_t n;

	while (!(end = w->have ? memmem(w->in, w->have, "\r\n\r\n", 4) : NULL))
		if (!ws_fill(w))
			return 0;
	n = (size_t)(end - (char *)w->in) + 4;
	assert_true(n < size);
	memcpy(head, w->in, n);
	head[n] = '\0';
	ws_use(w, n);
	assert_int_equal(sscanf(head, "HTTP/1.1 %d", &status), 1);
	return status;
}

/* Connects, sends the request, reads the head of the answer: its status. */
static inline int ws_open(struct ws *ret, const char *path, const char *target, const char *origin,
	const char *headers)
{
	char *text = ws_request(target, origin, headers), head[2048];

	*ret = ws_connect(path);
	ws_write(ret, text, strlen(text));
	free(text);
	return ws_read_head(ret, head, sizeof(head));
}

/* The frame as bytes, masked; to be freed. */
static inline uint8_t *ws_frame_bytes(int opcode, bool fin, const void *p, size_t n, size_t *ret_size)
{
	static const uint8_t mask[4] = { 0x12, 0x34, 0x56, 0x78 };
	uint8_t *f = malloc(n + 14), *to = f;

	assert_non_null(f);
	*to++ = (uint8_t)((fin ? 0x80 : 0) | opcode);
	if (n < 126) {
		*to++ = (uint8_t)(0x80 | n);
	} else if (n < 65536) {
		*to++ = 0x80 | 126;
		*to++ = (uint8_t)(n >> 8);
		*to++ = (uint8_t)n;
	} else {
		*to++ = 0x80 | 127;
		for (int i = 7; i >= 0; i--)
			*to++ = (uint8_t)((uint64_t)n >> (8 * i));
	}
	memcpy(to, mask, 4);
	to += 4;
	for (size_t i = 0; i < n; i++)
		*to++ = ((const uint8_t *)p)[i] ^ mask[i % 4];
	*ret_size = (size_t)(to - f);
	return f;
}

static inline void ws_send(struct ws *w, int opcode, bool fin, const void *p, size_t n)
{
	size_t size;
	uint8_t *f = ws_frame_bytes(opcode, fin, p, n, &size);

	ws_write(w, f, size);
	free(f);
}

static inline void ws_send_text(struct ws *w, const char *text)
{
	ws_send(w, WS_TEXT, true, text, strlen(text));
}

/* The whole frame's size once its head is there, else 0. */
static inline size_t ws_frame_size(const struct ws *w, size_t *ret_head, size_t *ret_payload)
{
	size_t n, head = 2;

	if (w->have < 2)
		return 0;
	n = w->in[1] & 0x7f;
	if (n == 126)
		head = 4;
	else if (n == 127)
		head = 10;
	if (w->have < head)
		return 0;
	if (head > 2)
		n = 0;
	for (size_t i = 2; i < head; i++)
		n = n << 8 | w->in[i];
	*ret_head = head;
	*ret_payload = n;
	return head + n;
}

/* False at the end of the connection. */
static inline bool ws_receive(struct ws *w, struct ws_frame *ret)
{
	size_t head = 0, n = 0, whole;

	*ret = (struct ws_frame){ 0 };
	while ((whole = ws_frame_size(w, &head, &n)) == 0 || w->have < whole)
		if (!ws_fill(w))
			return false;
	assert_int_equal(w->in[1] & 0x80, 0); /* a server's frames are not masked */
	*ret = (struct ws_frame){ .fin = w->in[0] & 0x80,
		.opcode = w->in[0] & 0xf,
		.size = n,
		.payload = malloc(n + 1) };
	assert_non_null(ret->payload);
	memcpy(ret->payload, w->in + head, n);
	ret->payload[n] = '\0';
	ws_use(w, whole);
	return true;
}

/* The next frame that is not a ping; pings are answered, as RFC 6455, section 5.5.2, has it. */
static inline bool ws_next(struct ws *w, struct ws_frame *ret)
{
	while (ws_receive(w, ret)) {
		if (ret->opcode != WS_PING)
			return true;
		ws_send(w, WS_PONG, true, ret->payload, ret->size);
		free(ret->payload);
	}
	return false;
}

/* Skips whatever comes before the close frame and gives its code; 1005 if it has none, 1006 if none came. */
static inline int ws_read_close(struct ws *w)
{
	struct ws_frame f;
	int code = 1006;

	while (code == 1006 && ws_next(w, &f)) {
		if (f.opcode == WS_CLOSE) {
			code = f.size >= 2 ? f.payload[0] << 8 | f.payload[1] : 1005;
			ws_send(w, WS_CLOSE, true, f.payload, f.size < 2 ? f.size : 2);
		}
		free(f.payload);
	}
	return code;
}

/* Reads to the end of the connection; to be freed, with a NUL behind it. */
static inline char *ws_read_all(struct ws *w, size_t *ret_size)
{
	char *text;

	while (ws_fill(w))
		;
	text = malloc(w->have + 1);
	assert_non_null(text);
	if (w->have)
		memcpy(text, w->in, w->have);
	text[w->have] = '\0';
	*ret_size = w->have;
	return text;
}

/* The next frame is a whole text, and it is this one. */
static inline void ws_expect_text(struct ws *w, const char *text)
{
	struct ws_frame f;

	assert_true(ws_next(w, &f));
	assert_int_equal(f.opcode, WS_TEXT);
	assert_true(f.fin);
	assert_string_equal((char *)f.payload, text);
	free(f.payload);
}

/* A plain request and its answer: the head into head (size bytes), the body to be freed. */
static inline char *ws_get(const char *path, const char *request, char *head, size_t size, int *ret_status,
	size_t *ret_size)
{
	struct ws w = ws_connect(path);
	char *rest;

	ws_write(&w, request, strlen(request));
	*ret_status = ws_read_head(&w, head, size);
	rest = ws_read_all(&w, ret_size);
	ws_disconnect(&w);
	return rest;
}
