#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/arena.h"
#include "common/cleanup.h"

static void test_zeroed_and_aligned(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(32);

	(void)state;
	for (size_t n = 0; n < 300; n++) {
		unsigned char *p = arena_alloc(a, n);

		assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xee, n);
	}
}

static void test_allocations_do_not_overlap(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	unsigned char *p[500];

	(void)state;
	for (size_t i = 0; i < 500; i++) {
		p[i] = arena_alloc(a, i + 1);
		memset(p[i], (int)(i & 0xff), i + 1);
	}
	for (size_t i = 0; i < 500; i++)
		for (size_t k = 0; k <= i; k++)
			assert_int_equal(p[i][k], i & 0xff);
}

static void test_larger_than_a_block(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new_secret(16);
	char *big = arena_alloc(a, 3 << 20);

	(void)state;
	big[0] = big[(3 << 20) - 1] = 'x';
	assert_string_equal(arena_strdup(a, "after"), "after");
}

static void test_copies(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new_secret(0);
	char text[] = "a\0b";

	(void)state;
	char *dup = arena_memdup(a, text, 3);

	memset(text, 'z', sizeof(text));
	assert_memory_equal(dup, "a\0b", 4);
	assert_null(arena_strdup(a, NULL));
	assert_null(arena_memdup(a, NULL, 5));
	assert_string_equal(arena_strdup(a, ""), "");
	assert_string_equal(arena_printf(a, "%s-%d", "row", 7), "row-7");
	assert_string_equal(arena_printf(a, "%0*d", 5000, 1) + 4999, "1");
}

static void test_overflow_aborts(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		arena_array(arena_new(0), SIZE_MAX / 2, 3);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void test_free_takes_null(void **state)
{
	(void)state;
	assert_null(arena_free(NULL));
	assert_null(arena_free(arena_new(0)));
}

static void test_take(void **state)
{
	int x, fd = 5;
	int *p = &x;

	(void)state;
	int *q = TAKE(p);

	assert_ptr_equal(q, &x);
	assert_null(p);
	assert_int_equal(TAKE_FD(fd), 5);
	assert_int_equal(fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeroed_and_aligned),
		cmocka_unit_test(test_allocations_do_not_overlap),
		cmocka_unit_test(test_larger_than_a_block),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_overflow_aborts),
		cmocka_unit_test(test_free_takes_null),
		cmocka_unit_test(test_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
