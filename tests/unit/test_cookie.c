/* Cookies in and out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/cookie.h"

static void test_find(void **state)
{
	char value[8];

	(void)state;
	assert_true(cookie_find("stead=abc", "stead", value, sizeof(value)));
	assert_string_equal(value, "abc");
	assert_true(cookie_find("a=1; stead=xyz; stead-device=q", "stead", value, sizeof(value)));
	assert_string_equal(value, "xyz");
	assert_true(cookie_find("stead-device=q;stead=1234567", "stead", value, sizeof(value)));
	assert_string_equal(value, "1234567");
	assert_true(cookie_find("stead=", "stead", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_true(cookie_find("  stead=abc \t; a=b", "stead", value, sizeof(value)));
	assert_string_equal(value, "abc");
	assert_false(cookie_find("stead=12345678", "stead", value, sizeof(value))); /* does not fit */
	assert_false(cookie_find("stead=a; stead=b", "stead", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_false(cookie_find("stead=abc; a=b; stead=abc", "stead", value, sizeof(value)));
	assert_false(cookie_find("a=stead=abc", "stead", value, sizeof(value)));
	assert_false(cookie_find("xstead=a", "stead", value, sizeof(value)));
	assert_false(cookie_find("Stead=a", "stead", value, sizeof(value)));
	assert_false(cookie_find("stead", "stead", value, sizeof(value)));
	assert_false(cookie_find("; ;;", "stead", value, sizeof(value)));
	assert_false(cookie_find("", "stead", value, sizeof(value)));
	assert_false(cookie_find(NULL, "stead", value, sizeof(value)));
}

static void test_build(void **state)
{
	char out[COOKIE_MOST];

	(void)state;
	cookie_build(out, cookie_login_name(true), "v", true, 0);
	assert_string_equal(out, "__Host-stead=v; Path=/; HttpOnly; SameSite=Lax; Secure");
	cookie_build(out, cookie_login_name(false), "v", false, 0);
	assert_string_equal(out, "stead=v; Path=/; HttpOnly; SameSite=Lax");
	cookie_build(out, cookie_device_name(true), "v", true, 86400);
	assert_string_equal(out, "__Host-stead-device=v; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=86400");
	cookie_build(out, cookie_login_name(false), "", false, -1);
	assert_string_equal(out, "stead=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
