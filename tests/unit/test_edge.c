/*
 * The edge over real sockets. The loop runs on a thread of its own and serves a small application that does what it is
 * told in messages; the test is the client, which blocks. Also run under ThreadSanitizer, so there are no fibers here.
 */
#include "tests/unit/loop_thread.h"
#include "tests/unit/ws_client.h"

#include <sys/resource.h>

#include "common/listen.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/settings.h"
#include "streamd/edge.h"
#include "streamd/picture.h"

#define ORIGIN "https://stead.test"
#define COOKIE "Cookie: a=b; __Host-stead=secret; stead=other\r\n"

static char directory[64], path[96];
static struct edge *edge;

static struct edge_config config;
static int edge_error;

/* What the application knows; touched on the loop alone, but for those that are atomic. */
static uint64_t last_id, decided_later;
static _Atomic int asked, closed, heard, drained;
static char seen[1024]; /* the last request */
static const char *answer_type;
static char body[1 << 20];

static void tell(struct edge *e, uint64_t id, const char *format, long a)
{
	char line[128];
	int n = snprintf(line, sizeof(line), format, a);

	edge_send_text(e, id, line, (size_t)n);
}

static void on_asked(struct edge *e, void *owner, uint64_t id, const struct edge_request *q)
{
	assert_ptr_equal(owner, &edge);
	last_id = id;
	snprintf(seen, sizeof(seen), "%s?%s cookie=%s ip=%s last=%s %s%s", q->path, q->query, q->cookie, q->ip,
		q->last_event_id, q->websocket ? "ws" : "get", q->event_stream ? " events" : "");
	asked++;
	if (strcmp(q->path, "/ws/later") == 0)
		decided_later = id;
	else if (strcmp(q->path, "/ws/refuse") == 0)
		edge_refuse(e, id, EDGE_CLOSE_NOT_SIGNED_IN, 401, "Sign in.");
	else if (strcmp(q->path, "/ws/large") == 0)
		edge_answer(e, id, 200, "image/jpeg", body, sizeof(body));
	else if (q->event_stream) {
		edge_stream(e, id, "text/event-stream");
		edge_send_text(e, id, "data: 1\n\n", 9);
		edge_send_text(e, id, "data: 2\n\n", 9);
	} else if (!q->websocket)
		edge_answer(e, id, 200, answer_type ? answer_type : "text/plain", "hello", 5);
	else
		edge_accept(e, id);
}

static void send_pictures(struct edge *e, uint64_t id, long first, long count, size_t size)
{
	for (long seq = first; seq < first + count; seq++) {
		struct picture_header h = { .seq = (uint32_t)seq, .captured_at = 1.5, .page_width = 1280 };
		struct picture *p = picture_new(&h, size);
		memset(picture_jpeg(p), (int)seq, size);
		edge_send_picture(e, id, p);
		picture_unref(p);
	}
}

static void on_message(struct edge *e, void *owner, uint64_t id, const char *text, size_t n)
{
	long a = 0, b = 0;

	(void)owner;
	assert_int_equal(text[n], '\0');
	heard++;
	if (sscanf(text, "pictures %ld %ld", &a, &b) == 2)
		send_pictures(e, id, a, b, 100000);
	else if (sscanf(text, "ack %ld", &a) == 1)
		edge_picture_acked(e, id, (uint32_t)a);
	else if (sscanf(text, "close %ld", &a) == 1) {
		tell(e, id, "last words", 0);
		edge_close(e, id, (int)a, "As you wish.");
		tell(e, id, "never sent", 0);
	} else if (sscanf(text, "texts %ld %ld", &a, &b) == 2) {
		for (long i = 0; i < a; i++)
			edge_send_text(e, id, body, (size_t)b);
	} else if (sscanf(text, "length %ld", &a) == 1)
		tell(e, id, "%ld", (long)n);
	else
		edge_send_text(e, id, text, n);
}

static void on_drained(struct edge *e, void *owner, uint64_t id)
{
	(void)owner;
	assert_int_equal(edge_queued(e, id), 0);
	drained++;
}

static void on_closed(struct edge *e, void *owner, uint64_t id)
{
	(void)e, (void)owner, (void)id;
	closed++;
}

