/* sessiond/fingerprint.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "sessiond/fingerprint.h"

static struct secret *salt_of(uint8_t byte)
{
	struct secret *salt = NULL;

	assert_int_equal(secret_new(FINGERPRINT_SALT, &salt), 0);
	memset(salt->data, byte, salt->len);
	return salt;
}

/*
 * Frozen: a change would lose every session that is stored. HMAC computed with Python's hmac
 * module.
 */
static void test_frozen(void **state)
{
	struct secret *salt = salt_of(0x42);
	char out[FINGERPRINT_SIZE];

	(void)state;
	assert_int_equal(fingerprint_background(salt, 7, "desk", out), 0);
	assert_string_equal(out, "bg-0299992f51085639cdce068773d3e4b065c951c2");
	secret_free(salt);
}

static void test_differs(void **state)
{
	struct secret *salt = salt_of(0x42), *other = salt_of(0x43);
	char out[FINGERPRINT_SIZE], again[FINGERPRINT_SIZE];

	(void)state;
	assert_int_equal(fingerprint_background(salt, 7, "desk", out), 0);
	assert_int_equal(fingerprint_background(salt, 7, "desk", again), 0);
	assert_string_equal(out, again);
	assert_int_equal(fingerprint_background(salt, 8, "desk", again), 0);
	assert_string_not_equal(out, again);
	assert_int_equal(fingerprint_background(salt, 7, "gym", again), 0);
	assert_string_not_equal(out, again);
	assert_int_equal(fingerprint_background(other, 7, "desk", again), 0);
	assert_string_not_equal(out, again);
	secret_free(salt);
	secret_free(other);
}

static void test_long_site(void **state)
{
	struct secret *salt = salt_of(0x42);
	char out[FINGERPRINT_SIZE], site[66];

	(void)state;
	memset(site, 'x', sizeof(site));
	site[65] = '\0';
	assert_int_equal(fingerprint_background(salt, 7, site, out), -EINVAL);
	site[64] = '\0';
	assert_int_equal(fingerprint_background(salt, 7, site, out), 0);
	secret_free(salt);
}

static int set_up(void **state)
{
	(void)state;
	return secret_init(SECRET_HEAP_DEFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frozen),
		cmocka_unit_test(test_differs),
		cmocka_unit_test(test_long_site),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
