/* What a watcher holds while nobody reads, and sessiond's changes as they are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/hub.h"
#include "common/loop.h"
#include "sessiond/change.h"

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

static void newest_only(void *arg)
{
	struct hub *h = hub_new(sizeof(struct change), CHANGE_MOST);
	struct watcher *w = watcher_new(h, NULL);
	struct change c;

	(void)arg;
	change_tell(h, "7 1 working desk");
	change_tell(h, "8 1 working desk");
	change_tell(h, "7 1 working gym");
	change_tell(h, "7 2 unproved desk");
	assert_int_equal(watcher_next(w, NULL, &c, NEVER), 0);
	assert_int_equal(c.user, 7);
	assert_int_equal(c.version, 2);
	assert_string_equal(c.health, "unproved");
	assert_int_equal(watcher_next(w, NULL, &c, NEVER), 0);
	assert_int_equal(c.user, 8);
	assert_int_equal(watcher_next(w, NULL, &c, NEVER), 0);
	assert_string_equal(c.site, "gym");
	assert_int_equal(watcher_next(w, NULL, &c, loop_now() + 1), -ETIMEDOUT);
	watcher_free(w);
	hub_free(h);
}

static void missed(void *arg)
{
	struct hub *h = hub_new(sizeof(struct change), CHANGE_MOST);
	struct watcher *w = watcher_new(h, NULL);
	struct change c;

	(void)arg;
	change_tell(h, "7 1 working desk");
	change_tell(h, NULL);
	change_tell(h, "7 2 working desk");
	assert_int_equal(watcher_next(w, NULL, &c, NEVER), -ESTALE);
	assert_int_equal(watcher_next(w, NULL, &c, loop_now() + 1), -ETIMEDOUT);
	change_tell(h, "7 3 working desk");
	assert_int_equal(watcher_next(w, NULL, &c, NEVER), 0);
	assert_int_equal(c.version, 3);
	watcher_free(w);
	hub_free(h);
}

static void bounded(void *arg)
{
	struct hub *h = hub_new(sizeof(struct change), CHANGE_MOST);
	struct watcher *w = watcher_new(h, NULL);
	struct change c;

	(void)arg;
	for (int i = 1; i <= CHANGE_MOST + 1; i++) {
		char text[40];

		snprintf(text, sizeof(text), "%d 1 working desk", i);
		change_tell(h, text);
	}
	assert_int_equal(watcher_next(w, NULL, &c, NEVER), -ESTALE);
	assert_int_equal(watcher_next(w, NULL, &c, loop_now() + 1), -ETIMEDOUT);
	watcher_free(w);
	hub_free(h);
}

static void wait_one(void *arg)
{
	struct change c;

	assert_int_equal(watcher_next(arg, NULL, &c, NEVER), -ESHUTDOWN);
}

static void ends(void *arg)
{
	struct hub *h = hub_new(sizeof(struct change), CHANGE_MOST);
	struct watcher *w = watcher_new(h, NULL);
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

struct one {
	struct hub *hub;
	const char *key;
	bool heard;
};

static void hear_one(void *arg)
{
	struct one *o = arg;
	CLEANUP(watcher_freep) struct watcher *w = watcher_new(o->hub, o->key);

	o->heard = watcher_wait(w, deadline_in(5000)) == 0;
}

/* Who watches one key hears of that alone, and that something was missed. */
static void by_key(void *arg)
{
	struct hub *h = hub_new(0, 1);
	struct one all = { h, NULL, false }, one = { h, "1", false }, two = { h, "2", false };
	struct fiber *f[3];

	(void)arg;
	fiber_start("all", hear_one, &all, &f[0]);
	fiber_start("one", hear_one, &one, &f[1]);
	fiber_start("two", hear_one, &two, &f[2]);
	assert_int_equal(fiber_yield(), 0);
	hub_tell(h, "2", NULL);
	fiber_join(&f[2]);
	fiber_join(&f[0]);
	assert_false(fiber_ended(f[1]));
	hub_miss(h);
	fiber_join(&f[1]);
	assert_true(all.heard && one.heard && two.heard);
	hub_free(h);
}

/* What happens between looking and waiting is not missed, and twice is once. */
static void is_kept(void *arg)
{
	struct hub *h = hub_new(0, 1);
	struct watcher *w = watcher_new(h, "7");
	char key[HUB_KEY + 1];

	(void)arg;
	hub_tell(h, "8", NULL);
	assert_int_equal(watcher_wait(w, deadline_in(1)), -ETIMEDOUT);
	hub_tell(h, "7", NULL);
	hub_tell(h, "7", NULL);
	assert_int_equal(watcher_wait(w, deadline_in(5000)), 0);
	assert_int_equal(watcher_wait(w, deadline_in(1)), -ETIMEDOUT);
	memset(key, '7', HUB_KEY);
	key[HUB_KEY] = '\0';
	hub_tell(h, key, NULL); /* longer than a key can be: nobody's */
	assert_int_equal(watcher_wait(w, deadline_in(1)), -ETIMEDOUT);
	hub_end(h);
	assert_int_equal(watcher_wait(w, NEVER), -ESHUTDOWN);
	watcher_free(w);
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
		FIBER_TEST(newest_only),
		FIBER_TEST(missed),
		FIBER_TEST(bounded),
		FIBER_TEST(ends),
		FIBER_TEST(by_key),
		FIBER_TEST(is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
