/* Fibers: their order, their waits, their ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/fiber.h"
#include "common/loop.h"

static char trace[256];

static void mark(const char *what)
{
	strncat(trace, what, sizeof(trace) - strlen(trace) - 1);
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
	fiber_drop_stacks();
	loop_deinit();
	return 0;
}

/* Runs fn on a fiber until it has ended. */
static void run(void (*fn)(void *), void *arg)
{
	struct fiber *f = NULL;

	fiber_start("test", fn, arg, &f);
	while (!fiber_ended(f))
		loop_turn();
	fiber_join(&f);
	assert_null(f);
}

static void say(void *arg)
{
	mark(arg);
	fiber_yield();
	mark(arg);
}

static void start_three(void *arg)
{
	struct fiber *a, *b;

	(void)arg;
	fiber_start("a", say, "a", &a);
	fiber_start("b", say, "b", &b);
	mark("-"); /* none has run yet: starting does not give way */
	fiber_join(&a);
	fiber_join(&b);
	fiber_join(&b); /* nothing is left of it */
	mark(".");
}

static void test_order(void **state)
{
	(void)state;
	run(start_three, NULL);
	assert_string_equal(trace, "-abab.");
	assert_null(fiber_self());
	assert_null(fiber_local());
	assert_false(fiber_cancelled());
}

static void sleep_and_look(void *arg)
{
	int64_t began = loop_now();

	(void)arg;
	assert_int_equal(fiber_sleep_until(began + 20), 0);
	assert_in_range(loop_now() - began, 20, 5000);
	assert_int_equal(fiber_sleep_until(began - 1000), 0); /* long ago: at once */
	struct wait w = { 0 };
	assert_int_equal(wait_for(&w, loop_now() + 10), -ETIMEDOUT);
	struct wait woken = { 0 };
	wait_wake(&woken, -EIO); /* before anybody waits */
	wait_wake(&woken, 0);    /* the second counts for nothing */
	assert_int_equal(wait_for(&woken, NEVER), -EIO);
}

/* A turn of the loop that has taken long already when somebody sets a time in it. */
static void work_and_sleep(void *arg)
{
	int64_t began = loop_now(), set;

	(void)arg;
	while (loop_now() - began < 30)
		;
	set = loop_now();
	assert_int_equal(fiber_sleep_until(set + 20), 0);
	assert_in_range(loop_now() - set, 20, 5000);
}

static void test_deadlines(void **state)
{
	(void)state;
	run(sleep_and_look, NULL);
	run(work_and_sleep, NULL);
}

static void sleep_for_ever(void *arg)
{
	*(int *)arg = fiber_sleep_until(NEVER);
	assert_true(fiber_cancelled());
	assert_int_equal(fiber_yield(), -ECANCELED); /* and every later wait */
	fiber_shield();
	assert_false(fiber_cancelled());
	fiber_shield();
	assert_int_equal(fiber_sleep_until(deadline_in(5)), 0);
	fiber_unshield();
	assert_int_equal(fiber_sleep_until(deadline_in(5)), 0);
	fiber_unshield();
	assert_int_equal(fiber_sleep_until(deadline_in(5)), -ECANCELED);
}

static void cancel_one(void *arg)
{
	struct fiber *f;
	int result = 1;

	(void)arg;
	fiber_start("sleeper", sleep_for_ever, &result, &f);
	fiber_yield();
	assert_int_equal(result, 1);
	fiber_cancel(f);
	fiber_cancel(f);
	fiber_join(&f);
	assert_int_equal(result, -ECANCELED);
	result = 1;
	fiber_start("sleeper", sleep_for_ever, &result, &f);
	fiber_cancel(f); /* before it has run at all */
	fiber_join(&f);
	assert_int_equal(result, -ECANCELED);
	fiber_cancel(NULL);
}

static void test_cancel(void **state)
{
	(void)state;
	run(cancel_one, NULL);
}

static void shielded(void *arg)
{
	fiber_shield();
	*(int *)arg = fiber_sleep_until(deadline_in(30));
	fiber_unshield();
}

/* Whoever joins waits to the end, cancelled or not, for what it started uses its memory. */
static void join_cancelled(void *arg)
{
	struct fiber *f;
	int result = 1;

	(void)arg;
	fiber_start("shielded", shielded, &result, &f);
	fiber_yield();
	fiber_cancel(fiber_self());
	fiber_cancel(f);
	fiber_join(&f);
	assert_int_equal(result, 0);
	assert_true(fiber_cancelled());
}

static void test_join_is_not_cut_short(void **state)
{
	(void)state;
	run(join_cancelled, NULL);
}

static void nothing(void *arg)
{
	(void)arg;
}

static void join_ended(void *arg)
{
	struct fiber *f;

	(void)arg;
	fiber_start("short", nothing, NULL, &f);
	while (!fiber_ended(f))
		fiber_yield();
	fiber_cancel(f); /* an ended fiber is not woken */
	fiber_join(&f);
	assert_null(f);
}

static void test_ended_handle(void **state)
{
	(void)state;
	run(join_ended, NULL);
}

