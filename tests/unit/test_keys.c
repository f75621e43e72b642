/* Which keys go to a page: what fields need, and none of Chromium's shortcuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/keys.h"

static void what_fields_need(void **state)
{
	(void)state;
	assert_true(key_may_pass('A', 0));
	assert_true(key_may_pass('A', 8));
	assert_true(key_may_pass(0, 0)); /* a character of an input method */
	assert_true(key_may_pass(9, 0));
	assert_true(key_may_pass(9, 8));
	assert_true(key_may_pass(13, 0));
	assert_true(key_may_pass(27, 0));
	assert_true(key_may_pass(33, 0));
	assert_true(key_may_pass(113, 0)); /* F2 */
	for (const char *p = "ACXVZY"; *p; p++)
		assert_true(key_may_pass(*p, 2));
	assert_true(key_may_pass('Z', 10));
	assert_true(key_may_pass(37, 10));
	assert_true(key_may_pass(8, 2));
	assert_true(key_may_pass(17, 2));
}

static void no_shortcut_of_the_browser(void **state)
{
	static const struct {
		int vk, modifiers;
	} rows[] = { { 'O', 10 }, { 'O', 2 }, { 'U', 2 }, { 'J', 2 }, { 'H', 2 }, { 'T', 2 }, { 'N', 2 }, { 'W', 2 },
		{ 'L', 2 }, { 'K', 2 }, { 'E', 2 }, { 'P', 2 }, { 'S', 2 }, { 'D', 2 }, { 'F', 2 }, { 'I', 10 }, { 'C', 10 },
		{ 'B', 10 }, { 'M', 10 }, { 'W', 10 }, { 'T', 10 }, { 46, 10 }, { 9, 2 }, { 9, 10 }, { 33, 2 }, { 34, 2 },
		{ '1', 2 }, { '9', 2 }, { 0, 2 }, { 27, 8 }, { 112, 0 }, { 114, 0 }, { 117, 0 }, { 118, 0 }, { 121, 0 },
		{ 121, 8 }, { 122, 0 }, { 123, 0 }, { 18, 0 }, { 18, 1 }, { 37, 1 }, { 36, 1 }, { 'D', 1 }, { 'F', 1 },
		{ 'A', 4 }, { 91, 0 }, { 93, 0 }, { 166, 0 }, { 172, 0 }, { 180, 0 }, { 'A', 3 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_false(key_may_pass(rows[i].vk, rows[i].modifiers));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_fields_need),
		cmocka_unit_test(no_shortcut_of_the_browser) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
