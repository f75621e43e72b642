/* What viewers are told of a page, whatever its address and title are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/cleanup.h"
#include "common/utf.h"
#include "proto/field.h"
#include "streamd/screen/target_info.h"

static struct page_changed_event describe(struct arena *arena, const char *url, const char *title)
{
	struct target t = { .url = (struct url *)url_in(arena, url), .title = (char *)title };
	struct page_changed_event event;

	target_describe(&t, arena, &event);
	return event;
}

static void test_as_it_is(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct page_changed_event event = describe(arena, "https://desk.test/finder", "Desks");

	(void)state;
	assert_string_equal(event.url, "https://desk.test/finder");
	assert_string_equal(event.title, "Desks");
	assert_false(event.popup);
	event = describe(arena, "https://desk.test/.stead/0", "desk.test/.stead/0");
	assert_string_equal(event.url, "about:blank");
	assert_null(event.title);
	event = describe(arena, "https://desk.test/at?next=/.stead/0", "Desks");
	assert_string_equal(event.url, "https://desk.test/at?next=/.stead/0");
	event = describe(arena, "", "");
	assert_string_equal(event.url, "about:blank");
	assert_null(event.title);
}

/* However long they are, the row takes them: a viewer must never go on showing the old ones. */
static void test_too_long(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	char url[10000], title[5000];
	struct page_changed_event event;
	struct refusal why;
	struct bytes t = { 0 };
	int fd;

	(void)state;
	memset(url, 'u', sizeof(url) - 1);
	memcpy(url, "https://desk.test/", 18);
	url[sizeof(url) - 1] = '\0';
	for (size_t i = 0; i + 2 < sizeof(title); i += 2)
		memcpy(title + i, "\xc3\xa9", 3);
	event = describe(arena, url, title);
	assert_int_equal(fields_write(&t, method_page_changed.params(), &event, &fd, &why), 0);
	bytes_free(&t);
	assert_memory_equal(event.url, url, strlen(event.url));
	assert_true(strlen(event.url) > 4000);
	assert_true(strlen(event.title) > 1000);
	assert_true(utf8_valid(event.title, strlen(event.title)));
}

/* What a page calls itself can turn nothing around and holds no token. */
static void test_hostile_title(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct page_changed_event event = describe(arena, "https://desk.test/", "\x1b[2J\xe2\x80\xaemoc.knab\n"
							   "https://a.test/cb?code=secret");

	(void)state;
	assert_string_equal(event.title, " [2J\xef\xbf\xbdmoc.knab https://a.test/cb");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_it_is),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_hostile_title),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