static const struct edge_events events = { .asked = on_asked,
	.message = on_message,
	.drained = on_drained,
	.closed = on_closed };

static void begin(void)
{
	static char *origin = ORIGIN;
	static struct words origins = { .items = &origin, .count = 1 };
	int fd = listen_at(directory, path);

	assert_true(fd >= 0);
	config.origins = &origins;
	edge_error = edge_new(fd, &config, &events, &edge, &edge);
}

static void finish(void)
{
	edge = edge_free(edge);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/stead-edge-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/http", directory);
	asked = closed = heard = drained = 0;
	seen[0] = '\0';
	memset(body, 'b', sizeof(body));
	loop_thread_start(begin, finish);
	return edge_error;
}

static int set_up_small(void **state)
{
	config = (struct edge_config){ .connections = 8, .queue = 300000, .ping_s = 1, .hang_up_s = 3, .answer_s = 2 };
	return set_up(state);
}

static int tear_down(void **state)
{
	(void)state;
	loop_thread_stop();
	config = (struct edge_config){ 0 };
	unlink(path);
	rmdir(directory);
	return 0;
}

static struct ws dial(void)
{
	struct ws w;

	assert_int_equal(ws_open(&w, path, "/ws/echo", ORIGIN, COOKIE), 101);
	return w;
}

static void expect_text(struct ws *w, const char *text)
{
	struct ws_frame f;

	assert_true(ws_receive(w, &f));
	assert_int_equal(f.opcode, WS_TEXT);
	assert_true(f.fin);
	assert_string_equal((char *)f.payload, text);
	free(f.payload);
}

static void test_request(void **state)
{
	struct ws w;

	(void)state;
	assert_int_equal(ws_open(&w, path, "/ws/echo/a%20b?after=5&x=y", ORIGIN, COOKIE "X-Real-IP: 192.0.2.7\r\n"), 101);
	ws_send_text(&w, "hello");
	expect_text(&w, "hello");
	assert_string_equal(seen, "/ws/echo/a b?after=5&x=y cookie=secret ip=192.0.2.7 last= ws");
	ws_disconnect(&w);
	await(&closed, 1);
	assert_int_equal(ws_open(&w, path, "/ws/echo", ORIGIN, "Cookie: stead=plain\r\n"), 101);
	ws_send_text(&w, "hello");
	expect_text(&w, "hello");
	assert_string_equal(seen, "/ws/echo? cookie=plain ip= last= ws");
	ws_disconnect(&w);
	await(&closed, 2);
}

static void test_order(void **state)
{
	struct ws w = dial();
	char line[32];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(line, sizeof(line), "m%d", i);
		ws_send_text(&w, line);
	}
	for (int i = 0; i < 5000; i++) {
		snprintf(line, sizeof(line), "m%d", i);
		expect_text(&w, line);
	}
	await(&drained, 1);
	assert_int_equal(heard, 5000);
	ws_disconnect(&w);
}

static void expect_refused(const char *target, const char *origin, const char *headers, int status)
{
	struct ws w;
	size_t n;
	char *rest;
	int before = asked;

	assert_int_equal(ws_open(&w, path, target, origin, headers), status);
	rest = ws_read_all(&w, &n);
	assert_true(n > 10); /* a sentence */
	free(rest);
	ws_disconnect(&w);
	on_loop(nothing);
	assert_int_equal(asked, before); /* nobody has heard of it */
}

static void test_origin(void **state)
{
	(void)state;
	expect_refused("/ws/echo", "https://evil.test", COOKIE, 403);
	expect_refused("/ws/echo", NULL, COOKIE, 403);
	expect_refused("/ws/echo", "null", COOKIE, 403);
	expect_refused("/ws/echo", ORIGIN ".evil.test", COOKIE, 403);
	expect_refused("/ws/echo", "http://stead.test", COOKIE, 403);
	expect_refused("/ws/echo", ORIGIN ":444", COOKIE, 403);
	expect_refused("/elsewhere", ORIGIN, COOKIE, 404);
}

