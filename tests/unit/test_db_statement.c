/* db/statement.c: which statements a connection has prepared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db/statement.h"

#include <stdio.h>
#include <string.h>

static void test_same_or_not(void **state)
{
	struct statements s = { 0 };
	const Oid number[] = { 20 }, none[] = { 0 };
	char copy[] = "SELECT $1";
	struct statement *first = statements_get(&s, "SELECT $1", number, 1);
	(void)state;

	assert_non_null(first);
	assert_false(first->prepared);
	assert_ptr_equal(first, statements_get(&s, copy, number, 1)); /* by text, not by address */
	assert_ptr_not_equal(
		first, statements_get(&s, copy, none, 1)); /* the server inferred another type */
	assert_ptr_not_equal(first, statements_get(&s, "SELECT $2", number, 1));
	statements_clear(&s);
}

static void test_bounded(void **state)
{
	struct statements s = { 0 };
	struct statement *first = NULL;
	char sql[32], names[STATEMENTS_MAX][8];
	(void)state;

	for (int i = 0; i < STATEMENTS_MAX; i++) {
		snprintf(sql, sizeof(sql), "SELECT %d", i);
		struct statement *st = statements_get(&s, sql, NULL, 0);

		assert_non_null(st);
		first = first ? first : st;
		memcpy(names[i], st->name, sizeof(names[i]));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(names[i], names[j]);
	}
	assert_null(statements_get(&s, "one more", NULL, 0));
	assert_ptr_equal(first, statements_get(&s, "SELECT 0", NULL, 0));
	statements_clear(&s);
	assert_non_null(statements_get(&s, "one more", NULL, 0));
	statements_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_or_not),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
