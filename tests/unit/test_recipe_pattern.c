/* Patterns of hosts, addresses and accounts, and dates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "recipe/date.h"
#include "recipe/pattern.h"

static void test_host(void **state)
{
	(void)state;
	assert_true(host_match("desk.test", "desk.test"));
	assert_true(host_match("desk.test", "DESK.test."));
	assert_false(host_match("desk.test", "adesk.test"));
	assert_false(host_match("desk.test", "desk.test.evil"));
	assert_true(host_match("*.desk.test", "api.desk.test"));
	assert_true(host_match("*.desk.test", "a.b.desk.test"));
	assert_false(host_match("*.desk.test", "desk.test"));
	assert_false(host_match("*.desk.test", ".desk.test"));
	assert_false(host_match("*.desk.test", "evildesk.test"));
	assert_false(host_match("desk.test", ""));
	assert_null(host_pattern_wrong("desk.test"));
	assert_null(host_pattern_wrong("*.desk.test"));
	assert_null(host_pattern_wrong("localhost"));
	assert_null(host_pattern_wrong("localhost:8080"));
	assert_non_null(host_pattern_wrong("localhost:"));
	assert_non_null(host_pattern_wrong("localhost:99999"));
	assert_true(host_match("localhost:8080", "localhost"));
	assert_true(host_match_url("localhost:8080", "http://localhost:8080/x"));
	assert_false(host_match_url("localhost:8080", "http://localhost/x"));
	assert_false(host_match_url("localhost", "http://localhost:8080/x"));
	assert_true(host_match_url("localhost", "http://localhost/x"));
	assert_true(host_match_url("*.desk.test", "https://api.desk.test:443/x"));
	assert_false(host_match_url("*.desk.test", "about:blank"));
	assert_null(host_pattern_wrong("::1"));
	assert_non_null(host_pattern_wrong("*.test"));
	assert_non_null(host_pattern_wrong("*"));
	assert_non_null(host_pattern_wrong("a*.desk.test"));
	assert_non_null(host_pattern_wrong("desk..test"));
	assert_non_null(host_pattern_wrong("https://desk.test"));
	assert_non_null(host_pattern_wrong(""));
}

static void test_url(void **state)
{
	static const char finder[] = "https://desk.test/finder*";

	(void)state;
	assert_true(url_match(finder, "https://desk.test/finder"));
	assert_true(url_match(finder, "https://desk.test:443/finder/building/1?x=1#top"));
	assert_true(url_match(finder, "HTTPS://DESK.test/finder"));
	assert_false(url_match(finder, "http://desk.test/finder"));
	assert_false(url_match(finder, "https://desk.test/login?next=/finder"));
	assert_false(url_match(finder, "https://desk.test:8443/finder"));
	assert_false(url_match(finder, "https://desk.test.evil.test/finder"));
	assert_false(url_match(finder, "https://evil.test/https://desk.test/finder"));
	assert_false(url_match(finder, "https://desk.test@evil.test/finder"));
	assert_false(url_match(finder, "https://evil.test#@desk.test/finder"));
	assert_false(url_match(finder, "about:blank"));
	assert_false(url_match(finder, ""));
	assert_true(url_match("https://*.desk.test/", "https://api.desk.test"));
	assert_false(url_match("https://*.desk.test/*", "https://desk.test/"));
	assert_true(url_match("https://desk.test/a?id=*", "https://desk.test/a?id=5#x"));
	assert_false(url_match("https://desk.test/a?id=*", "https://desk.test/a"));
	assert_false(url_match("https://desk.test/a#done", "https://desk.test/a"));
	assert_true(url_match("https://desk.test/a#done", "https://desk.test/a#done"));
	assert_true(url_match("https://[::1]:5000/*", "https://[::1]:5000/v1"));
	assert_false(url_match("https://[::1]:5000/*", "https://[::1]/v1"));
	assert_non_null(url_pattern_wrong("desk.test/finder"));
	assert_non_null(url_pattern_wrong("https://*/finder"));
	assert_non_null(url_pattern_wrong("ftp://desk.test/"));
	assert_non_null(url_pattern_wrong("https://desk.test:99999/"));
	assert_non_null(url_wrong("https://user@desk.test/"));
	assert_null(origin_wrong("https://desk.test:8443"));
	assert_non_null(origin_wrong("https://desk.test/"));
	assert_non_null(origin_wrong("https://desk.test?x"));
}