static char *get(const char *request, char *head, size_t size, int *status, size_t *n)
{
	struct ws w = ws_connect(path);
	char *rest;

	ws_write(&w, request, strlen(request));
	*status = ws_read_head(&w, head, size);
	rest = ws_read_all(&w, n);
	ws_disconnect(&w);
	return rest;
}

static void expect_get(const char *request, int status, const char *text)
{
	char head[2048], *rest;
	size_t n;
	int got;

	rest = get(request, head, sizeof(head), &got, &n);
	assert_int_equal(got, status);
	if (text)
		assert_string_equal(rest, text);
	assert_non_null(strcasestr(head, "cache-control: no-store"));
	assert_non_null(strcasestr(head, "x-content-type-options: nosniff"));
	free(rest);
}

static void test_get(void **state)
{
	(void)state;
	expect_get("GET /ws/x?a=1 HTTP/1.1\r\nHost: a\r\n" COOKIE "\r\n", 200, "hello");
	assert_string_equal(seen, "/ws/x?a=1 cookie=secret ip= last= get");
	expect_get("GET /ws/x HTTP/1.1\r\nHost: a\r\nSec-Fetch-Site: same-origin\r\n\r\n", 200, "hello");
	assert_string_equal(seen, "/ws/x? cookie= ip= last= get");
	expect_get("GET /ws/refuse HTTP/1.1\r\nHost: a\r\n\r\n", 401, "Sign in.");
	await(&closed, 3);
	expect_get("GET /ws/x HTTP/1.1\r\nHost: a\r\nSec-Fetch-Site: cross-site\r\n\r\n", 403, NULL);
	expect_get("GET /ws/x HTTP/1.1\r\nHost: a\r\nOrigin: https://evil.test\r\n\r\n", 403, NULL);
	expect_get("GET /other HTTP/1.1\r\nHost: a\r\n\r\n", 404, NULL);
	expect_get("POST /ws/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 405, NULL);
	assert_int_equal(asked, 3);
}

static void test_large_answer(void **state)
{
	char head[2048], *rest;
	size_t n;
	int status;

	(void)state;
	rest = get("GET /ws/large HTTP/1.1\r\nHost: a\r\n\r\n", head, sizeof(head), &status, &n);
	assert_int_equal(status, 200);
	assert_int_equal(n, sizeof(body));
	assert_memory_equal(rest, body, n);
	assert_non_null(strcasestr(head, "content-type: image/jpeg"));
	assert_non_null(strcasestr(head, "content-length: 1048576"));
	free(rest);
}

static void end_stream(void)
{
	edge_send_text(edge, last_id, "data: 3\n\n", 9);
	edge_close(edge, last_id, EDGE_CLOSE_ENDED, "");
}

static void test_event_stream(void **state)
{
	struct ws w = ws_connect(path);
	const char *request = "GET /ws/x/events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n"
			      "Last-Event-ID: 41\r\n\r\n";
	char head[2048], *rest;
	size_t n;

	(void)state;
	ws_write(&w, request, strlen(request));
	assert_int_equal(ws_read_head(&w, head, sizeof(head)), 200);
	assert_non_null(strcasestr(head, "content-type: text/event-stream"));
	assert_null(strcasestr(head, "content-length"));
	assert_string_equal(seen, "/ws/x/events? cookie= ip= last=41 get events");
	on_loop(end_stream);
	rest = ws_read_all(&w, &n);
	assert_string_equal(rest, "data: 1\n\ndata: 2\n\ndata: 3\n\n");
	free(rest);
	ws_disconnect(&w);
	await(&closed, 1);
}

static void expect_close(int opcode, bool fin, const void *p, size_t n, int code)
{
	struct ws w = dial();
	int before = heard;

	ws_send(&w, opcode, fin, p, n);
	assert_int_equal(ws_read_close(&w), code);
	ws_disconnect(&w);
	assert_int_equal(heard, before);
}

static void test_bad_input(void **state)
{
	static char much[200000];

	(void)state;
	memset(much, 'a', sizeof(much));
	expect_close(WS_BINARY, true, "abc", 3, 1003);
	expect_close(WS_TEXT, true, "a\xff", 2, 1007);
	expect_close(WS_TEXT, true, "\xed\xa0\x80", 3, 1007); /* a surrogate */
	expect_close(WS_TEXT, true, "\xc3", 1, 1007);         /* half a character */
	expect_close(WS_TEXT, true, much, 65537, 1009);
	expect_close(WS_TEXT, true, much, sizeof(much), 1009);
	expect_close(0, true, "abc", 3, 1002);     /* goes on with nothing */
	expect_close(3, true, "abc", 3, 1002);     /* no such opcode */
	expect_close(WS_PING, false, "abc", 3, 1002); /* a control frame in pieces */
	await(&closed, 9);
}

static void test_largest(void **state)
{
	struct ws w = dial();
	char *much = malloc(65536);

	(void)state;
	memset(much, 'a', 65536);
	memcpy(much, "length 1", 8);
	ws_send(&w, WS_TEXT, true, much, 65536);
	expect_text(&w, "65536");
	free(much);
	ws_disconnect(&w);
}

static void test_fragments(void **state)
{
	struct ws w = dial();
	struct ws_frame f;

	(void)state;
	ws_send(&w, WS_TEXT, false, "gr\xc3", 3); /* cut inside a character, which is right */
	ws_send(&w, WS_PING, true, "p", 1);
	ws_send(&w, 0, false, "", 0);
	ws_send(&w, 0, true, "\xbc\xc3\x9f", 3);
	assert_true(ws_receive(&w, &f));
	assert_int_equal(f.opcode, WS_PONG);
	assert_string_equal((char *)f.payload, "p");
	free(f.payload);
	expect_text(&w, "gr\xc3\xbc\xc3\x9f");
	ws_send(&w, WS_TEXT, false, "a", 1);
	ws_send(&w, WS_TEXT, true, "b", 1); /* begins anew before the end */
	assert_int_equal(ws_read_close(&w), 1002);
	ws_disconnect(&w);
	assert_int_equal(heard, 1);
}

static void test_many_fragments(void **state)
{
	struct ws w = dial();

	(void)state;
	ws_send(&w, WS_TEXT, false, "a", 1);
	for (int i = 0; i < 65536; i++)
		ws_send(&w, 0, false, "a", 1);
	assert_int_equal(ws_read_close(&w), 1009);
	ws_disconnect(&w);
}

static void accept_later(void)
{
	edge_accept(edge, decided_later);
}

static void refuse_later(void)
{
	edge_refuse(edge, decided_later, EDGE_CLOSE_FORBIDDEN, 403, "It is somebody else's.");
}

/* Nothing is sent and nothing taken before it is decided, not even what came in one piece with the request. */
static void test_nothing_before_decided(void **state)
{
	char *request = ws_request("/ws/later", ORIGIN, COOKIE), all[2048], head[2048];
	struct ws w = ws_connect(path);
	uint8_t *frame;
	size_t n = strlen(request), size;

	(void)state;
	frame = ws_frame_bytes(WS_TEXT, true, "early", 5, &size);
	memcpy(all, request, n);
	memcpy(all + n, frame, size);
	ws_write(&w, all, n + size);
	assert_int_equal(ws_read_head(&w, head, sizeof(head)), 101);
	await(&asked, 1);
	ws_send_text(&w, "second");
	poll(NULL, 0, 50);
	on_loop(nothing);
	assert_int_equal(heard, 0);
	assert_int_equal(w.have, 0);
	on_loop(accept_later);
	expect_text(&w, "early");
	expect_text(&w, "second");
	ws_disconnect(&w);
	free(frame);
	free(request);
}

static void test_refuse(void **state)
{
	struct ws w;

	(void)state;
	assert_int_equal(ws_open(&w, path, "/ws/refuse", ORIGIN, ""), 101);
	ws_send_text(&w, "hello");
	assert_int_equal(ws_read_close(&w), 4401);
	ws_disconnect(&w);
	await(&closed, 1);
	assert_int_equal(ws_open(&w, path, "/ws/later", ORIGIN, ""), 101);
	ws_send_text(&w, "hello");
	await(&asked, 2);
	on_loop(refuse_later);
	assert_int_equal(ws_read_close(&w), 4403);
	ws_disconnect(&w);
	await(&closed, 2);
	assert_int_equal(heard, 0);
}

static void test_undecided(void **state)
{
	struct ws w;

	(void)state;
	assert_int_equal(ws_open(&w, path, "/ws/later", ORIGIN, ""), 101);
	assert_int_equal(ws_read_close(&w), 4503);
	ws_disconnect(&w);
	await(&closed, 1);
}

static void test_close(void **state)
{
	struct ws w = dial();

	(void)state;
	ws_send_text(&w, "close 4410");
	expect_text(&w, "last words");
	assert_int_equal(ws_read_close(&w), 4410);
	ws_disconnect(&w);
	await(&closed, 1);
	w = dial();
	ws_send(&w, WS_CLOSE, true, "\x03\xe8", 2);
	assert_int_equal(ws_read_close(&w), 1000);
	ws_disconnect(&w);
	await(&closed, 2);
}

static uint32_t expect_picture(struct ws *w)
{
	struct ws_frame f;
	uint32_t seq;

	assert_true(ws_receive(w, &f));
	assert_int_equal(f.opcode, WS_BINARY);
	assert_true(f.fin);
	assert_int_equal(f.size, PICTURE_HEADER + 100000);
	assert_int_equal(f.payload[0], 1);
	seq = f.payload[4] | (uint32_t)f.payload[5] << 8 | (uint32_t)f.payload[6] << 16;
	for (size_t i = PICTURE_HEADER; i < f.size; i++)
		assert_true(f.payload[i] == (uint8_t)seq);
	free(f.payload);
	return seq;
}

static void expect_no_frame(struct ws *w)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	assert_int_equal(w->have, 0);
	assert_int_equal(poll(&p, 1, 50), 0);
}

