/*
 * db/tx.c, conn.c and pool.c against a real PostgreSQL: what a transaction is, and what its
 * failures are called.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "db/db.h"
#include "tests/integration/test_db_cluster.h"
#include "tests/unit/db_row.h"

/* Row i of a result that has it. */
static struct db *db;

#define SOON (loop_now() + 15000)
#define SLACK_MS 5000 /* what a busy machine may add to any time */

static const char schema[] =
	"CREATE ROLE daemon LOGIN NOINHERIT; CREATE ROLE operator; GRANT operator TO daemon; "
	"CREATE ROLE stranger;"
	"CREATE TABLE notes (id bigint PRIMARY KEY, owner bigint NOT NULL, body text CHECK (body "
	"<> 'bad'), "
	"	raw bytea, flag boolean, at timestamptz, meta jsonb);"
	"ALTER TABLE notes ENABLE ROW LEVEL SECURITY; ALTER TABLE notes FORCE ROW LEVEL SECURITY;"
	"CREATE POLICY own ON notes USING (owner = NULLIF(current_setting('stead.user', true), "
	"'')::bigint);"
	"CREATE POLICY operator ON notes FOR SELECT TO operator USING (true);"
	"GRANT ALL ON notes TO daemon; GRANT SELECT (id, owner) ON notes TO operator;"
	"CREATE TABLE plain (id bigint PRIMARY KEY, n bigint, ref bigint REFERENCES plain "
	"DEFERRABLE INITIALLY DEFERRED);"
	"GRANT ALL ON plain TO daemon;";

static struct db *pool(unsigned size, const char *more)
{
	char conninfo[256];
	struct db *made = NULL;

	cluster_conninfo("daemon", "postgres", conninfo, sizeof(conninfo));
	strcat(conninfo, more);
	assert_int_equal(0, db_new(&(struct db_config){ .conninfo = conninfo, .size = size, .application_name = "test" }, &made));
	return made;
}

static int set_up(void **state)
{
	assert_int_equal(0, cluster_set_up(state));
	cluster_sql(&cluster, schema);
	return 0;
}

/* Each test has a pool of its own and empty tables. */
static int test_set_up(void **state)
{
	(void)state;
	cluster_sql(&cluster, "TRUNCATE notes, plain");
	db = pool(2, "");
	return 0;
}

static int test_tear_down(void **state)
{
	(void)state;
	db_freep(&db);
	return 0;
}

static int64_t read_int(struct db_who who, const char *sql)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;

	assert_int_equal(0, db_read(db, who, SOON, &res, sql));
	assert_int_equal(1, db_rows(res));
	return row_int(ROW(res, 0), 0);
}

/* Values */

static void round_trip(void *arg)
{
	(void)arg;
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	static const char raw[] = { 0, 1, '\\', (char)0xff };
	size_t n;

	assert_int_equal(0, db_query(db, DB_USER(7), SOON, NULL,
				    "INSERT INTO notes (id, owner, body, raw, flag, at, meta) "
				    "VALUES ($1, $2, $3, $4, $5, $6, $7)",
				    DB_INT(INT64_MIN), DB_INT(7), DB_TEXT("h\xc3\xa9"),
				    DB_BYTES(raw, sizeof(raw)), DB_BOOL(true),
				    DB_TIME(1700000000123), DB_TEXT("{\"a\": [1]}")));
	assert_int_equal(0, db_read(db, DB_USER(7), SOON, &res,
				    "SELECT *, 3::smallint AS small, -2::int AS medium, "
				    "NULL::text AS nothing FROM notes WHERE id = $1",
				    DB_INT(INT64_MIN)));
	assert_int_equal(1, db_rows(res));
	assert_true(row_int(ROW(res, 0), "id") == INT64_MIN);
	assert_int_equal(7, row_int(ROW(res, 0), 1));
	assert_string_equal("h\xc3\xa9", row_text(ROW(res, 0), "body"));
	assert_memory_equal(raw, row_bytes(ROW(res, 0), "raw", &n), sizeof(raw));
	assert_int_equal(sizeof(raw), n);
	assert_true(row_bool(ROW(res, 0), "flag"));
	assert_true(row_time(ROW(res, 0), "at") == 1700000000123);
	assert_string_equal("{\"a\": [1]}", row_text(ROW(res, 0), "meta"));
	assert_int_equal(3, row_int(ROW(res, 0), "small"));
	assert_int_equal(-2, row_int(ROW(res, 0), "medium"));
	assert_true(row_null(ROW(res, 0), "nothing") && !row_text(ROW(res, 0), "nothing"));
}

