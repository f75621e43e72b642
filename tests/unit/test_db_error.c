/* db/error.c: which SQLSTATE is which errno. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db/error.h"

#include <errno.h>
#include <string.h>

static void test_codes(void **state)
{
	(void)state;
	assert_int_equal(-EEXIST, db_error_code("23505"));
	assert_int_equal(-EEXIST, db_error_code("23P01"));
	assert_int_equal(-ENOENT, db_error_code("23503"));
	assert_int_equal(-EINVAL, db_error_code("23514"));
	assert_int_equal(-EINVAL, db_error_code("22P02"));
	assert_int_equal(-EACCES, db_error_code("42501"));
	assert_int_equal(-EDEADLK, db_error_code("40001"));
	assert_int_equal(-EDEADLK, db_error_code("40P01"));
	assert_int_equal(-ETIMEDOUT, db_error_code("57014"));
	assert_int_equal(-ETIMEDOUT, db_error_code("55P03"));
	assert_int_equal(-ENOTCONN, db_error_code("57P01"));
	assert_int_equal(-ENOTCONN, db_error_code("57P03"));
	assert_int_equal(-ENOTCONN, db_error_code("08006"));
	assert_int_equal(-EROFS, db_error_code("25006"));
	assert_int_equal(-ENOSPC, db_error_code("53100"));
	assert_int_equal(-EIO, db_error_code("42601"));
	assert_int_equal(-EIO, db_error_code("XX000"));
	assert_int_equal(-EIO, db_error_code(""));
}

static void test_text(void **state)
{
	struct db_error e = { .code = -EIO, .sqlstate = "12345", .constraint = "old" };
	char long_text[1000];
	(void)state;

	db_error_set(&e, -ENOTCONN, "first line\n\tsecond\n\n");
	assert_int_equal(-ENOTCONN, e.code);
	assert_string_equal("first line  second", e.text);
	assert_string_equal("", e.sqlstate);
	assert_string_equal("", e.constraint);
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	db_error_set(&e, -EIO, "%s", long_text);
	assert_int_equal(sizeof(e.text) - 1, strlen(e.text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
