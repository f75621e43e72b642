/* sessiond/hub.c: what a watcher holds while nobody reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "common/fiber.h"
#include "common/loop.h"
#include "sessiond/hub.h"

static void test_parse(void **state)
{
	struct change c;

	(void)state;
	assert_int_equal(change_parse("7 12 needs_sign_in my desk", &c), 0);
	assert_int_equal(c.user, 7);
	assert_int_equal(c.version, 12);
	assert_string_equal(c.health, "needs_sign_in");
	assert_string_equal(c.site, "my desk");
}

static void test_parse_refuses(void **state)
{
	static const char *const bad[] = { "", "7", "7 12", "7 12 working", "7 12 working ",
		"0 1 working desk", "7 -1 working desk", "x 1 working desk",
		"7 1 a_word_that_is_too_long desk",
		"7 1 working 12345678901234567890123456789012345678901234567890123456789012345" };
	struct change c = { .user = 99 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(change_parse(bad[i], &c), -EINVAL);
	assert_int_equal(c.user, 99);
}

/* The rest waits, so it runs in a fiber. */
static void run(void **state)
{
	struct fiber *f = NULL;

	loop_init();
	fiber_start("test", (void (*)(void *)) * state, NULL, &f);
	while (!fiber_ended(f))
		loop_turn();
	fiber_join(&f);
	fiber_drop_stacks();
	loop_deinit();
}

static void begins_stale(void *arg)
{
	struct hub *h = hub_new();
	struct watcher *w = watcher_new(h), *late;
	struct change c;

	(void)arg;
	assert_int_equal(watcher_next(w, &c, loop_now() + 1), -ETIMEDOUT); /* nobody listens yet */
	hub_notice(h, NULL);
	assert_int_equal(watcher_next(w, &c, NEVER), -ESTALE);
	late = watcher_new(h);
	assert_int_equal(watcher_next(late, &c, NEVER), -ESTALE);
	watcher_free(w);
	watcher_free(late);
	hub_free(h);
}

static void newest_only(void *arg)
{
	struct hub *h = hub_new();
	struct watcher *w = watcher_new(h);
	struct change c;

	(void)arg;
	hub_notice(h, "7 1 working desk");
	hub_notice(h, "8 1 working desk");
	hub_notice(h, "7 1 working gym");
	hub_notice(h, "7 2 unproved desk");
	assert_int_equal(watcher_next(w, &c, NEVER), 0);
	assert_int_equal(c.user, 7);
	assert_int_equal(c.version, 2);
	assert_string_equal(c.health, "unproved");
	assert_int_equal(watcher_next(w, &c, NEVER), 0);
	assert_int_equal(c.user, 8);
	assert_int_equal(watcher_next(w, &c, NEVER), 0);
	assert_string_equal(c.site, "gym");
	assert_int_equal(watcher_next(w, &c, loop_now() + 1), -ETIMEDOUT);
	watcher_free(w);
	hub_free(h);
}

static void missed(void *arg)
{
	struct hub *h = hub_new();
	struct watcher *w = watcher_new(h);
	struct change c;

	(void)arg;
	hub_notice(h, "7 1 working desk");
	hub_notice(h, NULL);
	hub_notice(h, "7 2 working desk");
	assert_int_equal(watcher_next(w, &c, NEVER), -ESTALE);
	assert_int_equal(watcher_next(w, &c, loop_now() + 1), -ETIMEDOUT);
	hub_notice(h, "7 3 working desk");
	assert_int_equal(watcher_next(w, &c, NEVER), 0);
	assert_int_equal(c.version, 3);
	watcher_free(w);
	hub_free(h);
}

static void bounded(void *arg)
{
	struct hub *h = hub_new();
	struct watcher *w = watcher_new(h);
	struct change c;

	(void)arg;
	for (int i = 1; i <= HUB_PENDING_MAX + 1; i++) {
		char text[40];

		snprintf(text, sizeof(text), "%d 1 working desk", i);
		hub_notice(h, text);
	}
	assert_int_equal(watcher_next(w, &c, NEVER), -ESTALE);
	assert_int_equal(watcher_next(w, &c, loop_now() + 1), -ETIMEDOUT);
	watcher_free(w);
	hub_free(h);
}

static void wait_one(void *arg)
{
	struct change c;

	assert_int_equal(watcher_next(arg, &c, NEVER), -ESHUTDOWN);
}

static void ends(void *arg)
{
	struct hub *h = hub_new();
	struct watcher *w = watcher_new(h);
	struct fiber *f = NULL;

	(void)arg;
	fiber_start("waiter", wait_one, w, &f);
	fiber_yield(); /* now it waits */
	assert_int_equal(hub_watchers(h), 1);
	hub_end(h);
	fiber_join(&f);
	watcher_free(w);
	assert_int_equal(hub_watchers(h), 0);
	hub_free(h);
}

#define FIBER_TEST(fn)                                                                             \
	{                                                                                          \
#fn, run, NULL, NULL, (void *)fn                                                   \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_refuses),
		FIBER_TEST(begins_stale),
		FIBER_TEST(newest_only),
		FIBER_TEST(missed),
		FIBER_TEST(bounded),
		FIBER_TEST(ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
