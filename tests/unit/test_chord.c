/* Keys as a recipe writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "recipe/chord.h"

static void test_right(void **state)
{
	static const struct {
		const char *keys;
		bool control, shift;
		char character;
		const char *key, *code, *text;
		int vk;
	} rows[] = {
		{ "Enter", false, false, 0, "Enter", "Enter", "\r", 13 },
		{ "Space", false, false, 0, " ", "Space", " ", 32 },
		{ "Shift+Tab", false, true, 0, "Tab", "Tab", NULL, 9 },
		{ "Shift+Control+End", true, true, 0, "End", "End", NULL, 35 },
		{ "Control+z", true, false, 'z', NULL, NULL, NULL, 0 },
		{ "+", false, false, '+', NULL, NULL, NULL, 0 },
		{ "Control++", true, false, '+', NULL, NULL, NULL, 0 },
		{ "F9", false, false, 0, "F9", "F9", NULL, 120 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct chord c = { 0 };

		if (!chord_parse(rows[i].keys, &c) || chord_wrong(rows[i].keys))
			fail_msg("%s", rows[i].keys);
		assert_int_equal(c.control, rows[i].control);
		assert_int_equal(c.shift, rows[i].shift);
		assert_int_equal(c.character, rows[i].character);
		assert_int_equal(c.vk, rows[i].vk);
		if (!rows[i].key)
			continue;
		assert_string_equal(c.key, rows[i].key);
		assert_string_equal(c.code, rows[i].code);
		assert_true(c.text == rows[i].text || strcmp(c.text, rows[i].text) == 0);
	}
}

static void test_wrong(void **state)
{
	static const char *const rows[] = { "", "Control", "Control+", "Control+Control+a", "Shift+Shift+a", "Alt+a",
		"enter", "ab", " ", "\u00fc",
		"F1", "F12", "Enter+a", "\t" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!chord_wrong(rows[i]))
			fail_msg("\"%s\"", rows[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_right), cmocka_unit_test(test_wrong) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
