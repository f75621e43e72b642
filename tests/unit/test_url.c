/* Addresses: what is shown of them, and what decides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/utf.h"
#include "streamd/browser/url.h"

static void test_shown(void **state)
{
	static const struct {
		const char *whole, *shown;
	} rows[] = {
		{ "https://desk.test/a/b?token=1#x", "https://desk.test/a/b" },
		{ "https://desk.test#token", "https://desk.test" },
		{ "https://desk.test/?", "https://desk.test/" },
		{ "https://me:pass@desk.test/a@b", "https://desk.test/a@b" },
		{ "https://desk.test/a@b", "https://desk.test/a@b" },
		{ "https://desk.test?u=http://x:y@z", "https://desk.test" },
		{ "blob:https://desk.test/7f#x", "blob:https://desk.test/7f" },
		{ "data:text/html,<h1>secret</h1>", "data:" },
		{ "JavaScript:secret()", "JavaScript:" },
		{ "about:blank", "about:blank" },
		{ "about:blank#secret", "about:blank" },
		{ "", "" },
		{ NULL, "" },
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct url *u = url_in(a, rows[i].whole);
		assert_string_equal(url_shown(u), rows[i].shown);
		assert_string_equal(url_whole(u), rows[i].whole ? rows[i].whole : "");
	}
	assert_string_equal(url_shown(NULL), "no page at all");
}

static void test_long(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	char *text = arena_alloc(a, 4 * URL_MOST + 100);
	const struct url *u;

	(void)state;
	strcpy(text, "https://desk.test/");
	for (int i = 0; i < URL_MOST; i++)
		strcat(text + i, "\xc3\xa4");
	u = url_in(a, text);
	assert_true(strlen(url_whole(u)) <= URL_MOST && strlen(url_whole(u)) > URL_MOST - 4);
	assert_true(utf8_valid(url_whole(u), strlen(url_whole(u))));
	assert_true(strlen(url_shown(u)) <= URL_MOST_SHOWN);
	assert_true(utf8_valid(url_shown(u), strlen(url_shown(u))));
}

static void test_decides(void **state)
{
	static const char *const patterns[] = { "https://a.test/*", "https://b.test/in?ok=1" };
	struct url *u = url_new("https://b.test/in?ok=1"), *other = url_new("https://b.test/in?ok=2");

	(void)state;
	assert_true(url_fits_any(u, patterns, 2));
	assert_false(url_fits_any(other, patterns, 2));
	assert_false(url_fits_any(u, patterns, 0));
	assert_false(url_equal(u, other));
	assert_true(url_equal(u, u));
	assert_null(url_free(u));
	url_free(other);
	assert_null(url_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
