#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/memfd.h"

static const int seals[] = { F_SEAL_WRITE, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_SEAL };

static void test_round_trip(void **state)
{
	CLEANUP(closep) int fd = -1;
	CLEANUP(memfd_unmap) struct memfd_view v = {};
	size_t size = 0;
	char big[70000];

	(void)state;
	memset(big, 'b', sizeof(big));
	assert_int_equal(memfd_new("state", big, sizeof(big), &fd), 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(memfd_check(fd, sizeof(big), &size), 0);
	assert_int_equal(size, sizeof(big));
	assert_int_equal(memfd_map(fd, sizeof(big), &v), 0);
	close(TAKE_FD(fd));
	assert_int_equal(v.size, sizeof(big));
	assert_memory_equal(v.data, big, sizeof(big));
	memfd_unmap(&v);
	assert_null(v.data);
}

static void test_nobody_can_change_it(void **state)
{
	CLEANUP(closep) int fd = -1;

	(void)state;
	assert_int_equal(memfd_new("state", "abc", 3, &fd), 0);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 2), -1);
	assert_int_equal(ftruncate(fd, 4), -1);
	assert_ptr_equal(mmap(NULL, 3, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
}

static void test_size_cap(void **state)
{
	CLEANUP(closep) int fd = -1;
	struct memfd_view v = {};
	size_t size = 77;

	(void)state;
	assert_int_equal(memfd_new("state", "abc", 3, &fd), 0);
	assert_int_equal(memfd_check(fd, 2, &size), -EFBIG);
	assert_int_equal(memfd_map(fd, 2, &v), -EFBIG);
	assert_int_equal(size, 77);
	assert_null(v.data);
}

static void test_every_seal_is_needed(void **state)
{
	size_t size = 77;

	(void)state;
	for (size_t missing = 0; missing < 4; missing++) {
		CLEANUP(closep) int fd = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		struct memfd_view v = {};

		assert_int_equal(write(fd, "abc", 3), 3);
		for (size_t i = 0; i < 4; i++)
			if (i != missing)
				assert_int_equal(fcntl(fd, F_ADD_SEALS, seals[i]), 0);
		assert_int_equal(memfd_check(fd, 100, &size), -EPERM);
		assert_int_equal(memfd_map(fd, 100, &v), -EPERM);
	}
	assert_int_equal(size, 77);
}

static void test_other_files(void **state)
{
	CLEANUP(closep) int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CLEANUP(closep) int shm = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	CLEANUP(closep) int disk = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int ends[2];
	size_t size;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(memfd_check(ends[0], 100, &size), -EINVAL);
	assert_int_equal(memfd_check(null, 100, &size), -EINVAL);
	assert_int_equal(memfd_check(disk, 1 << 30, &size), -EINVAL);
	assert_int_equal(memfd_check(-1, 100, &size), -EBADF);
	if (shm >= 0) {
		assert_int_equal(write(shm, "abc", 3), 3);
		assert_int_equal(memfd_check(shm, 100, &size), -EPERM);
	}
	close(ends[0]);
	close(ends[1]);
}

static void test_empty(void **state)
{
	CLEANUP(closep) int fd = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int none = -1;
	size_t size;

	(void)state;
	assert_int_equal(memfd_new("state", "", 0, &none), -EINVAL);
	assert_int_equal(none, -1);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals[i]), 0);
	assert_int_equal(memfd_check(fd, 100, &size), -EINVAL);
}

static void test_errors_have_sentences(void **state)
{
	(void)state;
	assert_non_null(strstr(memfd_error(-EPERM), "not sealed"));
	assert_non_null(strstr(memfd_error(-EFBIG), "larger"));
	assert_non_null(strstr(memfd_error(-EINVAL), "not a memory file"));
	assert_non_null(memfd_error(-EBADF));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_nobody_can_change_it),
		cmocka_unit_test(test_size_cap),
		cmocka_unit_test(test_every_seal_is_needed),
		cmocka_unit_test(test_other_files),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_errors_have_sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
