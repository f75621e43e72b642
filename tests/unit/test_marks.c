/* What is remembered of sessions, and that it is no less after whatever has become of the process or the file. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sessiond/marks.h"

static char directory[64], path[80], why[MARKS_WHY];
static struct marks *marks;

static int setup(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/test_marks.XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/marks", directory);
	return marks_open(directory, &marks, why);
}

static int teardown(void **state)
{
	(void)state;
	marks = marks_free(marks);
	unlink(path);
	return rmdir(directory);
}

static void reopen(void)
{
	marks = marks_free(marks);
	assert_int_equal(marks_open(directory, &marks, why), 0);
}

static void note(int64_t id, int64_t last, int64_t proved, int64_t newest)
{
	assert_int_equal(marks_note(marks, &(struct sight){ id, last, proved, newest }), 0);
}

static bool good(int64_t id, int64_t last, int64_t proved, int64_t newest)
{
	bool is = false;

	assert_int_equal(marks_judge(marks, &(struct sight){ id, last, proved, newest }, &is), 0);
	return is;
}

static void test_states(void **state)
{
	(void)state;
	assert_true(good(7, 3, 3, 0)); /* nothing is known of it */
	note(7, 5, 3, 5);
	assert_true(good(7, 5, 3, 5));
	assert_true(good(7, 5, 3, 0)); /* the newest was dropped */
	assert_true(good(7, 5, 5, 0)); /* or is the proved one now */
	assert_true(good(7, 6, 3, 6)); /* another has saved since */
	assert_true(good(7, 9, 9, 0));
	assert_false(good(7, 5, 4, 0));
	assert_false(good(7, 5, 3, 4));
	assert_false(good(7, 5, 2, 5));
	assert_false(good(7, 9, 2, 9));
	note(7, 5, 5, 0);
	assert_false(good(7, 5, 3, 0)); /* which has gone */
	assert_true(good(8, 1, 1, 0));
	assert_true(good(6, 1, 1, 0));
}

static void test_order(void **state)
{
	(void)state;
	note(7, 6, 6, 0);
	note(7, 5, 5, 0); /* written before, and told later */
	assert_false(good(7, 5, 5, 0));
	assert_int_equal(marks_last(marks, 7), 6);
}

static void test_forgotten(void **state)
{
	(void)state;
	note(7, 5, 3, 5);
	assert_int_equal(marks_forget(marks, 7), 0);
	assert_false(good(7, 5, 3, 5));
	assert_true(good(7, 6, 6, 0)); /* the number, given anew */
	assert_int_equal(marks_last(marks, 7), 5);
	reopen();
	assert_false(good(7, 5, 3, 5));
	assert_int_equal(marks_forget(marks, 100), 0); /* one that was never seen */
	assert_int_equal(marks_last(marks, 100), 0);
}

static void test_next(void **state)
{
	(void)state;
	assert_int_equal(marks_next(marks, 0, INT64_MAX), 0);
	note(3, 1, 1, 0);
	note(4, 1, 1, 0);
	note(300, 1, 1, 0);
	marks_forget(marks, 4);
	assert_int_equal(marks_next(marks, 0, INT64_MAX), 3);
	assert_int_equal(marks_next(marks, 3, INT64_MAX), 300);
	assert_int_equal(marks_next(marks, 300, INT64_MAX), 0);
	assert_int_equal(marks_next(marks, 2, 3), 0);
	assert_int_equal(marks_next(marks, 3, 300), 0);
	assert_int_equal(marks_next(marks, 3, 301), 300);
	assert_int_equal(marks_next(marks, INT64_MAX - 1, INT64_MAX), 0);
}

static void test_told(void **state)
{
	(void)state;
	note(7, 5, 5, 0);
	assert_true(marks_tell(marks, 7));
	assert_false(marks_tell(marks, 7));
	assert_true(marks_tell(marks, 70000));
	assert_int_equal(marks_told(marks), 2);
	reopen();
	assert_int_equal(marks_told(marks), 2);
	assert_false(marks_tell(marks, 7));
	note(7, 5, 5, 0); /* the same: nothing has come of it */
	assert_int_equal(marks_told(marks), 2);
	note(7, 6, 6, 0);
	assert_int_equal(marks_told(marks), 1);
	assert_int_equal(marks_untell(marks), 0);
	assert_int_equal(marks_told(marks), 0);
	assert_true(marks_tell(marks, 70000));
	assert_int_equal(marks_forget(marks, 70000), 0);
	assert_int_equal(marks_told(marks), 0);
}

