/* The edge's protocol over real sockets: requests, upgrades, frames, and what is refused. */
#include "tests/unit/edge_rig.h"

#include <sys/resource.h>

#include "common/words.h"

static void test_request(void **state)
{
	struct ws w;

	(void)state;
	assert_int_equal(ws_open(&w, path, "/ws/echo/a%20b?after=5&x=y", ORIGIN, COOKIE "X-Real-IP: 192.0.2.7\r\n"), 101);
	ws_send_text(&w, "hello");
	ws_expect_text(&w, "hello");
	assert_string_equal(seen, "/ws/echo/a b?after=5&x=y cookie=secret ip=192.0.2.7");
	ws_disconnect(&w);
	await(&closed, 1);
}

#define OPENING "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

static void expect_cookie(const char *host, const char *origin, const char *cookies, const char *cookie)
{
	char head[2048], request[1024], wanted[128];
	struct ws w = ws_connect(path);
	int before = asked;

	snprintf(request, sizeof(request), "GET /ws/x HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nCookie: %s\r\n"
		"Upgrade: websocket\r\nConnection: Upgrade\r\n" OPENING "\r\n", host, origin, cookies);
	ws_write(&w, request, strlen(request));
	assert_int_equal(ws_read_head(&w, head, sizeof(head)), 101);
	await(&asked, before + 1);
	snprintf(wanted, sizeof(wanted), "/ws/x? cookie=%s ip=", cookie);
	assert_string_equal(seen, wanted);
	ws_disconnect(&w);
}

/* The login is in the cookie that authd sets at that address; one of the other name has been planted. */
static void test_cookie(void **state)
{
	(void)state;
	expect_cookie("stead.test", ORIGIN, "a=b; __Host-stead=secret; stead=other", "secret");
	expect_cookie("stead.test", ORIGIN, "stead=planted", "");
	expect_cookie("STEAD.test", ORIGIN, "stead=planted; __Host-stead=a; __Host-stead=b", "");
	expect_cookie("127.0.0.1:8080", PLAIN_ORIGIN, "stead=plain; __Host-stead=other", "plain");
	expect_cookie("127.0.0.1:8080", PLAIN_ORIGIN, "__Host-stead=other", "");
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
		ws_expect_text(&w, line);
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
	expect_refused("/ws/echo", PLAIN_ORIGIN, COOKIE, 403); /* one of ours, but not this one */
	expect_refused("/elsewhere", ORIGIN, COOKIE, 404);
}

/* What asks for no WebSocket is told so, whoever asks, and nobody hears of it. */
static void expect_get(const char *request, int status)
{
	char head[2048], *rest;
	size_t n;
	int got;

	rest = ws_get(path, request, head, sizeof(head), &got, &n);
	assert_int_equal(got, status);
	assert_non_null(strcasestr(head, "cache-control: no-store"));
	assert_true(n > 10); /* a sentence */
	free(rest);
}

static void test_get(void **state)
{
	(void)state;
	expect_get("GET /ws/x?a=1 HTTP/1.1\r\nHost: stead.test\r\n" COOKIE "\r\n", 426);
	expect_get("GET /ws/x HTTP/1.1\r\nHost: evil.test\r\nOrigin: https://evil.test\r\n\r\n", 426);
	expect_get("GET /other HTTP/1.1\r\nHost: stead.test\r\n\r\n", 426);
	expect_get("POST /ws/x HTTP/1.1\r\nHost: stead.test\r\nContent-Length: 3\r\n\r\nabc", 405);
	assert_int_equal(asked, 0);
}

static char logged[256];
static _Atomic int lines;

static void keep_line(enum log_level level, const char *line)
{
	(void)level;
	words_set(logged, sizeof(logged), "%s", line);
	lines++;
}

static void capture_log(void)
{
	log_capture(keep_line);
}

static void leave_log(void)
{
	log_capture(NULL);
}

/* What is refused is logged once a second, and without what its address has behind the path. */
static void test_refusals_in_the_log(void **state)
{
	(void)state;
	lines = 0;
	on_loop(capture_log);
	for (int i = 0; i < 20; i++)
		expect_get("POST /ws/x?token=geheim HTTP/1.1\r\nHost: stead.test\r\n\r\n", 405);
	await(&lines, 1);
	on_loop(leave_log);
	assert_in_range(lines, 1, 5);
	assert_non_null(strstr(logged, "\"POST /ws/x\""));
	assert_null(strstr(logged, "geheim"));
}