static void test_round_trip(void **state)
{
	(void)state;
	in_fiber(round_trip, NULL);
}

/* A NULL and a number in the same place are two statements to the server. */
static void null_then_number(void *arg)
{
	(void)arg;
	const char *sql = "INSERT INTO plain (id, n) VALUES ($1, $2)";
	CLEANUP(db_result_freep) struct db_result *res = NULL;

	assert_int_equal(0, db_query(db, DB_SELF, SOON, NULL, sql, DB_INT(1), DB_NULL));
	assert_int_equal(0, db_query(db, DB_SELF, SOON, &res, sql, DB_INT(2), DB_INT(5)));
	assert_int_equal(1, db_changed(res));
	assert_int_equal(5, read_int(DB_SELF, "SELECT coalesce(sum(n), 0)::bigint FROM plain"));
}

static void test_null_then_number(void **state)
{
	(void)state;
	in_fiber(null_then_number, NULL);
}

/* Identity */

static void identity(void *arg)
{
	(void)arg;
	const char *insert = "INSERT INTO notes (id, owner) VALUES ($1, $2)";
	const char *count = "SELECT count(*) FROM notes";

	assert_int_equal(0, db_query(db, DB_USER(1), SOON, NULL, insert, DB_INT(1), DB_INT(1)));
	assert_int_equal(0, db_query(db, DB_USER(2), SOON, NULL, insert, DB_INT(2), DB_INT(2)));
	assert_int_equal(0, db_query(db, DB_USER(2), SOON, NULL, insert, DB_INT(3), DB_INT(2)));
	/* somebody else's row is refused */
	assert_int_equal(
		-EACCES, db_query(db, DB_USER(1), SOON, NULL, insert, DB_INT(4), DB_INT(2)));
	assert_string_equal("42501", db_error(db)->sqlstate);
	for (int i = 0; i < 10; i++) { /* past the fifth the server may use a generic plan */
		assert_int_equal(1, read_int(DB_USER(1), count));
		assert_int_equal(2, read_int(DB_USER(2), count));
		assert_int_equal(0, read_int(DB_USER(3), count));
		assert_int_equal(0, read_int(DB_SELF, count));
		assert_int_equal(3, read_int(DB_ROLE("operator"), "SELECT count(id) FROM notes"));
	}
	/* the operator reads no bodies, and is nobody's user */
	assert_int_equal(
		-EACCES, db_read(db, DB_ROLE("operator"), SOON, NULL, "SELECT body FROM notes"));
	assert_int_equal(-EACCES, db_read(db, DB_ROLE("stranger"), SOON, NULL, "SELECT 1"));
	assert_int_equal(0, read_int(DB_SELF, count));
	assert_int_equal(1,
		read_int(DB_SELF, "SELECT (current_user = 'daemon' AND "
				  "coalesce(current_setting('stead.user', true), '') = '')::int"));
}

static void test_identity(void **state)
{
	(void)state;
	db_freep(&db);
	db = pool(1, ""); /* one connection: each next one is somebody else's before */
	in_fiber(identity, NULL);
}

static void no_identity(void *arg)
{
	(void)arg;
	struct db_tx *tx = NULL;
	struct db_who none = { 0 };

	assert_int_equal(-EINVAL, db_read(db, none, SOON, NULL, "SELECT 1"));
	assert_int_equal(-EINVAL, db_read(db, DB_USER(0), SOON, NULL, "SELECT 1"));
	assert_int_equal(-EINVAL, db_read(db, DB_USER(-1), SOON, NULL, "SELECT 1"));
	assert_int_equal(-EINVAL, db_read(db, DB_ROLE("none"), SOON, NULL, "SELECT 1"));
	assert_int_equal(-EINVAL, db_read(db, DB_ROLE("a; DROP"), SOON, NULL, "SELECT 1"));
	assert_int_equal(-EINVAL, db_begin(db, DB_ROLE(NULL), SOON, &tx));
	assert_null(tx);
}

