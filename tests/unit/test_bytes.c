/* Bytes that grow, and are cleansed where they leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/bytes.h"

static void test_grow(void **state)
{
	struct bytes b = { 0 };
	char big[5000];

	(void)state;
	bytes_put(&b, NULL, 0);
	assert_null(b.p);
	bytes_puts(&b, "one");
	bytes_put(&b, "\0two", 4);
	assert_int_equal(b.n, 7);
	memset(big, 'x', sizeof(big));
	bytes_put(&b, big, sizeof(big));
	assert_int_equal(b.n, 5007);
	assert_memory_equal(b.p, "one\0two", 7);
	assert_memory_equal(b.p + 7, big, sizeof(big));
	bytes_reserve(&b, 100000);
	assert_true(b.size - b.n >= 100000);
	assert_memory_equal(b.p, "one\0two", 7);
	bytes_free(&b);
	assert_null(b.p);
	assert_int_equal(b.size, 0);
	bytes_free(&b);
}

static void test_drop(void **state)
{
	struct bytes b = { 0 };

	(void)state;
	bytes_puts(&b, "secret and rest");
	bytes_drop(&b, 0);
	bytes_drop(&b, 11);
	assert_int_equal(b.n, 4);
	assert_memory_equal(b.p, "rest\0\0\0\0\0\0\0\0\0\0\0", 15); /* where the others stood, nothing is left */
	bytes_drop(&b, 4);
	assert_int_equal(b.n, 0);
	assert_int_equal(b.p[0], 0);
	bytes_free(&b);
}

static void test_reset(void **state)
{
	struct bytes b = { 0 };
	char *before;

	(void)state;
	bytes_reset(&b, 0);
	bytes_puts(&b, "secret");
	before = b.p;
	bytes_reset(&b, b.size);
	assert_int_equal(b.n, 0);
	assert_ptr_equal(b.p, before);
	assert_int_equal(b.p[0], 0);
	bytes_puts(&b, "again");
	bytes_reset(&b, b.size - 1);
	assert_null(b.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
