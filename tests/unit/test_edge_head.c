/* What of a request's head reaches libwebsockets, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "streamd/edge/edge_head.h"

#define HOST "Host: stead.test\r\n"
#define KEY  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define OPEN "GET /ws/x HTTP/1.1\r\n" HOST "Connection: upgrade\r\n" KEY "Sec-WebSocket-Version: 13\r\n"

static void expect(const char *head, size_t n, int status)
{
	struct edge_head_refusal why = { 0 };
	char *exact = malloc(n);
	int r;

	memcpy(exact, head, n); /* so that a sanitizer sees a byte too many */
	r = edge_head_check(exact, n, &why);
	free(exact);
	if (r != (status ? -EBADMSG : 0) || why.status != status)
		fail_msg("%d, %d %s: %s", r, why.status, why.sentence ? why.sentence : "", head);
	assert_true(!status || strlen(why.sentence) > 10);
}

static void passes(const char *head)
{
	expect(head, strlen(head), 0);
}

static void is_refused(const char *head, int status)
{
	expect(head, strlen(head), status);
}

static void test_good(void **state)
{
	(void)state;
	passes(OPEN "Upgrade: websocket\r\nCookie: a=b; c=d\r\nX-Real-IP: 192.0.2.1\r\nAccept: a\r\nAccept: b\r\n\r\n");
	passes(OPEN "Upgrade: websocket\r\nUser-Agent: \xc3\xa4 \xff\tx\r\nEmpty:\r\n\r\n");
	passes(OPEN "Upgrade: websocket\r\n\r\n");
	passes(OPEN "Upgrade:  WebSocket \r\n\r\n\x81\x80\x01\x02\x03\x04"); /* the first frame came with it */
	passes("GET / HTTP/1.1\r\n" HOST KEY "sec-websocket-version:13\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n");
}

/* A page whose WebSockets do not come through asks so. */
static void test_no_opening(void **state)
{
	(void)state;
	is_refused("GET / HTTP/1.1\r\n" HOST "\r\n", 426);
	is_refused("GET /ws/x?a=1&b=%20 HTTP/1.1\r\nhost:a\r\nCookie: a=b\r\n\r\n", 426);
	is_refused("GET / HTTP/1.1\r\n" HOST "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", 426); /* without an upgrade it says nothing */
}

/* RFC 6455 section 4.2.1: libwebsockets would take another version for this one, and close without a word for want of a key. */
static void test_openings(void **state)
{
	static const char begin[] = "GET / HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: websocket\r\n";
	static const char *const rest[] = { "", KEY, "Sec-WebSocket-Version: 13\r\n", KEY "Sec-WebSocket-Version: 7\r\n",
		KEY "Sec-WebSocket-Version: 13, 8\r\n", "Sec-WebSocket-Key: k\r\nSec-WebSocket-Version: 13\r\n",
		KEY KEY "Sec-WebSocket-Version: 13\r\n" };
	char head[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rest) / sizeof(*rest); i++) {
		snprintf(head, sizeof(head), "%s%s\r\n", begin, rest[i]);
		is_refused(head, 400);
	}
}