static void test_no_identity(void **state)
{
	(void)state;
	in_fiber(no_identity, NULL);
}

/* A cancelled or failed transaction leaves the connection as good as new. */
static void after_failure(void *arg)
{
	(void)arg;
	struct db_tx *tx = NULL;

	assert_int_equal(0, db_begin(db, DB_USER(1), SOON, &tx));
	assert_int_equal(0, tx_query(tx, NULL, "INSERT INTO plain (id) VALUES (1)"));
	db_rollback(&tx);
	assert_null(tx);
	assert_int_equal(0, db_begin(db, DB_USER(1), SOON, &tx));
	assert_int_equal(0, tx_query(tx, NULL, "INSERT INTO plain (id) VALUES (2)"));
	assert_int_equal(-EIO, tx_query(tx, NULL, "SELEKT"));
	assert_string_equal("42601", db_error(db)->sqlstate);
	assert_int_equal(-EIO, tx_query(tx, NULL, "SELECT 1"));
	assert_int_equal(-EIO, db_commit(&tx));
	assert_null(tx);
	assert_int_equal(0, read_int(DB_SELF, "SELECT count(*) FROM plain"));
	assert_int_equal(
		0, read_int(DB_SELF, "SELECT count(*) FROM plain WHERE id = "
				     "NULLIF(current_setting('stead.user', true), '')::bigint"));
}

static void test_after_failure(void **state)
{
	(void)state;
	db_freep(&db);
	db = pool(1, "");
	in_fiber(after_failure, NULL);
}

/* Several statements */

static void transaction(void *arg)
{
	(void)arg;
	struct db_tx *tx = NULL;
	CLEANUP(db_result_freep) struct db_result *res = NULL;

	assert_int_equal(0, db_begin(db, DB_SELF, SOON, &tx));
	assert_int_equal(0, db_commit(&tx)); /* of nothing */
	assert_int_equal(0, db_begin(db, DB_SELF, SOON, &tx));
	assert_int_equal(0, tx_query(tx, NULL, "INSERT INTO plain (id, n) VALUES (1, 10)"));
	assert_int_equal(0, read_int(DB_SELF, "SELECT count(*) FROM plain"));
	assert_int_equal(0, tx_query(tx, NULL, "INSERT INTO plain (id, n) VALUES (2, 20)"));
	assert_int_equal(0, db_commit(&tx));
	assert_null(tx);
	assert_int_equal(2, read_int(DB_SELF, "SELECT count(*) FROM plain"));
	assert_int_equal(0, db_begin(db, DB_SELF, SOON, &tx));
	assert_int_equal(0, tx_query(tx, NULL, "UPDATE plain SET n = n + 1"));
	assert_int_equal(0, db_commit_query(&tx, &res, "SELECT sum(n)::bigint AS sum FROM plain"));
	assert_int_equal(32, row_int(ROW(res, 0), "sum"));
	assert_int_equal(32, read_int(DB_SELF, "SELECT sum(n)::bigint FROM plain"));
}

static void test_transaction(void **state)
{
	(void)state;
	in_fiber(transaction, NULL);
}

/* Errors */

static void errors(void *arg)
{
	(void)arg;
	const char *insert = "INSERT INTO plain (id) VALUES ($1)";

	assert_int_equal(0, db_query(db, DB_SELF, SOON, NULL, insert, DB_INT(1)));
	assert_int_equal(-EEXIST, db_query(db, DB_SELF, SOON, NULL, insert, DB_INT(1)));
	assert_string_equal("plain_pkey", db_error(db)->constraint);
	assert_string_equal("23505", db_error(db)->sqlstate);
	/* deferred: refused by COMMIT itself */
	assert_int_equal(-ENOENT,
		db_query(db, DB_SELF, SOON, NULL, "INSERT INTO plain (id, ref) VALUES (2, 99)"));
	assert_string_equal("plain_ref_fkey", db_error(db)->constraint);
	assert_int_equal(-EINVAL,
		db_query(db, DB_USER(1), SOON, NULL,
			"INSERT INTO notes (id, owner, body) VALUES (1, 1, $1)", DB_TEXT("bad")));
	assert_int_equal(
		-EINVAL, db_read(db, DB_SELF, SOON, NULL, "SELECT $1::int", DB_INT(INT64_MAX)));
	assert_int_equal(-EINVAL,
		db_query(db, DB_USER(1), SOON, NULL,
			"INSERT INTO notes (id, owner, body) VALUES (1, 1, $1)", DB_TEXT("\xff")));
	assert_int_equal(-EROFS, db_read(db, DB_SELF, SOON, NULL, insert, DB_INT(3)));
	assert_int_equal(-EIO, db_read(db, DB_SELF, SOON, NULL, "SELECT * FROM nowhere"));
	assert_int_equal(-EIO, db_read(db, DB_SELF, SOON, NULL, "SELECT * FROM nowhere"));
	assert_non_null(strstr(db_error(db)->text, "nowhere"));
	assert_int_equal(1, read_int(DB_SELF, "SELECT count(*) FROM plain"));
}