#define MANY 2000

static size_t alive, most_alive;

static void one_of_many(void *arg)
{
	(void)arg;
	alive++;
	most_alive = alive > most_alive ? alive : most_alive;
	for (int i = 0; i < 3; i++)
		assert_int_equal(fiber_yield(), 0);
	alive--;
}

static void test_many(void **state)
{
	(void)state;
	for (int i = 0; i < MANY; i++)
		fiber_start("one", one_of_many, NULL, NULL);
	while (most_alive < MANY || alive)
		loop_turn();
	assert_int_equal(most_alive, MANY);
}

static void wait_readable(void *arg)
{
	int *ends = arg;

	assert_int_equal(fiber_wait_fd(ends[0], EV_READ, deadline_in(10)), -ETIMEDOUT);
	assert_int_equal(fiber_wait_fd(ends[0], EV_WRITE, deadline_in(1000)), EV_WRITE);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(fiber_wait_fd(ends[0], EV_READ, NEVER), EV_READ);
	fiber_cancel(fiber_self());
	assert_int_equal(fiber_wait_fd(ends[0], EV_READ, NEVER), -ECANCELED);
}

static void test_wait_fd(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	run(wait_readable, ends);
	close(ends[0]);
	close(ends[1]);
}

static void keep_local(void *arg)
{
	assert_null(fiber_local());
	fiber_set_local(arg);
	fiber_yield();
	assert_ptr_equal(fiber_local(), arg);
}

static void test_local(void **state)
{
	int a, b;
	struct fiber *f, *g;

	(void)state;
	fiber_start("a", keep_local, &a, &f);
	fiber_start("b", keep_local, &b, &g);
	while (!fiber_ended(f) || !fiber_ended(g))
		loop_turn();
	fiber_join(&f);
	fiber_join(&g);
}

/* Floating point control and callee-saved registers survive a switch. */
static void compute(void *arg)
{
	double sum = 0;

	for (int i = 1; i <= 1000; i++) {
		sum += 1.0 / i;
		if (i % 100 == 0)
			fiber_yield();
	}
	*(double *)arg = sum;
}

static void test_registers(void **state)
{
	double sums[8];
	struct fiber *f[8];

	(void)state;
	for (int i = 0; i < 8; i++)
		fiber_start("sum", compute, &sums[i], &f[i]);
	for (int i = 0; i < 8; i++) {
		while (!fiber_ended(f[i]))
			loop_turn();
		fiber_join(&f[i]);
		assert_true(sums[i] > 7.48547 && sums[i] < 7.48548);
	}
}

/* A page on each step, so that the guard page cannot be jumped over. */
__attribute__((noinline)) static int dig(volatile int depth)
{
	volatile char page[3000];

	page[0] = (char)depth;
	return depth > 1000000 ? 0 : dig(depth + 1) + page[0];
}

static void overflow(void *arg)
{
	(void)arg;
	_exit(dig(0) == 12345 ? 3 : 4);
}

/* In a process of its own, where fn overflows a fiber's stack. */
static void expect_overflow(void (*fn)(void *))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit none = { 0, 0 };
		setrlimit(RLIMIT_CORE, &none);
		close(STDERR_FILENO); /* a sanitizer would print pages */
		signal(SIGSEGV, SIG_DFL);
		loop_deinit();
		loop_init();
		run(fn, NULL);
		_exit(5);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* a sanitizer reports it and leaves by itself */
	assert_true((WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) || (WIFEXITED(status) && WEXITSTATUS(status) == 1));
}

static void test_overflow_hits_the_guard(void **state)
{
	(void)state;
	expect_overflow(overflow);
}

#if !defined(__SANITIZE_ADDRESS__) /* which puts such frames elsewhere */
/* Larger than a fiber's stack, and written to at its far end alone: beyond the guard page, in what is mapped below. */
__attribute__((noinline)) static int leap(int c)
{
	volatile char frame[300 << 10];

	frame[0] = (char)c;
	return frame[0];
}

static void idle(void *arg)
{
	(void)arg;
	while (!fiber_cancelled())
		fiber_yield();
}

static void overflow_at_once(void *arg)
{
	struct fiber *below = NULL;

	(void)arg;
	fiber_start("below", idle, NULL, &below); /* the kernel maps its stack below ours */
	fiber_yield();
	_exit(leap(1) == 1 ? 3 : 4);
}

/* -fstack-clash-protection touches every page of a frame, so that none is passed over. */
static void test_large_frame_hits_the_guard(void **state)
{
	(void)state;
	expect_overflow(overflow_at_once);
}
#endif

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order),
		TEST(test_deadlines),
		TEST(test_cancel),
		TEST(test_join_is_not_cut_short),
		TEST(test_ended_handle),
		TEST(test_many),
		TEST(test_wait_fd),
		TEST(test_local),
		TEST(test_registers),
		TEST(test_overflow_hits_the_guard),
#if !defined(__SANITIZE_ADDRESS__)
		TEST(test_large_frame_hits_the_guard),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
