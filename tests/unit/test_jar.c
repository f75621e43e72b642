/* Which cookies go with a request, and what an answer sets: RFC 6265bis, and what Chromium does beyond it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/arena.h"
#include "http/jar.h"
#include "state/merge.h"
#include "state/writer.h"

#define NOW  1800000000.0 /* 2027-01-15 08:00:00 UTC */
#define YEAR (365.0 * 86400)

static struct arena *arena;
static struct state *empty;

static const struct cbor *no_cookies(void)
{
	struct cbor_out *out = cbor_out_new();
	const struct cbor *list;
	const uint8_t *bytes;
	size_t n;

	cbor_put_array(out, 0);
	assert_int_equal(cbor_out_finish(out, &bytes, &n), 0);
	assert_int_equal(cbor_parse(arena, arena_memdup(arena, bytes, n), n, 10, &list), 0);
	cbor_out_free(out);
	return list;
}

static int begin(void **)
{
	struct state_writer *w = state_writer_new("site", 0, &(struct environment){ 0 });

	arena = arena_new(0);
	assert_int_equal(state_writer_cookies(w, no_cookies()), 0);
	assert_int_equal(state_writer_finish(w, &empty), 0);
	state_writer_free(w);
	return 0;
}

static int end(void **)
{
	empty = state_free(empty);
	arena = arena_free(arena);
	return 0;
}

static bool reads(const char *url, const char *line, struct state_cookie *ret)
{
	return jar_read(arena, empty, url, line, NOW, ret);
}

static const char *sent(const struct state_cookie *cookies, size_t n, const char *url)
{
	struct state *s;
	const char *header;

	assert_int_equal(state_set_cookies(empty, cookies, n, NOW, &s), 0);
	header = jar_header(arena, s, url, NOW);
	state_free(s);
	return header ? header : "";
}

/* Whether a cookie that url has set with that line goes to another address. */
static bool goes(const char *url, const char *line, const char *to)
{
	struct state_cookie c;

	return reads(url, line, &c) && *sent(&c, 1, to);
}

static void test_reads_all_of_it(void **)
{
	struct state_cookie c;

	assert_true(reads("https://a.desk.example:8443/x/y", "id = a=b ; Domain=.DESK.example; Path=/x; Secure; HttpOnly; SameSite=lax;"
		" Priority=high; Partitioned; Max-Age=100; Expires=Wed, 21 Oct 2015 07:28:00 GMT; Unknown=1", &c));
	assert_string_equal(c.name, "id");
	assert_string_equal(c.value, "a=b");
	assert_string_equal(c.domain, ".desk.example");
	assert_string_equal(c.path, "/x");
	assert_true(c.secure && c.http_only);
	assert_string_equal(c.same_site, "Lax");
	assert_string_equal(c.priority, "High");
	assert_string_equal(c.partition, "https://desk.example");
	assert_false(c.cross_site_ancestor);
	assert_true(c.expires == NOW + 100);
	assert_string_equal(c.source_scheme, "Secure");
	assert_int_equal(c.source_port, 8443);
}

static void test_reads_what_is_not_said(void **)
{
	struct state_cookie c;

	assert_true(reads("http://desk.example/x/y?z=/a/", "a=", &c));
	assert_string_equal(c.value, "");
	assert_string_equal(c.domain, "desk.example");
	assert_string_equal(c.path, "/x");
	assert_true(c.expires < 0);
	assert_null(c.same_site);
	assert_null(c.partition);
	assert_string_equal(c.priority, "Medium");
	assert_string_equal(c.source_scheme, "NonSecure");
	assert_int_equal(c.source_port, 80);
	assert_true(reads("https://desk.example", "only", &c));
	assert_string_equal(c.name, "");
	assert_string_equal(c.value, "only");
	assert_string_equal(c.path, "/");
	assert_true(reads("https://desk.example", "=only; =Secure", &c));
	assert_string_equal(c.name, "");
	assert_false(c.secure);
}