static void test_errors(void **state)
{
	(void)state;
	in_fiber(errors, NULL);
}

/* A migration changes a table under statements that are prepared. */
static void outdated_plan(void *arg)
{
	(void)arg;

	for (int i = 0; i < 4; i++)
		assert_int_equal(0, db_read(db, DB_SELF, SOON, NULL, "SELECT * FROM plain"));
	cluster_sql(&cluster, "ALTER TABLE plain ADD COLUMN extra text");
	assert_int_equal(0, db_read(db, DB_SELF, SOON, NULL, "SELECT * FROM plain"));
	cluster_sql(&cluster, "ALTER TABLE plain DROP COLUMN extra");
	assert_int_equal(0, db_read(db, DB_SELF, SOON, NULL, "SELECT * FROM plain"));
}

static void test_outdated_plan(void **state)
{
	(void)state;
	in_fiber(outdated_plan, NULL);
}

/* More statements than are kept prepared still run. */
static void many_statements(void *arg)
{
	(void)arg;
	char sql[64];

	for (int i = 0; i < 600; i++) {
		snprintf(sql, sizeof(sql), "SELECT %d", i);
		assert_int_equal(i, read_int(DB_SELF, sql));
	}
	assert_int_equal(5, read_int(DB_SELF, "SELECT 5"));
}

static void test_many_statements(void **state)
{
	(void)state;
	in_fiber(many_statements, NULL);
}

/* More than the socket's buffers hold, both ways. */
static void large(void *arg)
{
	(void)arg;
	size_t n = 20 << 20, got;
	CLEANUP(freep) char *bytes = malloc(n);
	CLEANUP(db_result_freep) struct db_result *res = NULL;

	memset(bytes, 0xa5, n);
	assert_int_equal(0, db_read(db, DB_SELF, SOON, &res, "SELECT $1 || '\\x01'::bytea AS b",
				    DB_BYTES(bytes, n)));
	assert_memory_equal(bytes, row_bytes(ROW(res, 0), "b", &got), n);
	assert_int_equal(n + 1, got);
}

static void test_large(void **state)
{
	(void)state;
	in_fiber(large, NULL);
}

/* Deadlines */

static void statement_timeout(void *arg)
{
	(void)arg;
	int64_t start = loop_now();
	struct db_status status;
	struct db_tx *tx = NULL;

	assert_int_equal(
		-ETIMEDOUT, db_read(db, DB_SELF, loop_now() + 150, NULL, "SELECT pg_sleep(30)"));
	assert_string_equal("57014", db_error(db)->sqlstate); /* the server's word, not ours */
	assert_in_range(loop_now() - start, 140, 150 + DB_GRACE_MS + SLACK_MS);
	db_status(db, &status);
	assert_int_equal(1, status.connected); /* kept */
	/* the next one is not bound by it */
	assert_int_equal(1, read_int(DB_SELF, "SELECT (current_setting('statement_timeout') <> "
					      "'150ms')::int FROM pg_sleep(0.3)"));
	/* what a transaction has used up is gone */
	start = loop_now();
	assert_int_equal(0, db_begin(db, DB_SELF, start + 600, &tx));
	assert_int_equal(0, tx_query(tx, NULL, "SELECT pg_sleep(0.4)"));
	assert_int_equal(-ETIMEDOUT, tx_query(tx, NULL, "SELECT pg_sleep(30)"));
	assert_string_equal("57014", db_error(db)->sqlstate);
	assert_in_range(loop_now() - start, 500, 600 + DB_GRACE_MS + SLACK_MS);
	db_rollback(&tx);
	assert_int_equal(-ETIMEDOUT, db_read(db, DB_SELF, loop_now() - 1, NULL, "SELECT 1"));
}

