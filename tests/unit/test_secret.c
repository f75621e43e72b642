#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "common/cleanup.h"
#include "common/secret.h"

/* Runs f in a process of its own and gives its exit status. */
static int in_child(int (*f)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(f());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The address sanitizer swallows mlock(), valgrind swallows madvise(MADV_DONTDUMP). */
static void skip_unless_mlock_works(void)
{
	const char *preload = getenv("LD_PRELOAD");

#ifdef __SANITIZE_ADDRESS__
	skip();
#endif
	if (preload && strstr(preload, "vgpreload"))
		skip();
}

static int new_before_init(void)
{
	struct secret *s = NULL;

	return secret_new(32, &s) == -EINVAL && !s ? 0 : 1;
}

static void test_needs_init(void **state)
{
	(void)state;
	assert_int_equal(in_child(new_before_init), 0);
}

static int unlockable(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_MEMLOCK, &none) < 0)
		return 2;
	/* root may lock what it likes: leave that behind */
	if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
		return 3;
	return secret_init(SECRET_HEAP_DEFAULT) == -EPERM && !CRYPTO_secure_malloc_initialized()
		? 0 : 1;
}

static void test_unlockable_heap_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(in_child(unlockable), 0);
}

static int large_unlockable(void)
{
	const struct rlimit little = { 512 * 1024, 512 * 1024 };
	struct secret *s = NULL, *small = NULL;

	if (setrlimit(RLIMIT_MEMLOCK, &little) < 0)
		return 2;
	if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
		return 3;
	if (secret_init(SECRET_HEAP_DEFAULT) < 0)
		return 4;
	if (secret_new(1 << 20, &s) != -ENOMEM || s)
		return 5;
	if (secret_new(32, &small) < 0)
		return 6;
	secret_free(small);
	return 0;
}

static void test_large_unlockable(void **state)
{
	(void)state;
	skip_unless_mlock_works();
	assert_int_equal(in_child(large_unlockable), 0);
}

static int dumps(void)
{
	struct rlimit core;

	if (secret_disable_dumps() < 0 || prctl(PR_GET_DUMPABLE) != 0)
		return 1;
	return getrlimit(RLIMIT_CORE, &core) < 0 || core.rlim_cur || core.rlim_max;
}

static void test_disable_dumps(void **state)
{
	(void)state;
	assert_int_equal(in_child(dumps), 0);
}

static void test_new(void **state)
{
	static const size_t sizes[] = { 1, 16, 32, 4096, 4097, 100000 };

	(void)state;
	assert_int_equal(secret_init(SECRET_HEAP_DEFAULT), 0);
	assert_int_equal(secret_init(SECRET_HEAP_DEFAULT), 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		CLEANUP(secret_freep) struct secret *s = NULL;

		assert_int_equal(secret_new(sizes[i], &s), 0);
		assert_int_equal(s->len, sizes[i]);
		for (size_t k = 0; k < s->len; k++)
			assert_int_equal(s->data[k], 0);
		memset(s->data, 0x5a, s->len);
		assert_int_equal(!!CRYPTO_secure_allocated(s->data), sizes[i] <= 4096);
	}
}

static void test_exhausted_heap_falls_back_to_mappings(void **state)
{
	struct secret *s[100];

	(void)state;
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(secret_new(4096, &s[i]), 0);
	assert_false(CRYPTO_secure_allocated(s[99]->data));
	for (size_t i = 0; i < 100; i++)
		assert_null(secret_free(s[i]));
	assert_int_equal(CRYPTO_secure_used(), 0);
}

/* "VmFlags: ... lo ... dd": locked, not dumped. */
static bool has_flags(const void *p)
{
	unsigned long lo, hi;
	bool inside = false, found = false;
	FILE *f = fopen("/proc/self/smaps", "re");
	char line[512];

	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &lo, &hi) == 2)
			inside = (uintptr_t)p >= lo && (uintptr_t)p < hi;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, " lo") && strstr(line, " dd");
	}
	fclose(f);
	return found;
}

static void test_locked_and_not_dumped(void **state)
{
	CLEANUP(secret_freep) struct secret *small = NULL;
	CLEANUP(secret_freep) struct secret *large = NULL;

	(void)state;
	skip_unless_mlock_works();
	assert_int_equal(secret_new(32, &small), 0);
	assert_int_equal(secret_new(50000, &large), 0);
	assert_true(has_flags(small->data));
	assert_true(has_flags(large->data));
}

static void test_freed_memory_is_cleansed(void **state)
{
	struct secret *s = NULL;
	uint8_t *where;

	(void)state;
	assert_int_equal(secret_copy("0123456789abcdef", 16, &s), 0);
	where = s->data;
	secret_free(s);
	/* The heap hands the same place out again; its free list uses the first bytes. */
	assert_int_equal(secret_new(16, &s), 0);
	assert_ptr_equal(s->data, where);
	assert_memory_equal(s->data, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	secret_free(s);
}

static void test_equal(void **state)
{
	CLEANUP(secret_freep) struct secret *a = NULL;
	CLEANUP(secret_freep) struct secret *b = NULL;
	CLEANUP(secret_freep) struct secret *c = NULL;

	(void)state;
	assert_int_equal(secret_copy("same", 4, &a), 0);
	assert_int_equal(secret_copy("same", 4, &b), 0);
	assert_int_equal(secret_copy("same+", 5, &c), 0);
	assert_true(secret_equal(a, b));
	assert_false(secret_equal(a, c));
	b->data[3] ^= 1;
	assert_false(secret_equal(a, b));
}

static void test_bad_sizes(void **state)
{
	struct secret *s = NULL;

	(void)state;
	assert_int_equal(secret_new(0, &s), -EINVAL);
	assert_int_equal(secret_new(SIZE_MAX / 2, &s), -ENOMEM);
	assert_null(s);
	assert_null(secret_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_needs_init),
		cmocka_unit_test(test_unlockable_heap_is_an_error),
		cmocka_unit_test(test_large_unlockable),
		cmocka_unit_test(test_disable_dumps),
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_exhausted_heap_falls_back_to_mappings),
		cmocka_unit_test(test_locked_and_not_dumped),
		cmocka_unit_test(test_freed_memory_is_cleansed),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_bad_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
