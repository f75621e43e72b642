/* The loop, its clocks, and what is put off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "common/loop.h"

static char trace[64];

static void mark(void *arg)
{
	strcat(trace, arg);
}

static void again(void *arg)
{
	mark(arg);
	loop_defer(mark, "c"); /* from within: still this turn */
	loop_stop();
}

static int set_up(void **state)
{
	(void)state;
	trace[0] = '\0';
	return loop_init();
}

static int tear_down(void **state)
{
	(void)state;
	loop_deinit();
	loop_deinit();
	return 0;
}

static void test_deferred_in_order(void **state)
{
	(void)state;
	assert_int_equal(loop_init(), 0); /* a second time is harmless */
	loop_defer(mark, "a");
	loop_defer(again, "b");
	assert_string_equal(trace, "");
	loop_run();
	assert_string_equal(trace, "abc");
}

static void test_deferred_at_the_end(void **state)
{
	(void)state;
	loop_defer(mark, "x");
	loop_deinit(); /* whatever was to be freed is freed */
	assert_string_equal(trace, "x");
	assert_int_equal(loop_init(), 0);
	loop_defer(mark, "y");
	loop_turn();
	assert_string_equal(trace, "xy");
}

static void test_clocks(void **state)
{
	int64_t before = loop_now(), wall = wall_now();

	(void)state;
	assert_true(loop_now() >= before);
	assert_true(wall > INT64_C(1700000000000) && wall < INT64_C(9999999999999));
	assert_true(deadline_in(NEVER) == NEVER);
	assert_in_range(deadline_in(1000) - before, 1000, 1500);
	assert_true(deadline_in(INT64_MAX - 1) == NEVER); /* no overflow into the past */
	assert_true(deadline_in(-INT64_MAX) < before);
	assert_true(deadline_min(5, NEVER) == 5 && deadline_min(7, 3) == 3);
}

static void note(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	*(int64_t *)arg = loop_now();
	loop_stop();
}

static void test_timers_are_precise(void **state)
{
	struct timeval tv = { .tv_usec = 20000 };
	int64_t began = loop_now(), came = 0;
	struct event *timer = event_new(loop_base(), -1, 0, note, &came);

	(void)state;
	event_add(timer, &tv);
	loop_run();
	assert_in_range(came - began, 19, 200); /* never early; how late is for the machine to say */
	event_free(timer);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_deferred_in_order),
		TEST(test_deferred_at_the_end),
		TEST(test_clocks),
		TEST(test_timers_are_precise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