static void test_accepted(void **state)
{
	(void)state;
	note(7, 9, 9, 0);
	marks_tell(marks, 7);
	assert_int_equal(marks_accept(marks, &(struct sight){ 7, 5, 3, 5 }), 0);
	assert_true(good(7, 5, 3, 5));
	assert_false(good(7, 9, 9, 0)); /* what was lost with the database is not good any more */
	assert_int_equal(marks_last(marks, 7), 9); /* nor is its version given again */
	assert_int_equal(marks_told(marks), 0);
}

/* Numbers that sessiond never gave: whoever writes to the database may put any into a row. */
static void test_odd_numbers(void **state)
{
	const int64_t odd[] = { 0, -1, INT64_MIN, INT64_MAX, MARKS_MOST + 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		assert_false(good(odd[i], 1, 1, 0));
		assert_int_equal(marks_note(marks, &(struct sight){ odd[i], 1, 1, 0 }), -ERANGE);
		assert_int_equal(marks_accept(marks, &(struct sight){ odd[i], 1, 1, 0 }), -ERANGE);
		assert_int_equal(marks_last(marks, odd[i]), 0);
	}
	note(MARKS_MOST, 1, 1, 0);
	assert_true(good(MARKS_MOST, 1, 1, 0));
	assert_int_equal(truncate(path, 32), 0); /* a sparse file is soon read, yet not in a test under valgrind */
	assert_false(good(7, 0, 0, 0));
}

static void test_format(void **state)
{
	(void)state;
	assert_int_equal(marks_oldest_format(marks), 1);
	assert_int_equal(marks_set_oldest_format(marks, 2), 0);
	note(1, 3, 3, 0); /* its neighbour in the file */
	reopen();
	assert_int_equal(marks_oldest_format(marks), 2);
	assert_false(good(1, 2, 2, 0));
}

static void test_file_of_others(void **state)
{
	struct marks *second = NULL;

	(void)state;
	assert_int_equal(marks_open(directory, &second, why), -EBUSY);
	assert_non_null(strstr(why, "another sessiond has it open"));
	marks = marks_free(marks);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(marks_open(directory, &second, why), -EPERM);
	assert_int_equal(chmod(path, 0600), 0);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	close(fd);
	assert_int_equal(marks_open(directory, &second, why), -EBADMSG);
	assert_non_null(strstr(why, "move it away"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_true(marks_open(directory, &second, why) < 0);
	assert_int_equal(marks_open("/nowhere", &second, why), -ENOENT);
	assert_null(second);
}

/* What is cut off its end was never seen; the rest stands. */
static void test_cut_short(void **state)
{
	(void)state;
	note(7, 5, 5, 0);
	note(8, 5, 5, 0);
	marks = marks_free(marks);
	assert_int_equal(truncate(path, 8 * 32 + 11), 0);
	assert_int_equal(marks_open(directory, &marks, why), 0);
	assert_false(good(7, 4, 4, 0));
	note(8, 6, 6, 0);
	assert_false(good(8, 5, 5, 0));
}

/* A disk that is full: what was seen before stands, and that it was not written down is told. */
static void test_full_disk(void **state)
{
	struct rlimit before, none = { 0 };

	(void)state;
	note(7, 5, 5, 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = (struct rlimit){ 8 * 32, before.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_true(marks_note(marks, &(struct sight){ 100, 1, 1, 0 }) < 0);
	assert_true(marks_tell(marks, 7)); /* its place is there */
	assert_int_equal(marks_told(marks), 1);
	assert_true(marks_tell(marks, 100)); /* told all the same, and again the next time */
	assert_true(marks_tell(marks, 100));
	assert_int_equal(marks_told(marks), 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_false(good(7, 4, 4, 0));
	assert_true(good(100, 1, 1, 0));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_states), T(test_order), T(test_forgotten), T(test_next), T(test_told), T(test_accepted), T(test_odd_numbers),
		T(test_format), T(test_file_of_others), T(test_cut_short), T(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
