/* Texts from pages made to fit: cut between characters, without control characters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/cleanup.h"
#include "common/utf.h"
#include "streamd/browser/clip.h"

static void fits(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	(void)state;
	assert_string_equal(clip(a, "desk", 4), "desk");
	assert_string_equal(clip(a, "desks", 4), "desk");
	assert_null(clip(a, "", 4));
	assert_null(clip(a, NULL, 4));
	assert_null(clip(a, "desk", 0));
}

static void cuts_between_characters(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\xaa\x91"; /* 1, 2, 3 and 4 bytes */

	(void)state;
	for (size_t most = 1; most <= sizeof(text); most++) {
		const char *c = clip(a, text, most);
		assert_true(strlen(c) <= most);
		assert_true(utf8_valid(c, strlen(c)));
		assert_memory_equal(c, text, strlen(c));
	}
	assert_string_equal(clip(a, text, 5), "a\xc3\xa4");
	assert_string_equal(clip(a, text, 6), "a\xc3\xa4\xe2\x82\xac");
	assert_null(clip(a, "\xf0\x9f\xaa\x91", 3));
}

static void drops_control_characters(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	(void)state;
	assert_string_equal(clip(a, "a\x01\x1b[0m\tb\nc\r", 32), "a  [0m\tb\nc ");
	assert_string_equal(clip(a, "a\xe2\x80\xae" "b", 32), "a\xef\xbf\xbd" "b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fits),
		cmocka_unit_test(cuts_between_characters),
		cmocka_unit_test(drops_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