static void test_reads_when_it_ends(void **)
{
	static const struct {
		const char *line;
		double expires;
	} rows[] = {
		{ "a=b; Expires=Fri, 15 Jan 2027 09:00:00 GMT", NOW + 3600 },
		{ "a=b; expires=Friday, 15-Jan-27 09:00:00 GMT", NOW + 3600 },
		{ "a=b; Expires=Fri Jan 15 09:00:00 2027", NOW + 3600 },
		{ "a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "a=b; Expires=soon", -1 },
		{ "a=b; Max-Age=0", 0 },
		{ "a=b; Max-Age=-5", 0 },
		{ "a=b; Max-Age=1x", -1 },
		{ "a=b; Max-Age=", -1 },
		{ "a=b; Max-Age=-", -1 },
		{ "a=b; Max-Age=99999999999999999999", NOW + 400 * 86400.0 },
		{ "a=b; Expires=Fri, 15 Jan 2100 09:00:00 GMT", NOW + 400 * 86400.0 },
		{ "a=b; Max-Age=10; Max-Age=20", NOW + 20 },
	};
	struct state_cookie c;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		print_message("%s\n", rows[i].line);
		assert_true(reads("https://desk.example/", rows[i].line, &c));
		assert_true(c.expires == rows[i].expires);
	}
}

static void test_ignores_what_a_browser_would(void **)
{
	static const struct {
		const char *url, *line;
	} rows[] = {
		{ "https://desk.example/", "" },
		{ "https://desk.example/", "=" },
		{ "https://desk.example/", " ; Secure" },
		{ "https://desk.example/", "a=b\x01" },
		{ "https://desk.example/", "a=\xff" },
		{ "https://desk.example/", "a=b; Domain=other.example" },
		{ "https://desk.example/", "a=b; Domain=sub.desk.example" },
		{ "https://desk.example/", "a=b; Domain=k.example" },
		{ "https://desk.example/", "a=b; Domain=example" },
		{ "https://desk.co.uk/", "a=b; Domain=co.uk" },
		{ "https://10.0.0.7/", "a=b; Domain=0.0.7" },
		{ "http://desk.example/", "a=b; Secure" },
		{ "https://desk.example/", "a=b; SameSite=None" },
		{ "https://desk.example/", "a=b; Partitioned" },
		{ "https://desk.example/", "__Secure-a=b" },
		{ "https://desk.example/", "__Host-a=b; Secure; Path=/x" },
		{ "https://desk.example/x/", "__Host-a=b; Secure" },
		{ "https://desk.example/", "__host-a=b; Secure; Path=/; Domain=desk.example" },
		{ "https://desk.example/", "__Host-a; Secure; Path=/" },
		{ "ftp://desk.example/", "a=b" },
		{ "nothing at all", "a=b" },
	};
	static char large[4200];
	struct state_cookie c;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		print_message("%s at %s\n", rows[i].line, rows[i].url);
		assert_false(reads(rows[i].url, rows[i].line, &c));
	}
	memset(large, 'a', sizeof(large) - 1);
	assert_false(reads("https://desk.example/", large, &c));
	memcpy(large, "a=b; Path=/", 11);
	assert_true(reads("https://desk.example/", large, &c)); /* the attribute alone is too long */
	assert_string_equal(c.path, "/");
}

static void test_keeps_promises(void **)
{
	struct state_cookie c;

	assert_true(reads("https://desk.example/x/", "__Host-a=b; Secure; Path=/", &c));
	assert_true(reads("https://desk.example/", "__Secure-a=b; Secure; Domain=desk.example", &c));
	assert_true(reads("http://localhost:3000/", "a=b; Secure", &c));
	assert_true(reads("https://uk.com/", "a=b; Domain=uk.com", &c)); /* a public suffix that is itself a host */
	assert_string_equal(c.domain, "uk.com");
	assert_true(reads("https://10.0.0.7/", "a=b; Domain=10.0.0.7", &c));
	assert_string_equal(c.domain, "10.0.0.7");
}

