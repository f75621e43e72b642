/* Work on threads, waited for in fibers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <semaphore.h>
#include <stdbool.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/fiber.h"
#include "common/loop.h"
#include "common/worker.h"

static struct worker_pool *pool;
static sem_t gate;

static int set_up(void **state)
{
	(void)state;
	loop_init();
	sem_init(&gate, 0, 0);
	return worker_pool_new(2, 1, &pool);
}

static int tear_down(void **state)
{
	(void)state;
	pool = worker_pool_free(pool);
	sem_destroy(&gate);
	loop_deinit();
	fiber_drop_stacks();
	return 0;
}

static void turn_until_ended(struct fiber **f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		while (!fiber_ended(f[i]))
			loop_turn();
		fiber_join(&f[i]);
	}
}

struct sum {
	int64_t n, result;
	int r;
};

static void add_up(void *arg)
{
	struct sum *s = arg;

	for (int64_t i = 1; i <= s->n; i++)
		s->result += i;
}

static void sum_up(void *arg)
{
	struct sum *s = arg;

	s->r = worker_run(pool, add_up, s, deadline_in(5000));
}

static void test_runs(void **state)
{
	struct sum a = { .n = 1000 }, b = { .n = 100000 };
	struct fiber *f[2];

	(void)state;
	fiber_start("a", sum_up, &a, &f[0]);
	fiber_start("b", sum_up, &b, &f[1]);
	turn_until_ended(f, 2);
	assert_int_equal(a.r, 0);
	assert_int_equal(a.result, 500500);
	assert_int_equal(b.result, 5000050000);
}

struct gated {
	bool ran;
	int64_t ms;
	int r;
};

static void pass_gate(void *arg)
{
	struct gated *g = arg;

	sem_wait(&gate);
	g->ran = true;
}

static void through_gate(void *arg)
{
	struct gated *g = arg;

	g->r = worker_run(pool, pass_gate, g, deadline_in(g->ms));
}

static void open_gate(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	sem_post(&gate);
	sem_post(&gate);
}

/* Two run past their deadline, one waits and gives up, a fourth finds the queue full. */
static void test_limits(void **state)
{
	/* Long enough for two threads to have begun, on any machine. */
	struct gated g[4] = { { .ms = 1500 }, { .ms = 1500 }, { .ms = 20 }, { .ms = 20 } };
	struct fiber *f[4];
	struct timeval later = { .tv_sec = 1, .tv_usec = 600000 };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		fiber_start("gated", through_gate, &g[i], &f[i]);
	event_base_once(loop_base(), -1, EV_TIMEOUT, open_gate, NULL, &later);
	turn_until_ended(f, 4);
	assert_int_equal(g[0].r, 0);
	assert_int_equal(g[1].r, 0);
	assert_true(g[0].ran && g[1].ran);
	assert_int_equal(g[2].r, -ETIMEDOUT);
	assert_int_equal(g[3].r, -EBUSY);
	assert_false(g[2].ran || g[3].ran);
}

/* A cancelled fiber does not leave before the thread has let go of its stack. */
static void test_cancelled_while_running(void **state)
{
	struct gated g = { .ms = 5000 };
	struct fiber *f;
	struct timeval later = { .tv_usec = 50000 };

	(void)state;
	fiber_start("gated", through_gate, &g, &f);
	loop_turn();
	usleep(10000); /* the thread takes it; nothing tells when */
	fiber_cancel(f);
	event_base_once(loop_base(), -1, EV_TIMEOUT, open_gate, NULL, &later);
	turn_until_ended(&f, 1);
	assert_true((g.r == 0) == g.ran);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_runs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cancelled_while_running, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
