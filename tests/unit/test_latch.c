/* Latches: who is woken, in which order, and what is left of a latch that goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/latch.h"

static char trace[256];
static struct latch *latch;
static int open_doors;

static int set_up(void **state)
{
	(void)state;
	trace[0] = '\0';
	open_doors = 0;
	latch = calloc(1, sizeof(*latch));
	return loop_init();
}

static int tear_down(void **state)
{
	(void)state;
	free(latch);
	fiber_drop_stacks();
	loop_deinit();
	return 0;
}

static void mark(const char *who, int r)
{
	size_t n = strlen(trace);

	snprintf(trace + n, sizeof(trace) - n, "%s%d ", who, r);
}

static void wait_once(void *arg)
{
	mark(arg, latch_wait(latch, NEVER));
}

static void wait_briefly(void *arg)
{
	mark(arg, latch_wait(latch, deadline_in(20)));
}

static void await_door(void *arg)
{
	LATCH_AWAIT(latch, open_doors > 0);
	mark(arg, 0);
}

static void turn(int times)
{
	while (times--)
		loop_turn();
}

static void start(void (*fn)(void *), const char *name, struct fiber **ret)
{
	fiber_start(name, fn, (void *)(uintptr_t)name, ret);
}

static void end(struct fiber **f)
{
	while (!fiber_ended(*f))
		loop_turn();
	fiber_join(f);
}

static void test_all_in_order(void **state)
{
	struct fiber *f[3];

	(void)state;
	latch_wake(latch, 0); /* nothing is kept of it */
	start(wait_once, "a", &f[0]);
	start(wait_once, "b", &f[1]);
	start(wait_once, "c", &f[2]);
	turn(1);
	assert_string_equal(trace, "");
	latch_wake(latch, -EPIPE);
	for (int i = 0; i < 3; i++)
		end(&f[i]);
	assert_string_equal(trace, "a-32 b-32 c-32 ");
}

/* Whoever is woken touches it no more. */
static void test_goes_at_once(void **state)
{
	struct fiber *f;

	(void)state;
	start(wait_once, "a", &f);
	turn(1);
	latch_wake(latch, -ECONNRESET);
	free(latch);
	latch = NULL;
	end(&f);
	assert_string_equal(trace, "a-104 ");
}

/* The wake counts for whoever gives up in the same turn, too, for what is a part of it goes by that. */
static void test_goes_as_one_gives_up(void **state)
{
	struct fiber *f;

	(void)state;
	start(wait_once, "a", &f);
	turn(1);
	fiber_cancel(f);
	latch_wake(latch, -EPIPE);
	free(latch);
	latch = NULL;
	end(&f);
	assert_string_equal(trace, "a-32 ");
}

/* Whoever has given up is not among those who wait any more. */
static void test_given_up(void **state)
{
	struct fiber *late, *cancelled;

	(void)state;
	start(wait_briefly, "late", &late);
	start(wait_once, "cancelled", &cancelled);
	turn(1);
	fiber_cancel(cancelled);
	end(&cancelled);
	end(&late);
	assert_string_equal(trace, "cancelled-125 late-110 ");
	assert_true(LIST_EMPTY(&latch->waiters));
}

static void test_until_it_holds(void **state)
{
	struct fiber *f;

	(void)state;
	start(await_door, "door", &f);
	turn(1);
	fiber_cancel(f); /* it owes the wait to somebody */
	latch_wake(latch, 0);
	turn(1);
	assert_false(fiber_ended(f));
	open_doors = 1;
	latch_wake(latch, 0);
	end(&f);
	assert_string_equal(trace, "door0 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_goes_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_goes_as_one_gives_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_given_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_until_it_holds, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