/* What is no GET and no WebSocket gets an answer of HTTP/1.1 and its end, never another protocol. */
static void expect_no_more(const char *request, size_t n, int status)
{
	struct ws w = ws_connect(path);
	char head[2048], *rest;
	int before = asked;
	size_t size;

	ws_write(&w, request, n);
	assert_int_equal(ws_read_head(&w, head, sizeof(head)), status);
	assert_non_null(strcasestr(head, "connection: close"));
	rest = ws_read_all(&w, &size);
	assert_true(size > 10 && size < 200); /* a sentence */
	free(rest);
	ws_disconnect(&w);
	on_loop(nothing);
	assert_int_equal(asked, before);
}

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
#define UPGRADE "GET /ws/echo HTTP/1.1\r\nHost: stead.test\r\n" COOKIE
static void test_no_other_protocol(void **state)
{
	static const char h2c[] = UPGRADE "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
		PREFACE;
	/* All that a WebSocket has, but for its name. */
	static const char dressed[] = UPGRADE OPENING "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
		"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n" PREFACE;
	static const char preface[] = PREFACE, connecting[] = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n";
	static const char two[] = UPGRADE "Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n\r\n";

	(void)state;
	expect_no_more(h2c, sizeof(h2c) - 1, 400);
	expect_no_more(dressed, sizeof(dressed) - 1, 400);
	expect_no_more(preface, sizeof(preface) - 1, 505);
	expect_no_more(connecting, sizeof(connecting) - 1, 405);
	expect_no_more(two, sizeof(two) - 1, 400);
}

/* What comes behind a GET is no second request. */
static void test_one_request_a_connection(void **state)
{
	static const char both[] = "GET /ws/x/events HTTP/1.1\r\nHost: stead.test\r\n\r\n"
		UPGRADE OPENING "Origin: " ORIGIN "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

	(void)state;
	expect_no_more(both, sizeof(both) - 1, 400);
}

/* A head that does not come to its end is no connection for ever, and many of them keep nobody out. */
static void test_many_slow_heads(void **state)
{
	struct ws slow[6], w;
	char head[2048];

	(void)state;
	for (int i = 0; i < 6; i++) {
		slow[i] = ws_connect(path);
		ws_write(&slow[i], "GET /ws/x HT", 12);
	}
	w = dial();
	ws_send_text(&w, "hello");
	ws_expect_text(&w, "hello");
	ws_disconnect(&w);
	ws_write(&slow[5], "TP/1.1\r\nHost: stead.test\r\n\r\n", 28);
	assert_int_equal(ws_read_head(&slow[5], head, sizeof(head)), 426);
	for (int i = 0; i < 5; i++)
		assert_int_equal(ws_read_head(&slow[i], head, sizeof(head)), 408);
	for (int i = 0; i < 6; i++)
		ws_disconnect(&slow[i]);
}

static int64_t used_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * INT64_C(1000000) + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
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

/*
 * RFC 6455 section 5.1 wants the connection closed; libwebsockets takes such frames as they are, and no option of it
 * says otherwise (docs/architecture.md). They are held to the same limits.
 */
static void test_unmasked(void **state)
{
	static const uint8_t good[] = { 0x81, 5, 'h', 'e', 'l', 'l', 'o' }, bad[] = { 0x82, 5, 'h', 'e', 'l', 'l', 'o' };
	static const uint8_t large[] = { 0x81, 127, 0, 0, 0, 0, 0, 1, 0, 1, 'a' };
	struct ws w = dial();

	(void)state;
	ws_write(&w, good, sizeof(good));
	ws_expect_text(&w, "hello");
	ws_write(&w, bad, sizeof(bad));
	assert_int_equal(ws_read_close(&w), 1003);
	ws_disconnect(&w);
	w = dial();
	ws_write(&w, large, sizeof(large));
	assert_int_equal(ws_read_close(&w), 1009);
	ws_disconnect(&w);
}

