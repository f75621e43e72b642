/* db/result.c: reading values, on results made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db/result.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "db/wire.h"
#include "tests/unit/db_row.h"

/* Row i of a result that has it. */
struct cell {
	const char *name;
	Oid type;
	const char *value; /* NULL: NULL */
	int size;
};

static struct db_result *make(const struct cell *cells, int n)
{
	PGresult *pg = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc columns[16] = { 0 };

	for (int i = 0; i < n; i++)
		columns[i] = (PGresAttDesc){
			.name = (char *)cells[i].name,
			.typid = cells[i].type,
			.format = 1,
			.typlen = -1,
		};
	assert_true(PQsetResultAttrs(pg, n, columns));
	for (int i = 0; i < n; i++)
		assert_true(PQsetvalue(
			pg, 0, i, (char *)cells[i].value, cells[i].value ? cells[i].size : -1));
	return db_result_wrap(pg);
}

static const struct cell cells[] = {
	{ "two", OID_INT2, "\xff\xfe", 2 },
	{ "four", OID_INT4, "\x00\x01\x00\x00", 4 },
	{ "eight", OID_INT8, "\x7f\xff\xff\xff\xff\xff\xff\xff", 8 },
	{ "oid", OID_OID, "\xff\xff\xff\xff", 4 },
	{ "flag", OID_BOOL, "\x01", 1 },
	{ "text", OID_TEXT, "abc", 3 },
	{ "json", OID_JSONB, "\x01{}", 3 },
	{ "bytes", OID_BYTEA, "a\0b", 3 },
	{ "empty", OID_BYTEA, "", 0 },
	{ "at", OID_TIMESTAMPTZ, "\0\0\0\0\0\0\x03\xe8", 8 },
	{ "null", OID_INT8, NULL, 0 },
	{ "nulltext", OID_TEXT, NULL, 0 },
	{ "numeric", 1700, "\0\0\0\0\0\0\0\0", 8 },
};

#define N ((int)(sizeof(cells) / sizeof(cells[0])))

static void test_read(void **state)
{
	CLEANUP(db_result_freep) struct db_result *res = make(cells, N);
	const char *by_pointer = "four";
	size_t n;
	(void)state;

	assert_int_equal(1, db_rows(res));
	assert_int_equal(-2, row_int(ROW(res, 0), "two"));
	assert_int_equal(65536, row_int(ROW(res, 0), by_pointer));
	assert_true(row_int(ROW(res, 0), 2) == INT64_MAX);
	assert_true(row_int(ROW(res, 0), "oid") == 4294967295);
	assert_true(row_bool(ROW(res, 0), "flag"));
	assert_string_equal("abc", row_text(ROW(res, 0), "text"));
	assert_string_equal("{}", row_text(ROW(res, 0), "json"));
	assert_memory_equal("a\0b", row_bytes(ROW(res, 0), "bytes", &n), 3);
	assert_int_equal(3, n);
	assert_non_null(row_bytes(ROW(res, 0), "empty", &n));
	assert_int_equal(0, n);
	assert_memory_equal("{}", row_bytes(ROW(res, 0), "json", &n), 2);
	assert_int_equal(2, n);
	assert_true(row_time(ROW(res, 0), "at") == 946684800001);
	assert_true(row_null(ROW(res, 0), "null") && row_int(ROW(res, 0), "null") == 0);
	assert_null(row_text(ROW(res, 0), "nulltext"));
	assert_null(row_bytes(ROW(res, 0), "nulltext", &n));
	assert_int_equal(0, n);
}

static void test_nothing(void **state)
{
	struct db_result *res = NULL;
	(void)state;

	assert_int_equal(0, db_rows(NULL));
	assert_int_equal(0, db_changed(NULL));
	assert_null(db_result_free(NULL));
	db_result_freep(&res);
	assert_null(res);
}

static void test_rows(void **state)
{
	CLEANUP(db_result_freep) struct db_result *res = make(cells, N);

	(void)state;
	assert_true(db_next(res));
	assert_int_equal(-2, row_int(res, "two"));
	assert_false(db_next(res));
	assert_false(db_next(NULL));
}

/* Another transaction may have deleted the row: that is no reason to end. */
static void test_no_row(void **state)
{
	CLEANUP(db_result_freep) struct db_result *none = make(cells, N); /* at none of its rows yet */
	size_t n = 1;

	(void)state;
	assert_true(row_null(none, "whatever") && row_null(none, 7));
	assert_int_equal(0, row_int(none, "whatever"));
	assert_int_equal(0, row_time(none, 3));
	assert_false(row_bool(none, "whatever"));
	assert_null(row_text(none, "whatever"));
	assert_string_equal("", row_words(none, "whatever"));
	assert_null(row_bytes(none, "whatever", &n));
	assert_int_equal(0, n);
}

/* A bug ends the process, and says which column. */
static void assert_aborts(void (*misuse)(struct db_result *res), const char *says)
{
	CLEANUP(db_result_freep) struct db_result *res = make(cells, N);
	char text[512] = "";
	int pipe_fds[2], status;
	size_t got = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(0, pipe(pipe_fds));
	pid = fork();
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		dup2(pipe_fds[1], STDERR_FILENO);
		misuse(res);
		_exit(0);
	}
	close(pipe_fds[1]);
	while ((n = read(pipe_fds[0], text + got, sizeof(text) - 1 - got)) > 0)
		got += (size_t)n;
	close(pipe_fds[0]);
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_non_null(strstr(text, says));
}

static void wrong_type(struct db_result *res)
{
	row_int(ROW(res, 0), "numeric");
}

static void wrong_name(struct db_result *res)
{
	row_int(ROW(res, 0), "nowhere");
}

static void wrong_number(struct db_result *res)
{
	row_int(ROW(res, 0), N);
}

static void test_bugs(void **state)
{
	(void)state;
	assert_aborts(wrong_type, "\"numeric\"");
	assert_aborts(wrong_name, "nowhere");
	assert_aborts(wrong_number, "a number that the statement does not return");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_no_row),
		cmocka_unit_test(test_bugs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