static void test_statement_timeout(void **state)
{
	(void)state;
	in_fiber(statement_timeout, NULL);
}

static void statement_cap(void *arg)
{
	(void)arg;
	int64_t start = loop_now();

	assert_int_equal(-ETIMEDOUT, db_read(db, DB_SELF, NEVER, NULL, "SELECT pg_sleep(30)"));
	assert_in_range(loop_now() - start, 190, 200 + SLACK_MS);
}

static void test_statement_cap(void **state)
{
	(void)state;
	db_freep(&db);
	db = pool(1, " options='-c statement_timeout=200'");
	in_fiber(statement_cap, NULL);
}

/* A server that is there and says nothing. */
static void silent_server(void *arg)
{
	(void)arg;
	struct db_status status;
	int64_t pid = read_int(DB_SELF, "SELECT pg_backend_pid()"), start;

	kill((pid_t)pid, SIGSTOP);
	start = loop_now();
	assert_int_equal(-ETIMEDOUT, db_read(db, DB_SELF, start + 100, NULL, "SELECT 1"));
	assert_in_range(loop_now() - start, 100, 100 + DB_GRACE_MS + SLACK_MS);
	db_status(db, &status);
	assert_int_equal(0, status.connected);
	assert_int_equal(1, read_int(DB_SELF, "SELECT 1"));
	/* a COMMIT on its way to such a server is in doubt */
	int64_t other = read_int(DB_SELF, "SELECT pg_backend_pid()");
	assert_true(other != pid);
	kill((pid_t)other, SIGSTOP);
	assert_int_equal(-EINPROGRESS,
		db_query(db, DB_SELF, loop_now() + 100, NULL, "INSERT INTO plain (id) VALUES (1)"));
	kill((pid_t)pid, SIGCONT);
	kill((pid_t)other, SIGCONT);
}

static void test_silent_server(void **state)
{
	(void)state;
	in_fiber(silent_server, NULL);
}

/* The pool */

struct sleeper {
	struct fiber *fiber;
	const char *sql;
	int result;
};

static void sleep_in_db(void *arg)
{
	struct sleeper *s = arg;

	s->result = db_read(db, DB_SELF, SOON, NULL, s->sql);
}

/* Starts n of them, and waits until the pool of two is used up and all others are waiting. */
static void start_sleepers(struct sleeper *sleepers, int n, const char *sql)
{
	struct db_status status = { 0 };
	int64_t end = SOON;

	for (int i = 0; i < n; i++) {
		sleepers[i].sql = sql;
		fiber_start("sleeper", sleep_in_db, &sleepers[i], &sleepers[i].fiber);
	}
	while (loop_now() < end && (status.busy != 2 || status.waiting != (unsigned)n - 2)) {
		fiber_sleep_until(loop_now() + 5);
		db_status(db, &status);
	}
	assert_int_equal(2, status.busy);
	assert_int_equal(n - 2, status.waiting);
}

static void exhaustion(void *arg)
{
	(void)arg;
	struct sleeper sleepers[4] = { 0 };
	struct db_status status;
	int64_t start = loop_now();

	start_sleepers(sleepers, 4, "SELECT pg_sleep(0.5)");
	assert_int_equal(-EBUSY, db_read(db, DB_SELF, loop_now() + 50, NULL, "SELECT 1"));
	for (int i = 0; i < 4; i++) {
		fiber_join(&sleepers[i].fiber);
		assert_int_equal(0, sleepers[i].result);
	}
	assert_true(loop_now() - start >= 1000); /* two and two */
	db_status(db, &status);
	assert_int_equal(2, status.idle);
	assert_int_equal(0, status.waiting);
}

static void test_exhaustion(void **state)
{
	(void)state;
	in_fiber(exhaustion, NULL);
}

