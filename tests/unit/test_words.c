#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arena.h"
#include "common/cleanup.h"
#include "common/utf.h"
#include "common/words.h"

#define ELLIPSIS "\xe2\x80\xa6"
#define E_ACUTE  "\xc3\xa9"
#define EURO     "\xe2\x82\xac"
#define SMILE    "\xf0\x9f\x98\x80"

static void test_what_fits_stays(void **state)
{
	char out[32];

	(void)state;
	assert_int_equal(words_set(out, sizeof(out), "%s is %d", E_ACUTE SMILE, 7), 11);
	assert_string_equal(out, E_ACUTE SMILE " is 7");
	assert_int_equal(words_set(out, 5, "abcd"), 4);
	assert_string_equal(out, "abcd");
	assert_int_equal(words_set(out, 1, "abcd"), 0);
	assert_string_equal(out, "");
}

static void test_a_cut_shows(void **state)
{
	char out[16];

	(void)state;
	assert_int_equal(words_set(out, 10, "abcdefghij"), 9);
	assert_string_equal(out, "abcdef" ELLIPSIS);
	words_set(out, 5, "abcdefghij"); /* no place for an ellipsis */
	assert_string_equal(out, "abcd");
}

/* Each width of a character, each room, each offset before it. */
static void test_never_inside_a_character(void **state)
{
	static const char *const characters[] = { E_ACUTE, EURO, SMILE };
	char text[300], out[200];

	(void)state;
	for (size_t c = 0; c < 3; c++) {
		for (size_t offset = 0; offset < 5; offset++) {
			memset(text, 'x', offset);
			text[offset] = '\0';
			for (int i = 0; i < 50; i++)
				strcat(text, characters[c]);
			for (size_t size = 1; size < sizeof(out); size++) {
				size_t n = words_set(out, size, "%s", text);
				assert_true(n < size && strlen(out) == n);
				assert_true(utf8_valid(out, n));
				assert_null(strchr(out, '?'));
				assert_true(n + 8 > size || n == strlen(text));
			}
		}
	}
}

static void test_controls_and_directions(void **state)
{
	char out[64];

	(void)state;
	words_set(out, sizeof(out), "a\nb\tc\x1b[31m\x7f.\xc2\x85\xe2\x80\xa8!");
	assert_string_equal(out, "a b c [31m .  !");
	words_set(out, sizeof(out), "pay\xe2\x80\xae" "exe.\xe2\x81\xa6x\xe2\x81\xa9");
	assert_string_equal(out, "pay\xef\xbf\xbd" "exe.\xef\xbf\xbdx\xef\xbf\xbd");
	words_set(out, sizeof(out), "\xe2\x80\x8f\xd7\xa9\xe2\x80\x8d"); /* a mark and a joiner are part of words */
	assert_string_equal(out, "\xe2\x80\x8f\xd7\xa9\xe2\x80\x8d");
}

static void test_addresses_hold_no_secret(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "at https://a.test/cb?code=x&state=y.", "at https://a.test/cb." },
		{ "(at https://a.test/cb?code=x), then", "(at https://a.test/cb), then" },
		{ "https://a.test/cb?state={1}&code=x", "https://a.test/cb" },
		{ "https://a.test/cb#state=(1)'[2]|&token=x]", "https://a.test/cb]" },
		{ "https://a.test/a_(b)?code=x", "https://a.test/a_(b)" },
		{ "https://a.test/[1]|http://u:p@b.test/`?code=x", "https://a.test/[1]|http://b.test/`" },
		{ "at https://a.test/cb?code=x (again), then", "at https://a.test/cb (again), then" },
		{ "\"https://a.test/#access_token=x\" is", "\"https://a.test/\" is" },
		{ "https://u:p@a.test:8/p postgresql://u:p@h@b/d?x=y", "https://a.test:8/p postgresql://b/d" },
		{ "Is it at https://a.test/?", "Is it at https://a.test/?" },
		{ "Why? a://b Why?", "Why? a://b Why?" },
		{ "https://a.test?x=1 ://?y ://", "https://a.test :// ://" },
		{ "otpauth://totp/a?secret=x", "otpauth://totp/a" },
	};
	char out[200];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		words_set(out, sizeof(out), "%s", rows[i].in);
		assert_string_equal(out, rows[i].out);
	}
	words_set(out, 30, "at https://a.test/cb?code=%s", "0123456789");
	assert_string_equal(out, "at https://a.test/cb" ELLIPSIS);
}

