/* db/migration.c: names and lines. (What a directory must hold:
 * tests/integration/test_db_migrate.c.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db/migration.h"

static void test_names(void **state)
{
	static const char *const wrong[] = {
		"",
		"0001",
		"0001_",
		"0001_.up.sql",
		"0001_a.sql",
		"0001_a.UP.sql",
		"001_a.up.sql",
		"00001_a.up.sql",
		"0000_a.up.sql",
		"0001-a.up.sql",
		"0001_A.up.sql",
		"0001_a.up.sql~",
		"0001_a b.up.sql",
		"a001_a.up.sql",
		"0001_ab23456789012345678901234567890123456789012345678901234567890123.up.sql",
	};
	unsigned number = 0;
	char name[64];
	bool up;
	(void)state;

	assert_true(migration_parse_name("0012_add_2fa.up.sql", &number, name, &up));
	assert_int_equal(12, number);
	assert_string_equal("add_2fa", name);
	assert_true(up);
	assert_true(migration_parse_name("9999_x.down.sql", &number, name, &up));
	assert_int_equal(9999, number);
	assert_false(up);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(migration_parse_name(wrong[i], &number, name, &up));
}

static void test_transaction_line(void **state)
{
	(void)state;
	assert_int_equal(0, migration_transaction_line(""));
	assert_int_equal(0, migration_transaction_line(
				    "CREATE TABLE t (\n\tcommitted int,\n\tcommit int\n);\n"));
	assert_int_equal(0, migration_transaction_line("DO $$\nBEGIN\n\tPERFORM 1;\nEND;\n$$;\n"));
	assert_int_equal(1, migration_transaction_line("BEGIN;\nSELECT 1;\n"));
	assert_int_equal(2, migration_transaction_line("SELECT 1;\n  commit;\n"));
	assert_int_equal(3, migration_transaction_line("\n\n\tstart transaction"));
	assert_int_equal(2, migration_transaction_line("SELECT 1;\nROLLBACK;"));
}

static void test_line(void **state)
{
	(void)state;
	assert_int_equal(1, migration_line("ab\ncd", 1));
	assert_int_equal(1, migration_line("ab\ncd", 3)); /* the line's end itself */
	assert_int_equal(2, migration_line("ab\ncd", 4));
	assert_int_equal(1, migration_line("\xc3\xa9\xc3\xa9\ncd", 3)); /* characters, not bytes */
	assert_int_equal(2, migration_line("\xc3\xa9\xc3\xa9\ncd", 4));
	assert_int_equal(2, migration_line("ab\ncd", 400));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_transaction_line),
		cmocka_unit_test(test_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