static void test_pictures(void **state)
{
	struct ws w = dial();
	uint32_t seq;

	(void)state;
	ws_send_text(&w, "pictures 1 1");
	assert_int_equal(expect_picture(&w), 1);
	ws_send_text(&w, "pictures 2 1");
	assert_int_equal(expect_picture(&w), 2);
	ws_send_text(&w, "pictures 3 50"); /* two are on their way: of these only the newest is kept */
	expect_no_frame(&w);
	ws_send_text(&w, "ack 1");
	assert_int_equal(expect_picture(&w), 52);
	expect_no_frame(&w);
	ws_send_text(&w, "ack 52");
	ws_send_text(&w, "pictures 100 1000"); /* some leave before the last is there, but never an older after a newer */
	seq = expect_picture(&w);
	while (seq < 1099) {
		char line[32];
		uint32_t next;

		snprintf(line, sizeof(line), "ack %u", seq);
		ws_send_text(&w, line);
		next = expect_picture(&w);
		assert_true(next > seq);
		seq = next;
	}
	ws_disconnect(&w);
	await(&closed, 1);
}

static size_t resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long all, here = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &all, &here), 2);
	fclose(f);
	return here * 4096;
}

/* A sanitizer keeps what has been freed. */
static void assert_flat(size_t before, size_t more)
{
#if !defined(__SANITIZE_ADDRESS__)
	assert_true(resident() < before + more);
#endif
	(void)before, (void)more;
}

