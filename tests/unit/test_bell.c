/* Bells: nothing that happens between looking and waiting is missed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "botd/bell.h"
#include "common/fiber.h"
#include "common/loop.h"

static struct bell *bell;
static int heard[3];

static void run(void (*fn)(void *))
{
	struct fiber *f = NULL;

	assert_int_equal(loop_init(), 0);
	bell = bell_new();
	fiber_start("test", fn, NULL, &f);
	while (!fiber_ended(f))
		loop_turn();
	fiber_join(&f);
	bell = bell_free(bell);
	fiber_drop_stacks();
	loop_deinit();
}

static void listen(void *arg)
{
	intptr_t number = (intptr_t)arg;
	struct hearer h;

	bell_listen(bell, &h, number);
	heard[number] = bell_wait(&h, deadline_in(5000)) == 0;
	bell_leave(&h);
}

static void rings(void *arg)
{
	struct fiber *f[3];

	(void)arg;
	for (intptr_t i = 0; i < 3; i++)
		fiber_start("hearer", listen, (void *)i, &f[i]);
	assert_int_equal(fiber_yield(), 0);
	bell_ring(bell, 2);
	fiber_join(&f[2]);
	fiber_join(&f[0]); /* who listens for all hears it too */
	assert_false(fiber_ended(f[1]));
	bell_ring(bell, 0);
	fiber_join(&f[1]);
	assert_true(heard[0] && heard[1] && heard[2]);
}

static void keeps_a_ring(void *arg)
{
	struct hearer h;

	(void)arg;
	bell_listen(bell, &h, 7);
	bell_ring(bell, 8);
	assert_int_equal(bell_wait(&h, deadline_in(1)), -ETIMEDOUT);
	bell_ring(bell, 7);
	bell_ring(bell, 7);
	assert_int_equal(bell_wait(&h, deadline_in(5000)), 0);
	assert_int_equal(bell_wait(&h, deadline_in(1)), -ETIMEDOUT); /* two rings are one */
	bell_end(bell);
	assert_int_equal(bell_wait(&h, NEVER), -ESHUTDOWN);
	bell_leave(&h);
}

static void test_rings(void **state)
{
	(void)state;
	run(rings);
}

static void test_keeps_a_ring(void **state)
{
	(void)state;
	run(keeps_a_ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rings),
		cmocka_unit_test(test_keeps_a_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