static void test_goes_where_it_belongs(void **)
{
	static const struct {
		const char *from, *line, *to;
		bool goes;
	} rows[] = {
		{ "https://desk.example/", "a=b", "https://desk.example/any", true },
		{ "https://desk.example/", "a=b", "https://sub.desk.example/", false },
		{ "https://desk.example/", "a=b; Domain=desk.example", "https://sub.desk.example/", true },
		{ "https://desk.example/", "a=b; Domain=desk.example", "https://mydesk.example/", false },
		{ "https://sub.desk.example/", "a=b; Domain=desk.example", "https://desk.example/", true },
		{ "https://desk.example/", "a=b; Path=/x", "https://desk.example/x", true },
		{ "https://desk.example/", "a=b; Path=/x", "https://desk.example/x/y?z", true },
		{ "https://desk.example/", "a=b; Path=/x", "https://desk.example/xy", false },
		{ "https://desk.example/", "a=b; Path=/x/", "https://desk.example/x/y", true },
		{ "https://desk.example/", "a=b; Path=/x/", "https://desk.example/x", false },
		{ "https://desk.example/", "a=b; Secure", "http://desk.example/", false },
		{ "https://desk.example/", "a=b", "http://desk.example:8080/", true },
		{ "http://localhost/", "a=b; Secure", "http://localhost/", true },
		{ "https://desk.example/", "a=b; Max-Age=1", "https://desk.example/", true },
		{ "https://desk.example/", "a=b; Max-Age=0", "https://desk.example/", false },
		{ "https://desk.example/", "a=b; SameSite=Strict", "https://desk.example/", true },
		{ "https://a.desk.example/", "a=b; Domain=desk.example; Secure; Partitioned", "https://c.desk.example/", true },
		{ "https://10.0.0.7/", "a=b", "https://10.0.0.7/", true },
		{ "https://10.0.0.7/", "a=b", "https://1.10.0.0.7/", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		print_message("%s from %s to %s\n", rows[i].line, rows[i].from, rows[i].to);
		assert_int_equal(goes(rows[i].from, rows[i].line, rows[i].to), rows[i].goes);
	}
}

static void test_stays_in_its_partition(void **)
{
	struct state_cookie c = { .name = "a", .value = "b", .domain = "desk.example", .path = "/", .expires = -1, .secure = true,
		.partition = "https://other.example", .source_port = -1 };

	assert_string_equal(sent(&c, 1, "https://desk.example/"), "");
	c.partition = "https://desk.example";
	assert_string_equal(sent(&c, 1, "https://desk.example/"), "a=b");
	c.cross_site_ancestor = true;
	assert_string_equal(sent(&c, 1, "https://desk.example/"), "");
}

static void test_longer_paths_come_first(void **)
{
	struct state_cookie c[4];

	assert_true(reads("https://desk.example/", "one=1; Path=/", &c[0]));
	assert_true(reads("https://desk.example/", "two=2; Path=/x/y", &c[1]));
	assert_true(reads("https://desk.example/", "three; Path=/", &c[2]));
	assert_true(reads("https://desk.example/", "four=4; Path=/x", &c[3]));
	assert_string_equal(sent(c, 4, "https://desk.example/x/y/z"), "two=2; four=4; one=1; three");
}

static void test_leaves_secure_ones_alone(void **)
{
	struct state_cookie secure, c;
	struct state *s;

	assert_true(reads("https://desk.example/", "a=b; Secure; Domain=desk.example", &secure));
	assert_int_equal(state_set_cookies(empty, &secure, 1, NOW, &s), 0);
	assert_false(jar_read(arena, s, "http://desk.example/", "a=c", NOW, &c));
	assert_true(jar_read(arena, s, "https://desk.example/", "a=c", NOW, &c));
	assert_true(jar_read(arena, s, "http://desk.example/", "b=c", NOW, &c));
	state_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reads_all_of_it, begin, end),
		cmocka_unit_test_setup_teardown(test_reads_what_is_not_said, begin, end),
		cmocka_unit_test_setup_teardown(test_reads_when_it_ends, begin, end),
		cmocka_unit_test_setup_teardown(test_ignores_what_a_browser_would, begin, end),
		cmocka_unit_test_setup_teardown(test_keeps_promises, begin, end),
		cmocka_unit_test_setup_teardown(test_goes_where_it_belongs, begin, end),
		cmocka_unit_test_setup_teardown(test_stays_in_its_partition, begin, end),
		cmocka_unit_test_setup_teardown(test_longer_paths_come_first, begin, end),
		cmocka_unit_test_setup_teardown(test_leaves_secure_ones_alone, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