static void flood_slow_viewer(void)
{
	send_pictures(edge, last_id, heard * 1000, 1000, 100000);
}

/* 2 GB of pictures for somebody who reads nothing. */
static void test_slow_viewer(void **state)
{
	struct ws w = dial();
	size_t before;

	(void)state;
	await(&asked, 1);
	on_loop(flood_slow_viewer);
	before = resident();
	for (int i = 0; i < 20; i++) {
		heard++;
		on_loop(flood_slow_viewer);
	}
	print_message("resident: %zu KB before, %zu KB after\n", before / 1024, resident() / 1024);
	assert_flat(before, 4 << 20);
	ws_disconnect(&w);
	await(&closed, 1);
}

static void text_flood(void)
{
	for (int i = 0; i < 100; i++)
		edge_send_text(edge, last_id, body, 10000);
}

static void test_does_not_read(void **state)
{
	struct ws w = dial();

	(void)state;
	await(&asked, 1);
	on_loop(text_flood);
	on_loop(text_flood); /* 2 MB; the queue holds 300 KB, the socket some more */
	assert_int_equal(ws_read_close(&w), 1008);
	ws_disconnect(&w);
	await(&closed, 1);
	w = dial();
	await(&asked, 2);
	on_loop(text_flood);
	on_loop(text_flood);
	await(&closed, 2); /* and if it goes on not reading */
	ws_disconnect(&w);
}

