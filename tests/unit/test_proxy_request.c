/* What a browser may ask its proxy, and what of it goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/proxy_request.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static int parse(const char *text, struct proxy_request *r)
{
	return proxy_request_parse(text, strlen(text), r);
}

static void test_connect(void **state)
{
	static const char text[] = "CONNECT desk.example:443 HTTP/1.1\r\nHost: "
				   "desk.example:443\r\nUser-Agent: x\r\n\r\n\x16\x03";
	struct proxy_request r;

	(void)state;
	assert_int_equal(parse(text, &r), 0);
	assert_true(r.connect);
	assert_int_equal(r.host_length, 12);
	assert_memory_equal(r.host, "desk.example", 12);
	assert_int_equal(r.port, 443);
	assert_int_equal(r.length, sizeof(text) - 1 - 2); /* what comes behind is the tunnel's */
	assert_true(r.body == UINT64_MAX);
	assert_null(r.head);
	proxy_request_clear(&r);
	assert_int_equal(parse("CONNECT [::1]:8443 HTTP/1.1\r\n\r\n", &r), 0);
	assert_int_equal(r.host_length, 5);
	assert_memory_equal(r.host, "[::1]", 5);
	assert_int_equal(r.port, 8443);
}

static void expect_head(const char *text, const char *head, uint64_t body)
{
	struct proxy_request r;

	assert_int_equal(parse(text, &r), 0);
	assert_false(r.connect);
	assert_int_equal(r.head_length, strlen(head));
	assert_memory_equal(r.head, head, r.head_length);
	assert_true(r.body == body);
	assert_int_equal(r.port, strstr(text, ":8080") ? 8080 : 80);
	proxy_request_clear(&r);
}

static void test_plain(void **state)
{
	(void)state;
	expect_head("GET http://desk.example/a?b=c HTTP/1.1\r\nHost: "
		    "desk.example\r\nProxy-Connection: keep-alive\r\n"
		    "Cookie: a=b\r\nConnection: keep-alive, x\r\n\r\n",
		"GET /a?b=c HTTP/1.1\r\nHost: desk.example\r\nCookie: a=b\r\nConnection: "
		"close\r\n\r\n",
		0);
	expect_head("POST HTTP://Desk.example:8080 "
		    "HTTP/1.0\r\nhost:desk.EXAMPLE:8080\r\nContent-Length: 7\r\n\r\nbody...GET",
		"POST / HTTP/1.1\r\nhost:desk.EXAMPLE:8080\r\nContent-Length: 7\r\nConnection: "
		"close\r\n\r\n",
		7);
	expect_head("GET http://desk.example?q HTTP/1.1\r\nHost: "
		    "desk.example:80\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
		"GET /?q HTTP/1.1\r\nHost: desk.example:80\r\nContent-Length: 3\r\nContent-Length: "
		"3\r\nConnection: close\r\n\r\n",
		3);
}

