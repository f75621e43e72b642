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
		const char *key, *code, *text;
		int vk, modifiers;
	} rows[] = {
		{ "Enter", false, false, "Enter", "Enter", "\r", 13, 0 },
		{ "Space", false, false, " ", "Space", " ", 32, 0 },
		{ "Shift+Tab", false, true, "Tab", "Tab", "", 9, 8 },
		{ "Control+Enter", true, false, "Enter", "Enter", "", 13, 2 },
		{ "Shift+Control+End", true, true, "End", "End", "", 35, 10 },
		{ "Control+Z", true, false, "z", "KeyZ", "", 'Z', 2 },
		{ "Control+Shift+z", true, true, "Z", "KeyZ", "", 'Z', 10 },
		{ "x", false, false, "x", "KeyX", "x", 'X', 0 },
		{ "X", false, false, "X", "KeyX", "X", 'X', 8 },
		{ "Shift+x", false, true, "X", "KeyX", "X", 'X', 8 },
		{ "+", false, false, "+", "Equal", "+", 187, 8 },
		{ "Shift+/", false, true, "/", "Slash", "/", 191, 8 },
		{ "7", false, false, "7", "Digit7", "7", '7', 0 },
		{ "(", false, false, "(", "Digit9", "(", '9', 8 },
		{ "F9", false, false, "F9", "F9", "", 120, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct chord c = { 0 };

		if (!chord_parse(rows[i].keys, &c) || chord_wrong(rows[i].keys))
			fail_msg("%s", rows[i].keys);
		assert_int_equal(c.control, rows[i].control);
		assert_int_equal(c.shift, rows[i].shift);
		assert_string_equal(c.key, rows[i].key);
		assert_string_equal(c.code, rows[i].code);
		assert_string_equal(c.text, rows[i].text);
		assert_int_equal(c.vk, rows[i].vk);
		assert_int_equal(c.modifiers, rows[i].modifiers);
	}
}

static void test_wrong(void **state)
{
	static const char *const rows[] = { "", "Control", "Control+", "Control+Control+a", "Shift+Shift+a", "Alt+a",
		"enter", "ab", " ", "\u00fc",
		"F1", "F12", "Enter+a", "\t",
		"Control+t", "Control+Shift+I", "Control+1", "Control+/", "Shift+Escape", "Control+Tab", "Control+F4x" };

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
