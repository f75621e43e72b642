/* Which requests are Stead's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "common/origin.h"

static char *items[] = { "https://stead.example.org", "http://127.0.0.1:8080", "https://stead.example.org:8443" };
static const struct words origins = { items, 3 };
static const char own[] = "https://stead.example.org";

static void test_check(void **state)
{
	(void)state;
	for (size_t i = 0; i < origins.count; i++)
		assert_null(origin_check(origins.items[i]));
	assert_null(origin_check("http://[::1]:8080"));
	assert_non_null(origin_check("stead.example.org"));
	assert_non_null(origin_check("ftp://stead.example.org"));
	assert_non_null(origin_check("https://"));
	assert_non_null(origin_check("https://:443"));
	assert_non_null(origin_check("https://stead.example.org/"));
	assert_non_null(origin_check("https://Stead.example.org"));
	assert_non_null(origin_check("https://user@stead.example.org"));
	assert_non_null(origin_check("https://stead.example.org:443"));
	assert_non_null(origin_check("http://stead.example.org:80"));
	assert_null(origin_check("http://stead.example.org:443"));
}

static void test_what_browsers_send(void **state)
{
	static const char *const good[] = { "https://stead.example.org", "http://localhost:8080", "http://127.0.0.1:1",
		"https://[::1]:8443", "https://[2001:db8::1]", "https://a:65535", "https://a:80", "http://a:443", "http://a_b" };
	static const char *const bad[] = { "", "null", "stead.example.org", "ftp://a", "https://", "https://a/", "https://a/b",
		"https://A", "https://a:443", "http://a:80", "https://a:", "https://a:0", "https://a:65536", "https://a:1x",
		"https://a:-1", "https://a:+1", "https://u@a", "https://a?b", "https://[::1", "https://[]", "https://a b",
		"HTTPS://a", "https://[g::1]", "https://[::1]x", "https://a:99999999999999999999" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (origin_check(good[i]))
			fail_msg("%s was refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (!origin_check(bad[i]))
			fail_msg("%s was taken", bad[i]);
}

static void test_host(void **state)
{
	(void)state;
	assert_string_equal(origin_of_host(&origins, "stead.example.org"), own);
	assert_string_equal(origin_of_host(&origins, "STEAD.example.org"), own);
	assert_string_equal(origin_of_host(&origins, "stead.example.org:8443"), items[2]);
	assert_string_equal(origin_of_host(&origins, "127.0.0.1:8080"), items[1]);
	assert_null(origin_of_host(&origins, "127.0.0.1"));
	assert_null(origin_of_host(&origins, "stead.example.org.evil.example"));
	assert_null(origin_of_host(&origins, ""));
	assert_null(origin_of_host(&origins, NULL));
	assert_true(origin_is_https(items[0]));
	assert_false(origin_is_https(items[1]));
}

static void test_judge(void **state)
{
	static const struct {
		const char *site, *origin;
		enum origin_verdict verdict;
	} cases[] = {
		{ "same-origin", NULL, ORIGIN_OWN },
		{ "same-origin", own, ORIGIN_OWN },
		{ "same-origin", "https://evil.example", ORIGIN_FOREIGN },
		{ "same-site", own, ORIGIN_FOREIGN },
		{ "cross-site", own, ORIGIN_FOREIGN },
		{ "none", NULL, ORIGIN_FOREIGN },
		{ "none", own, ORIGIN_FOREIGN },
		{ "", own, ORIGIN_FOREIGN },
		{ "Same-Origin", NULL, ORIGIN_FOREIGN },
		{ NULL, own, ORIGIN_OWN },
		{ NULL, "https://stead.example.org/", ORIGIN_FOREIGN },
		{ NULL, "http://stead.example.org", ORIGIN_FOREIGN },
		{ NULL, "https://stead.example.org:8443", ORIGIN_FOREIGN },
		{ NULL, "https://stead.example.org.evil.example", ORIGIN_FOREIGN },
		{ NULL, "null", ORIGIN_FOREIGN },
		{ NULL, "", ORIGIN_FOREIGN },
		{ NULL, NULL, ORIGIN_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(origin_judge(own, cases[i].site, cases[i].origin), cases[i].verdict);
}

static void test_setting(void **state)
{
	static char *const wrong[] = { "https://stead.example.org", "https://stead.example.org/" };
	char why[512] = "?";

	(void)state;
	assert_int_equal(origins_check(&origins, why, sizeof(why)), 0);
	assert_string_equal(why, "");
	assert_int_equal(origins_check(&(struct words){ 0 }, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "the setting origin is missing; say in stead.conf"));
	assert_int_equal(origins_check(&(struct words){ (char **)wrong, 2 }, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "does not take \"https://stead.example.org/\": only a host and a port"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_setting),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_what_browsers_send),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_judge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