/* A pattern full of stars against a text that nearly fits must not take for ever. */
static void test_glob(void **state)
{
	char text[2001] = "http://a/";

	(void)state;
	memset(text + 9, 'a', 1991);
	text[2000] = '\0';
	assert_false(url_match("http://a/*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
	assert_true(url_match("http://a/a*b*c", "http://a/axxbyyc"));
	assert_false(url_match("http://a/a*b*c", "http://a/axxbyycd"));
	assert_true(url_match("http://a/*", "http://a/"));
	assert_false(url_match("http://a/", "http://a/a"));
	assert_true(glob_find("already * taken", "Sorry: ALREADY being taken."));
	assert_false(glob_find("already taken", "already being taken"));
}

static void test_account(void **state)
{
	char out[32];

	(void)state;
	assert_true(account_match(NULL, "  alice@example.test\n", out, sizeof(out)));
	assert_string_equal(out, "alice@example.test");
	assert_true(account_match("Signed in as *.", "Signed  in\nas Alice  Martin .", out, sizeof(out)));
	assert_string_equal(out, "Alice Martin ");
	assert_true(account_match("Signed in as *", "Signed in as \x1b[1mal\xe2\x80\xaeice\xe2\x81\xa9\xc2\x85 \xd9\x85\xef\xbb\xbf", out, sizeof(out)));
	assert_string_equal(out, "[1malice \xd9\x85");
	assert_false(account_match(NULL, "\xe2\x80\x8f \x01", out, sizeof(out)));
	/* U+00AD, U+3164, U+E0061, U+FE0F and U+2800 within; U+00A0 and U+3000 are spaces. */
	assert_true(account_match("Signed in as *", "Signed\xc2\xa0in as a\xc2\xad\xe3\x85\xa4" "d\xf3\xa0\x81\xa1\xef\xb8\x8f" "a\xe2\xa0\x80"
		"\xe3\x80\x80\xf0\x9f\x90\x84", out, sizeof(out)));
	assert_string_equal(out, "ada \xf0\x9f\x90\x84");
	assert_false(account_match("Signed in as *", "Sign in", out, sizeof(out)));
	assert_false(account_match("Signed in as *", "Signed in as ", out, sizeof(out)));
	assert_false(account_match(NULL, " \n", out, sizeof(out)));
	assert_false(account_match(NULL, "an account name far longer than fits here", out, sizeof(out)));
}

static void test_date(void **state)
{
	struct tm tm;
	char later[11];

	(void)state;
	assert_int_equal(date_parse("2025-11-20", &tm), 0);
	assert_int_equal(tm.tm_wday, 4);
	assert_int_equal(date_parse("2024-02-29", &tm), 0);
	assert_int_equal(date_parse("2025-02-29", &tm), -EINVAL);
	assert_int_equal(date_parse("2025-13-01", &tm), -EINVAL);
	assert_int_equal(date_parse("2025-00-10", &tm), -EINVAL);
	assert_int_equal(date_parse("2025-1-1", &tm), -EINVAL);
	assert_int_equal(date_parse("2025-11-20 ", &tm), -EINVAL);
	assert_int_equal(date_parse("", &tm), -EINVAL);
	assert_int_equal(date_distance("2025-12-31", "2026-01-01"), 1);
	assert_int_equal(date_distance("2024-03-01", "2024-02-28"), -2);
	date_after("2024-02-28", 2, later);
	assert_string_equal(later, "2024-03-01");
	date_after("2025-12-31", 0, later);
	assert_string_equal(later, "2025-12-31");
	date_after("2025-12-31", 3660, later);
	assert_string_equal(later, "2036-01-08");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_glob),
		cmocka_unit_test(test_account),
		cmocka_unit_test(test_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
