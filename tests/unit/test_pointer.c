/* JSON Pointer: the examples of RFC 6901 section 5, and what leads nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "recipe/pointer.h"

static const char document[] = "{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2, \"e^f\": 3, \"g|h\": 4, \"i\\\\j\": 5, "
	"\"k\\\"l\": 6, \" \": 7, \"m~n\": 8}";

static void test_examples(void **)
{
	static const struct {
		const char *pointer;
		int value;
	} rows[] = { { "/", 0 }, { "/a~1b", 1 }, { "/c%d", 2 }, { "/e^f", 3 }, { "/g|h", 4 }, { "/i\\j", 5 },
		{ "/k\"l", 6 }, { "/ ", 7 }, { "/m~0n", 8 } };
	json_t *d = json_loads(document, 0, NULL);

	assert_ptr_equal(pointer_find(d, ""), d);
	assert_int_equal(json_array_size(pointer_find(d, "/foo")), 2);
	assert_string_equal(json_string_value(pointer_find(d, "/foo/0")), "bar");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_null(pointer_wrong(rows[i].pointer));
		assert_int_equal(json_integer_value(pointer_find(d, rows[i].pointer)), rows[i].value);
	}
	json_decref(d);
}

static void test_leads_nowhere(void **)
{
	static const char *const rows[] = { "/foo/2", "/foo/-", "/foo/00", "/foo/01", "/foo/0/x", "/foo/",
		"/foo/99999999999999999999", "/none", "/none/deeper", "/foo/bar", "/a/b", "/m~n" };
	json_t *d = json_loads(document, 0, NULL);
	char large[1000];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		print_message("%s\n", rows[i]);
		assert_null(pointer_find(d, rows[i]));
	}
	memset(large, 'a', sizeof(large) - 1);
	large[0] = '/';
	large[sizeof(large) - 1] = '\0';
	assert_null(pointer_find(d, large));
	assert_null(pointer_find(NULL, "/foo"));
	json_decref(d);
}

static void test_wrong(void **)
{
	assert_null(pointer_wrong(""));
	assert_null(pointer_wrong("/a~0~1"));
	assert_non_null(pointer_wrong("a"));
	assert_non_null(pointer_wrong("/a~"));
	assert_non_null(pointer_wrong("/a~2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_examples), cmocka_unit_test(test_leads_nowhere),
		cmocka_unit_test(test_wrong) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
