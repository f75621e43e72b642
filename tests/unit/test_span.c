/* What is read piece by piece: words, lines, lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/span.h"

static void test_words(void **state)
{
	struct span some = { "GET /", 3 };

	(void)state;
	assert_true(span_is(some, "GET"));
	assert_false(span_is(some, "get"));
	assert_false(span_is(some, "GET "));
	assert_true(span_names(some, "get"));
	assert_false(span_names(some, "ge"));
	assert_true(span_is(span_of(NULL), ""));
	assert_true(span_is(span_trim(span_of(" \t a b\t ")), "a b"));
	assert_true(span_is(span_trim(span_of(" \t ")), ""));
}

static void test_lists(void **state)
{
	struct span rest = span_of("a||bc"), each;

	(void)state;
	assert_true(span_next(&rest, "|", &each) && span_is(each, "a"));
	assert_true(span_next(&rest, "|", &each) && span_is(each, ""));
	assert_true(span_next(&rest, "|", &each) && span_is(each, "bc"));
	assert_false(span_next(&rest, "|", &each));
	rest = span_of("a|"); /* what a separator ends has an empty piece behind it */
	assert_true(span_next(&rest, "|", &each) && span_is(each, "a"));
	assert_true(span_next(&rest, "|", &each) && span_is(each, ""));
	assert_false(span_next(&rest, "|", &each));
	rest = (struct span){ "a\0b", 3 }; /* a NUL is a byte like others */
	assert_true(span_next(&rest, "|/", &each));
	assert_int_equal(each.n, 3);
	rest = span_of(NULL);
	assert_false(span_next(&rest, "|", &each));
}

static void test_lists_have(void **state)
{
	(void)state;
	assert_true(span_lists("a|bc|d", "|", "a"));
	assert_true(span_lists("a|bc|d", "|", "bc"));
	assert_true(span_lists("a|bc|d", "|", "d"));
	assert_true(span_lists("a/bc|d", "|/", "bc"));
	assert_false(span_lists("a|bc|d", "|", "b"));
	assert_false(span_lists("a|bc|d", "|", ""));
	assert_false(span_lists("a||d", "|", ""));
	assert_false(span_lists("a|bc|d", "|", "a|bc"));
	assert_false(span_lists("a|bc|d", "|", "e"));
}

static void test_lines(void **state)
{
	static const char text[] = "one\r\n\r\ntwo\nthree\r\n", wrong[] = "a\rb\r\nc\0d\r\n";
	struct span rest = { text, sizeof(text) - 1 }, line;

	(void)state;
	assert_true(span_cut_line(&rest, &line) && span_is(line, "one"));
	assert_true(span_cut_line(&rest, &line) && span_is(line, ""));
	assert_false(span_cut_line(&rest, &line)); /* a lone LF */
	rest = (struct span){ wrong, sizeof(wrong) - 1 };
	assert_false(span_cut_line(&rest, &line)); /* a CR within */
	assert_false(span_cut_line(&rest, &line)); /* a NUL */
	rest = span_of("no end");
	assert_false(span_cut_line(&rest, &line));
	assert_true(span_is(rest, "no end"));
	assert_true(span_cut(&rest, ' ', &line) && span_is(line, "no") && span_is(rest, "end"));
	assert_false(span_cut(&rest, ' ', &line));
}

static void test_tokens(void **state)
{
	(void)state;
	assert_true(span_is_token(span_of("X-Real_IP.9!#$%&'*+^`|~")));
	assert_false(span_is_token(span_of("")));
	assert_false(span_is_token(span_of("a b")));
	assert_false(span_is_token(span_of("a:")));
	assert_false(span_is_token(span_of("\xc3\xa4")));
	assert_false(span_is_token((struct span){ "a\0", 2 }));
	assert_false(span_is_token(span_of("a@")));
	assert_false(span_is_token(span_of("[")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_lists_have),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