/* Where a text was cut before the host, what stands there may be a password. */
static void test_a_cut_shows_no_password(void **state)
{
	static const char text[] = "at https://anna:password@a.test/in";
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	char out[sizeof(text)];

	(void)state;
	for (size_t size = 1; size <= sizeof(text); size++) {
		words_set(out, size, "%s", text);
		assert_null(strstr(out, "anna"));
		assert_null(strstr(words_new(a, size, "%s", text), "anna"));
	}
	assert_string_equal(out, "at https://a.test/in");
	words_set(out, 20, "at https://a.test/in/and/out");
	assert_string_equal(out, "at https://a.tes" ELLIPSIS);
}

static void test_what_is_not_utf8(void **state)
{
	char out[64];

	(void)state;
	words_set(out, sizeof(out), "a\xff\xed\xa0\x80z\xc3"); /* a lone surrogate, a half character */
	assert_string_equal(out, "a????z?");
	assert_true(utf8_valid(out, strlen(out)));
}

static void test_random_bytes(void **state)
{
	(void)state;
	srand(7);
	for (int round = 0; round < 20000; round++) {
		char text[40], out[40];
		size_t n = (size_t)rand() % (sizeof(text) - 1), size = 1 + (size_t)rand() % sizeof(out);

		for (size_t i = 0; i < n; i++)
			text[i] = (char)(1 + rand() % 255);
		text[n] = '\0';
		n = words_set(out, size, "%s", text);
		assert_true(n < size && strlen(out) == n);
		assert_true(utf8_valid(out, n));
	}
}

static void test_added(void **state)
{
	char out[12] = "";

	(void)state;
	words_add(out, sizeof(out), "%s", "one");
	words_add(out, sizeof(out), ", %s", "two");
	assert_string_equal(out, "one, two");
	assert_int_equal(words_add(out, sizeof(out), "%s", EURO EURO), 11);
	assert_string_equal(out, "one, two" EURO);
	assert_int_equal(words_add(out, sizeof(out), "x"), 11);
}

static void test_brief(void **state)
{
	char out[64];

	(void)state;
	words_set(out, sizeof(out), "\"%s\" is long", BRIEF(9, "0123456789"));
	assert_string_equal(out, "\"012345" ELLIPSIS "\" is long");
	words_set(out, sizeof(out), "\"%s\"", BRIEF(10, "0123456789"));
	assert_string_equal(out, "\"0123456789\"");
	assert_string_equal(BRIEF(10, NULL), "");
}

static void test_in_an_arena(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	(void)state;
	assert_string_equal(words_new(a, 100, "%s\n%d", "a", 7), "a 7");
	assert_string_equal(words_new(a, 7, "%s", EURO EURO EURO), EURO ELLIPSIS);
	assert_string_equal(words_new(a, 100, "%s", ""), "");
}

static void test_exact(void **state)
{
	char out[5];

	(void)state;
	assert_true(exact_set(out, sizeof(out), "%s", "abcd"));
	assert_string_equal(out, "abcd");
	assert_false(exact_set(out, sizeof(out), "%s", "abcde"));
	assert_string_equal(out, "");
	assert_true(exact_set(out, sizeof(out), "\r\n"));
	exact_must(out, sizeof(out), "%04d", 7);
	assert_string_equal(out, "0007");
}

static void test_fit(void **state)
{
	(void)state;
	assert_int_equal(words_fit("abc", 3, 10), 3);
	assert_int_equal(words_fit("abc", 3, 2), 2);
	assert_int_equal(words_fit("a" EURO, 4, 3), 1);
	assert_int_equal(words_fit("a" EURO, 4, 4), 4);
	assert_int_equal(words_fit(SMILE, 4, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_fits_stays),
		cmocka_unit_test(test_a_cut_shows),
		cmocka_unit_test(test_never_inside_a_character),
		cmocka_unit_test(test_controls_and_directions),
		cmocka_unit_test(test_addresses_hold_no_secret),
		cmocka_unit_test(test_a_cut_shows_no_password),
		cmocka_unit_test(test_what_is_not_utf8),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_added),
		cmocka_unit_test(test_brief),
		cmocka_unit_test(test_in_an_arena),
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
