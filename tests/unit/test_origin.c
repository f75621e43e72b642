/* Which requests are Stead's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "authd/origin.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_judge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