/* Each way to say two things at once, or to reach what was not asked for. */
static void test_refused(void **state)
{
	static const struct {
		const char *text;
		int result;
	} rows[] = {
		{"\r\n\r\n", -EBADMSG},
		{"GET / HTTP/1.1\r\nHost: desk.example\r\n\r\n", -EBADMSG},
		{"GET https://desk.example/ HTTP/1.1\r\nHost: desk.example\r\n\r\n", -EBADMSG},
		{"GET ftp://desk.example/ HTTP/1.1\r\nHost: desk.example\r\n\r\n", -EBADMSG},
		{"GET http:///x HTTP/1.1\r\nHost: \r\n\r\n", -EBADMSG},
		{"GET http://user@desk.example/ HTTP/1.1\r\nHost: desk.example\r\n\r\n", -EBADMSG},
		{"GET http://desk.example/ HTTP/1.1\r\n\r\n", -EBADMSG},
		{"GET http://desk.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", -EBADMSG},
		{"GET http://desk.example/ HTTP/1.1\r\nHost: desk.example:81\r\n\r\n", -EBADMSG},
		{"GET http://desk.example/ HTTP/1.1\r\nHost: desk.example\r\nHost: "
		 "desk.example\r\n\r\n",
			-EBADMSG},
		{"GET http://desk.example/ HTTP/1.1\r\nHost : desk.example\r\n\r\n", -EBADMSG},
		{"GET http://desk.example/ HTTP/1.1\r\nHost: desk.example\r\n folded: yes\r\n\r\n",
			-EBADMSG},
		{"GET http://desk.example/ HTTP/1.1\r\nHost: desk.example\r\nno colon\r\n\r\n",
			-EBADMSG},
		{"GET http://desk.example/ HTTP/1.1\nHost: desk.example\r\n\r\n", -EBADMSG},
		{"GET http://desk.example/ HTTP/1.1\r\nHost: desk.example\r\nA: b\rX: y\r\n\r\n",
			-EBADMSG},
		{"GET http://desk.example/ HTTP/2.0\r\nHost: desk.example\r\n\r\n", -EBADMSG},
		{"GET http://desk.example/ x HTTP/1.1\r\nHost: desk.example\r\n\r\n", -EBADMSG},
		{"GET  http://desk.example/ HTTP/1.1\r\nHost: desk.example\r\n\r\n", -EBADMSG},
		{"G(T http://desk.example/ HTTP/1.1\r\nHost: desk.example\r\n\r\n", -EBADMSG},
		{"POST http://desk.example/ HTTP/1.1\r\nHost: desk.example\r\nContent-Length: "
		 "1\r\nContent-Length: 2\r\n\r\n",
			-EBADMSG},
		{"POST http://desk.example/ HTTP/1.1\r\nHost: desk.example\r\nContent-Length: "
		 "+1\r\n\r\n",
			-EBADMSG},
		{"POST http://desk.example/ HTTP/1.1\r\nHost: desk.example\r\nContent-Length: "
		 "\r\n\r\n",
			-EBADMSG},
		{"POST http://desk.example/ HTTP/1.1\r\nHost: desk.example\r\nContent-Length: "
		 "9999999999999999999\r\n\r\n",
			-EBADMSG},
		{"POST http://desk.example/ HTTP/1.1\r\nHost: desk.example\r\nTransfer-Encoding: "
		 "chunked\r\n\r\n",
			-ENOTSUP},
		{"POST http://desk.example/ HTTP/1.1\r\nHost: desk.example\r\nContent-Length: "
		 "3\r\nTransfer-Encoding: chunked\r\n\r\n",
			-ENOTSUP},
		{"CONNECT desk.example HTTP/1.1\r\n\r\n", -EBADMSG},
		{"CONNECT desk.example: HTTP/1.1\r\n\r\n", -EBADMSG},
		{"CONNECT desk.example:0 HTTP/1.1\r\n\r\n", -EBADMSG},
		{"CONNECT desk.example:99999 HTTP/1.1\r\n\r\n", -EBADMSG},
		{"CONNECT 127.1:80 HTTP/1.1\r\n\r\n", -EBADMSG},
		{"CONNECT user@desk.example:443 HTTP/1.1\r\n\r\n", -EBADMSG},
		{"CONNECT http://desk.example:443 HTTP/1.1\r\n\r\n", -EBADMSG},
		{"CONNECT  HTTP/1.1\r\n\r\n", -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proxy_request r = { .port = 7 };
		int e = parse(rows[i].text, &r);
		if (e != rows[i].result)
			fail_msg("%d for %s", e, rows[i].text);
		assert_int_equal(r.port, 7); /* untouched */
	}
}

/* It is whole at exactly its last byte, however it comes in. */
static void test_every_cut(void **state)
{
	static const char text[] =
		"GET http://desk.example/ HTTP/1.1\r\nHost: desk.example\r\nA: \r\n\r\n";
	struct proxy_request r;

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		char *copy = malloc(n + 1); /* of its own, so that reading beyond it is seen */
		memcpy(copy, text, n);
		char *exact = realloc(copy, n ? n : 1);
		assert_int_equal(proxy_request_parse(exact, n, &r), -EAGAIN);
		free(exact);
	}
	assert_int_equal(parse(text, &r), 0);
	proxy_request_clear(&r);
}

static void test_nul(void **state)
{
	static const char text[] =
		"GET http://desk.example/\0 HTTP/1.1\r\nHost: desk.example\r\n\r\n";
	struct proxy_request r;

	(void)state;
	assert_int_equal(proxy_request_parse(text, sizeof(text) - 1, &r), -EBADMSG);
}

static void test_too_large(void **state)
{
	size_t n = PROXY_HEAD_MOST + 1;
	char *text = malloc(n);
	struct proxy_request r;

	(void)state;
	memset(text, 'a', n);
	assert_int_equal(proxy_request_parse(text, n - 1, &r), -EAGAIN);
	assert_int_equal(proxy_request_parse(text, n, &r), -E2BIG);
	memcpy(text + n - 4, "\r\n\r\n", 4);
	assert_int_equal(proxy_request_parse(text, n, &r), -E2BIG);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
