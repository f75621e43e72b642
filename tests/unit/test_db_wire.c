/* db/wire.c: numbers and times in PostgreSQL's binary format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db/wire.h"

#include <string.h>

static void test_int(void **state)
{
	(void)state;
	assert_true(wire_int("\x00\x00\x00\x00\x00\x00\x01\x02", 8) == 258);
	assert_true(wire_int("\x80\x00\x00\x00\x00\x00\x00\x00", 8) == INT64_MIN);
	assert_true(wire_int("\xff\xff\xff\xfe", 4) == -2);
	assert_true(wire_int("\x7f\xff", 2) == 32767);
	assert_true(wire_int("\xff\xff", 2) == -1);
	assert_true(wire_int("\x01", 1) == 1);
}

static void test_time(void **state)
{
	(void)state;
	assert_true(wire_time_from_ms(946684800000) == 0); /* 2000-01-01 */
	assert_true(wire_time_from_ms(946684800001) == 1000);
	assert_true(wire_time_from_ms(0) == -946684800000000);
	assert_true(wire_time_from_ms(DB_NEVER) == INT64_MAX);
	assert_true(wire_time_from_ms(DB_NEVER - 1) == INT64_MAX);
	assert_true(wire_time_from_ms(INT64_MIN) == INT64_MIN);
	assert_true(wire_time_to_ms(INT64_MAX) == DB_NEVER);
	assert_true(wire_time_to_ms(INT64_MIN) == INT64_MIN);
	assert_true(wire_time_to_ms(1999) == 946684800001);
	assert_true(wire_time_to_ms(-1) == 946684799999); /* down, not towards zero */
	assert_true(wire_time_to_ms(-1000) == 946684799999);
	for (int64_t ms = -5000000000; ms < 5000000000; ms += 999999937)
		assert_true(wire_time_to_ms(wire_time_from_ms(ms)) == ms);
}

static void test_params(void **state)
{
	struct wire_params p;
	(void)state;

	wire_params_fill(&p,
		DB_ARGS(DB_INT(-2), DB_BOOL(5), DB_INT(256), DB_TEXT("x"), DB_TEXT(NULL),
			DB_BYTES("a\0b", 3), DB_BYTES(NULL, 0), DB_NULL, DB_TIME(946684800001)),
		9);
	assert_int_equal(9, p.n);
	assert_int_equal(OID_INT8, p.types[0]);
	assert_memory_equal("\xff\xff\xff\xff\xff\xff\xff\xfe", p.values[0], 8);
	assert_int_equal(8, p.lengths[0]);
	assert_int_equal(OID_BOOL, p.types[1]);
	assert_int_equal(1, p.lengths[1]);
	assert_int_equal(1, p.values[1][0]);
	assert_int_equal(OID_INT8, p.types[2]);
	assert_memory_equal("\0\0\0\0\0\0\x01\0", p.values[2], 8);
	assert_int_equal(0, p.types[3]);
	assert_int_equal(0, p.formats[3]);
	assert_string_equal("x", p.values[3]);
	assert_null(p.values[4]);
	assert_int_equal(OID_BYTEA, p.types[5]);
	assert_int_equal(3, p.lengths[5]);
	assert_int_equal(1, p.formats[5]);
	assert_null(p.values[6]);
	assert_null(p.values[7]);
	assert_int_equal(OID_TIMESTAMPTZ, p.types[8]);
	assert_memory_equal("\0\0\0\0\0\0\x03\xe8", p.values[8], 8);
}

static void test_count(void **state)
{
	(void)state;
	assert_int_equal(0, DB_COUNT());
	assert_int_equal(1, DB_COUNT(DB_NULL));
	assert_int_equal(3, DB_COUNT(DB_INT(1), DB_TEXT("a, b"), DB_BYTES("c", 1)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_int),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