static void cancellation(void *arg)
{
	(void)arg;
	struct sleeper sleepers[3] = { 0 };

	start_sleepers(sleepers, 3, "SELECT pg_sleep(30)");
	for (int i = 0; i < 3; i++) {
		fiber_cancel(sleepers[i].fiber); /* two in the database, one in the queue */
		fiber_join(&sleepers[i].fiber);
		assert_int_equal(-ECANCELED, sleepers[i].result);
	}
	assert_int_equal(
		1, read_int(DB_SELF, "SELECT 1")); /* when the abandoned statements have been ended, long before their time */
}

static void test_cancellation(void **state)
{
	(void)state;
	in_fiber(cancellation, NULL);
}

static void insert_slowly(void *arg)
{
	struct sleeper *s = arg;

	s->result = db_query(
		db, DB_SELF, SOON, NULL, "INSERT INTO plain SELECT 1, 1 FROM pg_sleep(0.5)");
}

static void commit_uncancelled(void *arg)
{
	(void)arg;
	struct sleeper s = { 0 };

	fiber_start("inserter", insert_slowly, &s, &s.fiber);
	while (!fiber_ended(s.fiber) &&
		read_int(DB_SELF, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'INSERT INTO plain%'") == 0)
		continue;
	fiber_cancel(s.fiber);
	fiber_join(&s.fiber);
	assert_int_equal(0, s.result);
	assert_int_equal(1, read_int(DB_SELF, "SELECT count(*) FROM plain"));
}

static void test_commit_uncancelled(void **state)
{
	(void)state;
	in_fiber(commit_uncancelled, NULL);
}

/* An idle connection ended by the server is not handed out. */
static void broken_idle(void *arg)
{
	(void)arg;

	for (int i = 0; i < 20; i++) {
		assert_int_equal(1, read_int(DB_SELF, "SELECT 1"));
		cluster_sql(&cluster,
			"SELECT count(pg_terminate_backend(pid, 1000)) FROM pg_stat_activity "
			"WHERE application_name = 'test'");
		/* blocking above: the loop has not seen it */
		assert_int_equal(0, db_query(db, DB_SELF, SOON, NULL,
					    "INSERT INTO plain (id) VALUES ($1)", DB_INT(i)));
	}
	assert_int_equal(20, read_int(DB_SELF, "SELECT count(*) FROM plain"));
}

static void test_broken_idle(void **state)
{
	(void)state;
	in_fiber(broken_idle, NULL);
}

static void terminated_within(void *arg)
{
	(void)arg;
	struct db_tx *tx = NULL;

	assert_int_equal(0, db_begin(db, DB_SELF, SOON, &tx));
	assert_int_equal(0, tx_query(tx, NULL, "INSERT INTO plain (id) VALUES (1)"));
	cluster_sql(&cluster, "SELECT count(pg_terminate_backend(pid, 1000)) FROM pg_stat_activity "
			      "WHERE application_name = 'test'");
	assert_int_equal(-ENOTCONN, tx_query(tx, NULL, "INSERT INTO plain (id) VALUES (2)"));
	assert_int_equal(-ENOTCONN, db_commit(&tx));
	assert_int_equal(0, read_int(DB_SELF, "SELECT count(*) FROM plain"));
	/* the server says farewell where the statement's result would be: COMMIT was not reached */
	assert_int_equal(-ENOTCONN, db_query(db, DB_SELF, SOON, NULL,
					    "INSERT INTO plain SELECT 3 FROM (SELECT "
					    "pg_terminate_backend(pg_backend_pid())) AS x"));
	assert_int_equal(0, read_int(DB_SELF, "SELECT count(*) FROM plain"));
}

static void test_terminated_within(void **state)
{
	(void)state;
	cluster_sql(&cluster, "GRANT pg_signal_backend TO daemon");
	in_fiber(terminated_within, NULL);
}

/* Deadlocks */

static int meetings;
static struct wait other_holds;

/* The first two wait until both hold their row: then each asks for the other's. */
static int both_hold(void)
{
	if (meetings > 2)
		return 0;
	if (!other_holds.fiber)
		return wait_for(&other_holds, SOON);
	wait_wake(&other_holds, 0);
	return 0;
}

static int meet(struct db_tx *tx, void *arg)
{
	int *first = arg;

	meetings++;
	int r = tx_query(tx, NULL, "UPDATE plain SET n = n + 1 WHERE id = $1", DB_INT(*first));

	if (r == 0)
		r = both_hold();
	if (r == 0)
		r = tx_query(
			tx, NULL, "UPDATE plain SET n = n + 1 WHERE id = $1", DB_INT(3 - *first));
	return r;
}

struct meeter {
	int first, result;
	struct fiber *fiber;
};

static void meet_main(void *arg)
{
	struct meeter *m = arg;

	m->result = db_transaction(db, DB_SELF, SOON, meet, &m->first);
}

static void deadlock(void *arg)
{
	(void)arg;
	struct meeter m[2] = { { .first = 1 }, { .first = 2 } };

	assert_int_equal(
		0, db_query(db, DB_SELF, SOON, NULL, "INSERT INTO plain VALUES (1, 0), (2, 0)"));
	for (int i = 0; i < 2; i++)
		fiber_start("meeter", meet_main, &m[i], &m[i].fiber);
	for (int i = 0; i < 2; i++) {
		fiber_join(&m[i].fiber);
		assert_int_equal(0, m[i].result);
	}
	assert_int_equal(4, read_int(DB_SELF, "SELECT sum(n)::bigint FROM plain"));
	/* One was the deadlock's victim and tried again; if it was back before the other had woken up, more than once. */
	assert_true(meetings >= 3);
}

static void test_deadlock(void **state)
{
	(void)state;
	in_fiber(deadlock, NULL);
}

static int tried;

static int refuse(struct db_tx *tx, void *arg)
{
	(void)arg;
	tried++;
	return tx_query(tx, NULL, "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$");
}

static void retries_end(void *arg)
{
	(void)arg;

	assert_int_equal(-EDEADLK, db_transaction(db, DB_SELF, SOON, refuse, NULL));
	assert_int_equal(3, tried);
}

static void test_retries_end(void **state)
{
	(void)state;
	in_fiber(retries_end, NULL);
}

/* Nobody there */

static void unreachable(void *arg)
{
	(void)arg;
	int64_t start = loop_now();
	struct db_status status;

	assert_int_equal(-ENOTCONN, db_read(db, DB_SELF, loop_now() + 250, NULL, "SELECT 1"));
	assert_in_range(loop_now() - start, 240, 250 + SLACK_MS);
	db_status(db, &status);
	assert_int_equal(0, status.connected);
	assert_in_range(wall_now() - status.down_since, 100, 250 + SLACK_MS);
	assert_non_null(strstr(status.error, "/nowhere"));
	assert_non_null(strstr(db_error(db)->text, "/nowhere"));
}

static int changes;

static void count_changes(bool up, const char *why, void *arg)
{
	(void)why;
	assert_ptr_equal(&changes, arg);
	assert_false(up);
	changes++;
}

static void test_unreachable(void **state)
{
	(void)state;
	struct db_config config = {
		.conninfo = "host=/nowhere", .size = 3, .changed = count_changes, .arg = &changes
	};

	db_freep(&db);
	assert_int_equal(0, db_new(&config, &db));
	in_fiber(unreachable, NULL);
	assert_int_equal(1, changes);
}

static void test_bad_config(void **state)
{
	(void)state;
	struct db *none = NULL;

	assert_int_equal(
		-EINVAL, db_new(&(struct db_config){ .conninfo = "no=such", .size = 1 }, &none));
	assert_int_equal(-EINVAL, db_new(&(struct db_config){ .conninfo = "", .size = 0 }, &none));
	assert_int_equal(
		-EINVAL, db_new(&(struct db_config){ .conninfo = "", .size = 257 }, &none));
	assert_null(none);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, test_set_up, test_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),
		TEST(test_null_then_number),
		TEST(test_identity),
		TEST(test_no_identity),
		TEST(test_after_failure),
		TEST(test_transaction),
		TEST(test_errors),
		TEST(test_outdated_plan),
		TEST(test_many_statements),
		TEST(test_large),
		TEST(test_statement_timeout),
		TEST(test_statement_cap),
		TEST(test_silent_server),
		TEST(test_exhaustion),
		TEST(test_cancellation),
		TEST(test_commit_uncancelled),
		TEST(test_broken_idle),
		TEST(test_terminated_within),
		TEST(test_deadlock),
		TEST(test_retries_end),
		TEST(test_unreachable),
		TEST(test_bad_config),
	};

	return cmocka_run_group_tests(tests, set_up, cluster_tear_down);
}