/* Messages faster than the loop takes them stay in the socket. */
static void hold_up(void)
{
	poll(NULL, 0, 300);
}

static void test_message_flood(void **state)
{
	struct ws w = dial();
	char *text = malloc(60000);
	size_t before;

	(void)state;
	memset(text, 'x', 60000);
	memcpy(text, "ack 1", 5);
	await(&asked, 1);
	before = resident();
	begin_on_loop(hold_up);
	for (int i = 0; i < 1000; i++)
		ws_send(&w, WS_TEXT, true, text, 60000);
	end_on_loop();
	await(&heard, 1000);
	assert_flat(before, 16 << 20);
	ws_send_text(&w, "still there");
	expect_text(&w, "still there");
	free(text);
	ws_disconnect(&w);
}

static void expect_pongs(struct ws *w, int count)
{
	struct ws_frame f;

	for (int i = 0; i < count; i++) {
		ws_send(w, WS_PING, true, "p", 1);
		assert_true(ws_receive(w, &f));
		assert_int_equal(f.opcode, WS_PONG);
		free(f.payload);
	}
}

/* One after another, each with its pong. */
static void test_pings(void **state)
{
	struct ws w = dial();
	int64_t until = now_ms() + 5000;

	(void)state;
	expect_pongs(&w, 10); /* some are fine */
	ws_send_text(&w, "hello");
	expect_text(&w, "hello");
	while (closed == 0 && now_ms() < until) {
		ws_send(&w, WS_PING, true, "p", 1);
		poll(NULL, 0, 5);
	}
	assert_int_equal(ws_read_close(&w), 1008);
	ws_disconnect(&w);
}

static void *pour_pings(void *arg)
{
	struct ws *w = arg;
	char pings[1000 * 16];
	size_t n = 0, size;
	int64_t until = now_ms() + 8000;

	while (n + 16 <= sizeof(pings)) {
		uint8_t *f = ws_frame_bytes(WS_PING, true, "0123456789", 10, &size);
		memcpy(pings + n, f, size);
		free(f);
		n += size;
	}
	while (closed == 0 && now_ms() < until && send(w->fd, pings, n, MSG_NOSIGNAL) == (ssize_t)n)
		;
	return NULL;
}

static void *converse(void *arg)
{
	struct ws *w = arg;
	intptr_t turns = 0;

	for (; closed == 0; turns++) { /* no assertions, for this is not the test's own thread */
		struct ws_frame f;
		bool good;

		ws_send_text(w, "hello");
		if (!ws_receive(w, &f))
			return (void *)-1;
		good = f.opcode == WS_TEXT && f.size == 5;
		free(f.payload);
		if (!good)
			return (void *)-1;
	}
	return (void *)turns;
}

/* As fast as they go, without a pause; others do not suffer. */
static void test_ping_flood(void **state)
{
	struct ws w = dial(), other = dial();
	pthread_t pouring, conversing;
	void *turns;

	(void)state;
	pthread_create(&pouring, NULL, pour_pings, &w);
	pthread_create(&conversing, NULL, converse, &other);
	assert_int_equal(ws_read_close(&w), 1008);
	await(&closed, 1);
	pthread_join(pouring, NULL);
	pthread_join(conversing, &turns);
	ws_disconnect(&other);
	assert_true((intptr_t)turns > 20);
	ws_disconnect(&w);
}

static void test_pongs(void **state)
{
	struct ws w = dial();

	(void)state;
	for (int i = 0; i < 100; i++)
		ws_send(&w, WS_PONG, true, "p", 1);
	assert_int_equal(ws_read_close(&w), 1008);
	ws_disconnect(&w);
	await(&closed, 1);
}