static void test_largest(void **state)
{
	struct ws w = dial();
	char *much = malloc(65536);

	(void)state;
	memset(much, 'a', 65536);
	memcpy(much, "length 1", 8);
	ws_send(&w, WS_TEXT, true, much, 65536);
	ws_expect_text(&w, "65536");
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
	assert_true(ws_next(&w, &f));
	assert_int_equal(f.opcode, WS_PONG);
	assert_string_equal((char *)f.payload, "p");
	free(f.payload);
	ws_expect_text(&w, "gr\xc3\xbc\xc3\x9f");
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
	edge_refuse(edge, decided_later, EDGE_CLOSE_FORBIDDEN, "It is somebody else's.");
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
	ws_expect_text(&w, "early");
	ws_expect_text(&w, "second");
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

/* Who goes before it is decided whether they may come is not waited for. */
static void test_gone_undecided(void **state)
{
	struct ws w;

	(void)state;
	assert_int_equal(ws_open(&w, path, "/ws/later", ORIGIN, ""), 101);
	await(&asked, 1);
	ws_disconnect(&w);
	await(&closed, 1);
	on_loop(accept_later); /* nobody is there any more */
}

static void test_close(void **state)
{
	struct ws w = dial();

	(void)state;
	ws_send_text(&w, "close 4410");
	ws_expect_text(&w, "last words");
	assert_int_equal(ws_read_close(&w), 4410);
	ws_disconnect(&w);
	await(&closed, 1);
	w = dial();
	ws_send(&w, WS_CLOSE, true, "\x03\xe8", 2);
	assert_int_equal(ws_read_close(&w), 1000);
	ws_disconnect(&w);
	await(&closed, 2);
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
	ws_expect_text(&w, "still there");
	free(text);
	ws_disconnect(&w);
}

static void expect_pongs(struct ws *w, int count)
{
	struct ws_frame f;

	for (int i = 0; i < count; i++) {
		ws_send(w, WS_PING, true, "p", 1);
		assert_true(ws_next(w, &f));
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
	ws_expect_text(&w, "hello");
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
	int64_t until = now_ms() + 60000; /* a busy machine is slow to be flooded */

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

	for (; closed == 0 || turns < 100; turns++) { /* no assertions, for this is not the test's own thread */
		struct ws_frame f;
		bool good;

		ws_send_text(w, "hello");
		if (!ws_next(w, &f))
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
	int code;

	(void)state;
	pthread_create(&pouring, NULL, pour_pings, &w);
	pthread_create(&conversing, NULL, converse, &other);
	code = ws_read_close(&w);
	assert_true(code == 1008 || code == 1006); /* the reason may not get through to somebody who pours */
	await(&closed, 1);
	pthread_join(pouring, NULL);
	pthread_join(conversing, &turns);
	ws_disconnect(&other);
	assert_true((intptr_t)turns >= 100);
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

/* Empty ones, which the library tells nobody of. */
static void test_empty_pongs(void **state)
{
	struct ws w = dial();

	(void)state;
	for (int i = 0; i < 200 && closed == 0; i++) {
		ws_send(&w, WS_PONG, true, "", 0);
		poll(NULL, 0, 5);
	}
	assert_int_equal(ws_read_close(&w), 1008);
	ws_disconnect(&w);
}

/* A message that never comes to its end, and never grows. */
static void test_empty_pieces(void **state)
{
	struct ws w = dial();

	(void)state;
	ws_send(&w, WS_TEXT, false, "a", 1);
	for (int i = 0; i < 200 && closed == 0; i++) {
		ws_send(&w, 0, false, "", 0);
		poll(NULL, 0, 5);
	}
	assert_int_equal(ws_read_close(&w), 1008);
	ws_disconnect(&w);
}

/* A large message over a thin line comes in many pieces, of which most bring nothing that can be heard yet. */
static void test_slow_message(void **state)
{
	struct ws w = dial();
	size_t size, n = 60000;
	char *text = malloc(n);
	uint8_t *frame;

	(void)state;
	memset(text, 'a', n);
	memcpy(text, "length 1", 8);
	frame = ws_frame_bytes(WS_TEXT, true, text, n, &size);
	for (size_t at = 0; at < size; at += 100) {
		ws_write(&w, frame + at, size - at < 100 ? size - at : 100);
		poll(NULL, 0, 2);
	}
	ws_expect_text(&w, "60000");
	free(frame);
	free(text);
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
	ws_expect_text(&answers, "hello");
	ws_disconnect(&w);
	ws_disconnect(&answers);
	await(&closed, 2);
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
	ws_expect_text(&ninth, "hello");
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
	int taken[256], fd;
	size_t taken_count = 0;
	int64_t used;

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
	used = used_us();
	poll(NULL, 0, 500);
	used = used_us() - used;
	ws_send_text(&first, "hello"); /* who is there is served */
	ws_expect_text(&first, "hello");
	setrlimit(RLIMIT_NOFILE, &before);
	while (taken_count)
		close(taken[--taken_count]);
	assert_int_equal(ws_read_head(&w, head, sizeof(head)), 101);
	/* it does not spin meanwhile */
	assert_true(used < 200000);
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
	assert_true(now_ms() - began > 500);
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
	ws_expect_text(&w, "hello");
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
		TEST(test_request),
		TEST(test_cookie),
		TEST(test_order),
		TEST(test_origin),
		TEST(test_get),
		TEST(test_refusals_in_the_log),
		TEST(test_no_other_protocol),
		TEST(test_one_request_a_connection),
		TEST_SMALL(test_many_slow_heads),
		TEST(test_bad_input),
		TEST(test_unmasked),
		TEST(test_largest),
		TEST(test_fragments),
		TEST(test_many_fragments),
		TEST(test_nothing_before_decided),
		TEST(test_refuse),
		TEST_SMALL(test_undecided),
		TEST(test_gone_undecided),
		TEST(test_close),
		TEST(test_message_flood),
		TEST(test_pings),
		TEST(test_ping_flood),
		TEST(test_pongs),
		TEST(test_empty_pongs),
		TEST(test_empty_pieces),
		TEST(test_slow_message),
		TEST_SMALL(test_half_open),
		TEST_SMALL(test_cap),
		TEST(test_out_of_descriptors),
		TEST_SMALL(test_slow_head),
		TEST(test_quiet),
		TEST(test_shutdown),
	};

	log_open("test_edge", argc > 2 ? LOG_DEBUG : LOG_ERROR);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