/* Whatever is no HTTP/1.1, or would make it something else. */
static void test_other_protocols(void **state)
{
	(void)state;
	is_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
	is_refused("GET / HTTP/2.0\r\n" HOST "\r\n", 505);
	is_refused("GET / HTTP/1.0\r\n" HOST "\r\n", 505);
	is_refused("GET /\r\n\r\n", 400);
	is_refused("CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", 405);
	is_refused("POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 405);
	is_refused("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 405);
	is_refused("GET http://stead.test/ HTTP/1.1\r\n" HOST "\r\n", 400);
	is_refused(OPEN "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", 400);
	is_refused(OPEN "Upgrade: H2C\r\n\r\n", 400);
	is_refused(OPEN "Upgrade: websocket, h2c\r\n\r\n", 400);
	is_refused(OPEN "Upgrade: websocket/13\r\n\r\n", 400);
	is_refused(OPEN "Upgrade:\r\n\r\n", 400);
	is_refused(OPEN "Upgrade: websocket\r\nUpgrade: h2c\r\n\r\n", 400);
	is_refused(OPEN "Upgrade: h2c\r\nupgrade: websocket\r\n\r\n", 400);
	is_refused("GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\n\r\n", 400);
	is_refused("GET / HTTP/1.1\r\n" HOST "Connection: close\r\nUpgrade: websocket\r\n\r\n", 400);
	is_refused("\x16\x03\x01\x02", 400); /* TLS */
	is_refused("\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 400);
}

/* What two readers could take for different things. */
static void test_ambiguous(void **state)
{
	static const char *const twice[] = { "Host: stead.test", "Cookie: a=b", "X-Real-IP: 192.0.2.1",
		"Origin: https://stead.test", "Connection: close", "Sec-Fetch-Site: none" };
	char head[256];

	(void)state;
	for (size_t i = 0; i < sizeof(twice) / sizeof(*twice); i++) {
		snprintf(head, sizeof(head), "GET / HTTP/1.1\r\n%s%s\r\n%s\r\n\r\n", i > 0 ? HOST : "", twice[i], twice[i]);
		is_refused(head, 400);
	}
	is_refused("GET / HTTP/1.1\r\n" HOST "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 400);
	is_refused("GET / HTTP/1.1\r\n\r\n", 400);
	is_refused("GET / HTTP/1.1\r\nHost:\r\n\r\n", 400);
	is_refused("GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 400);
	is_refused("GET / HTTP/1.1\r\n" HOST "transfer-encoding: chunked\r\n\r\n", 400);
	is_refused("GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", 400);
	is_refused("GET / HTTP/1.1\r\n Host: a\r\n" HOST "\r\n", 400);
	is_refused("GET / HTTP/1.1\r\n" HOST "X : a\r\n\r\n", 400);
	is_refused("GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n", 400);
	is_refused("GET / HTTP/1.1\r\n" HOST "nothing\r\n\r\n", 400);
	is_refused("GET / HTTP/1.1\n" HOST "\r\n\r\n", 400);
	is_refused("GET / HTTP/1.1\r\n" HOST "X: a\nUpgrade: h2c\r\n\r\n", 400);
	is_refused("GET / HTTP/1.1\r\n" HOST "X: a\n\r\n\r\n", 400);
	is_refused("GET / HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n", 400);
	expect("GET / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n", sizeof("GET / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n") - 1, 400);
	is_refused("GET  / HTTP/1.1\r\n" HOST "\r\n", 505);
	is_refused("GET / a HTTP/1.1\r\n" HOST "\r\n", 505);
	is_refused("GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", 400);
	is_refused("GET / HTTP/1.1 \r\n" HOST "\r\n", 505);
}

static void test_pieces(void **state)
{
	static const char head[] = OPEN "Upgrade: websocket\r\n\r\n";
	struct edge_head_refusal why;

	(void)state;
	for (size_t n = 0; n < sizeof(head) - 1; n++)
		assert_int_equal(edge_head_check(head, n, &why), -EAGAIN);
	passes(head);
}

/* A cap on all of it, and on how many lines there are. */
static void test_large(void **state)
{
	static const char end[] = " HTTP/1.1\r\n" HOST "\r\n";
	static char head[EDGE_HEAD_MOST + 100];
	struct edge_head_refusal why;
	size_t n;

	(void)state;
	memset(head, 'a', sizeof(head));
	memcpy(head, "GET /", 5);
	assert_int_equal(edge_head_check(head, EDGE_HEAD_MOST - 1, &why), -EAGAIN);
	expect(head, EDGE_HEAD_MOST, 431);
	memcpy(head + EDGE_HEAD_MOST - strlen(end), end, strlen(end));
	expect(head, EDGE_HEAD_MOST, 426); /* as large as one may be */
	n = (size_t)sprintf(head, "GET / HTTP/1.1\r\n" HOST);
	for (int i = 0; i < 100; i++)
		n += (size_t)sprintf(head + n, "X: y\r\n");
	sprintf(head + n, "\r\n");
	is_refused(head, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_no_opening),
		cmocka_unit_test(test_openings),
		cmocka_unit_test(test_other_protocols),
		cmocka_unit_test(test_ambiguous),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