/* A busy stream of pictures and input is no flood. */
static void test_busy_is_no_flood(void **state)
{
	struct ws w = dial();
	char line[64];

	(void)state;
	for (int i = 1; i <= 2000; i++) {
		snprintf(line, sizeof(line), "pictures %d 1", i);
		ws_send_text(&w, line);
		assert_int_equal(expect_picture(&w), i);
		snprintf(line, sizeof(line), "ack %d", i);
		ws_send_text(&w, line);
		ws_send_text(&w, "hello");
		expect_text(&w, "hello");
	}
	ws_disconnect(&w);
}

/* Nor is a viewer who reads less than there is, so that pictures leave in pieces. */
static void test_thin_pipe_is_no_flood(void **state)
{
	struct ws w = dial();
	char piece[8192], line[64];
	uint32_t seq = 0;
	size_t all = 0;
	int64_t until = now_ms() + 4000;

	(void)state;
	while (now_ms() < until) {
		snprintf(line, sizeof(line), "pictures %u 1", ++seq);
		ws_send_text(&w, line);
		for (int i = 0; i < 10; i++) {
			ssize_t n = recv(w.fd, piece, sizeof(piece), MSG_DONTWAIT);
			all += n > 0 ? (size_t)n : 0;
			poll(NULL, 0, 1);
		}
		snprintf(line, sizeof(line), "ack %u", seq);
		ws_send_text(&w, line);
	}
	assert_true(seq > 50);
	assert_true(all > 40 * 8192u);
	assert_true(all < seq * 100000);
	assert_int_equal(closed, 0);
	ws_disconnect(&w);
}

static void test_half_open(void **state)
{
	struct ws w = dial(), answers = dial();
	int64_t began = now_ms();
	struct ws_frame f;
	int pings = 0;

	(void)state;
	while (now_ms() - began < 4500) { /* w never answers, the other does */
		assert_true(ws_receive(&answers, &f));
		assert_int_equal(f.opcode, WS_PING);
		ws_send(&answers, WS_PONG, true, f.payload, f.size);
		free(f.payload);
		pings++;
	}
	assert_true(pings >= 3);
	await(&closed, 1);
	assert_int_equal(closed, 1);
	ws_send_text(&answers, "hello");
	expect_text(&answers, "hello");
	ws_disconnect(&w);
	ws_disconnect(&answers);
	await(&closed, 2);
}

static void test_two_hundred(void **state)
{
	static struct ws all[200];

	(void)state;
	for (int i = 0; i < 200; i++)
		all[i] = dial();
	for (int i = 0; i < 200; i++)
		ws_send_text(&all[i], "pictures 7 1");
	for (int i = 0; i < 200; i++)
		assert_int_equal(expect_picture(&all[i]), 7);
	for (int i = 0; i < 200; i++) {
		ws_send_text(&all[i], "hello");
		expect_text(&all[i], "hello");
	}
	for (int i = 0; i < 200; i++)
		ws_disconnect(&all[i]);
	await(&closed, 200);
	assert_int_equal(asked, 200);
}

/* The ninth waits in the backlog until one of the eight has gone. */
static void test_cap(void **state)
{
	struct ws all[8], ninth;
	struct pollfd p;
	char *request = ws_request("/ws/echo", ORIGIN, ""), head[2048];

	(void)state;
	for (int i = 0; i < 8; i++)
		all[i] = dial();
	ninth = ws_connect(path);
	ws_write(&ninth, request, strlen(request));
	p = (struct pollfd){ .fd = ninth.fd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 100), 0);
	ws_disconnect(&all[3]);
	assert_int_equal(ws_read_head(&ninth, head, sizeof(head)), 101);
	ws_send_text(&ninth, "hello");
	expect_text(&ninth, "hello");
	for (int i = 0; i < 8; i++)
		ws_disconnect(&all[i]);
	ws_disconnect(&ninth);
	free(request);
}

static void test_out_of_descriptors(void **state)
{
	struct rlimit before, none;
	struct ws w, first = dial();
	char *request = ws_request("/ws/echo", ORIGIN, ""), head[2048];
	struct rusage used, later;
	int taken[256], fd;
	size_t taken_count = 0;

	(void)state;
	w = ws_connect(path);
	getrlimit(RLIMIT_NOFILE, &before);
	ws_disconnect(&w);
	await(&closed, 0);
	w = (struct ws){ .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	none = (struct rlimit){ .rlim_cur = 256, .rlim_max = before.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	while ((fd = dup(w.fd)) >= 0) /* every number is taken; the limit itself stays above what poll() is given */
		taken[taken_count++] = fd;
	{
		struct sockaddr_un address = { .sun_family = AF_UNIX };
		const struct timeval ten = { .tv_sec = 10 };
		snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
		assert_int_equal(connect(w.fd, (struct sockaddr *)&address, sizeof(address)), 0);
		setsockopt(w.fd, SOL_SOCKET, SO_RCVTIMEO, &ten, sizeof(ten));
	}
	ws_write(&w, request, strlen(request));
	getrusage(RUSAGE_SELF, &used);
	poll(NULL, 0, 500);
	getrusage(RUSAGE_SELF, &later);
	ws_send_text(&first, "hello"); /* who is there is served */
	expect_text(&first, "hello");
	setrlimit(RLIMIT_NOFILE, &before);
	while (taken_count)
		close(taken[--taken_count]);
	assert_int_equal(ws_read_head(&w, head, sizeof(head)), 101);
	/* it does not spin meanwhile */
	assert_true((later.ru_utime.tv_sec - used.ru_utime.tv_sec) * 1000000 + later.ru_utime.tv_usec -
			used.ru_utime.tv_usec < 200000);
	ws_disconnect(&w);
	ws_disconnect(&first);
	free(request);
}

static void test_slow_head(void **state)
{
	struct ws w = ws_connect(path);
	int64_t began = now_ms();
	struct pollfd p = { .fd = w.fd, .events = POLLIN };

	(void)state;
	ws_write(&w, "GET /ws/echo HT", 15);
	assert_int_equal(poll(&p, 1, 15000), 1);
	assert_true(now_ms() - began > 5000);
	ws_disconnect(&w);
	assert_int_equal(asked, 0);
}

/* No timer of the library ends a WebSocket on which nothing happens but pings. */
static void test_quiet(void **state)
{
	struct ws w = dial();

	(void)state;
	poll(NULL, 0, 12000);
	ws_send_text(&w, "hello");
	expect_text(&w, "hello");
	ws_disconnect(&w);
}

static void test_shutdown(void **state)
{
	struct ws w = dial(), silent = dial(), half = ws_connect(path);
	int64_t began;

	ws_write(&half, "GET", 3);
	await(&asked, 2);
	began = now_ms();
	on_loop(loop_stop);
	assert_int_equal(ws_read_close(&w), 1001);
	loop_thread_stop();
	assert_true(now_ms() - began < 3000); /* though one of them did not answer */
	assert_int_equal(ws_read_close(&silent), 1001);
	ws_disconnect(&w);
	ws_disconnect(&silent);
	ws_disconnect(&half);
	(void)state;
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
#define TEST(fn)       cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
#define TEST_SMALL(fn) cmocka_unit_test_setup_teardown(fn, set_up_small, tear_down)
		TEST(test_request),
		TEST(test_order),
		TEST(test_origin),
		TEST(test_get),
		TEST(test_large_answer),
		TEST(test_event_stream),
		TEST(test_bad_input),
		TEST(test_largest),
		TEST(test_fragments),
		TEST(test_many_fragments),
		TEST(test_nothing_before_decided),
		TEST(test_refuse),
		TEST_SMALL(test_undecided),
		TEST(test_close),
		TEST(test_pictures),
		TEST(test_slow_viewer),
		TEST_SMALL(test_does_not_read),
		TEST(test_message_flood),
		TEST(test_pings),
		TEST(test_ping_flood),
		TEST(test_pongs),
		TEST(test_busy_is_no_flood),
		TEST(test_thin_pipe_is_no_flood),
		TEST_SMALL(test_half_open),
		TEST(test_two_hundred),
		TEST_SMALL(test_cap),
		TEST(test_out_of_descriptors),
		TEST(test_slow_head),
		TEST(test_quiet),
		TEST(test_shutdown),
	};

	log_open("test_edge", argc > 2 ? LOG_DEBUG : LOG_ERROR);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
