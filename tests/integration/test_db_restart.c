/*
 * db/ while PostgreSQL goes away and comes back: nothing acknowledged is lost, nothing is done
 * twice.
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
#define WORKERS 50
#define SIZE    8

static struct db *db;

static int set_up(void **state)
{
	assert_int_equal(0, cluster_set_up(state));
	/* no key: a statement carried out twice shows */
	cluster_sql(&cluster, "CREATE TABLE done (id bigint NOT NULL)");
	return 0;
}

/* Concurrent writers */

static bool stopping;
static int64_t next_id, acknowledged, settled_done, settled_again;
static int64_t refusals[4]; /* -ENOTCONN, -ETIMEDOUT, -EBUSY, -EINPROGRESS */

static void count_refusal(int r)
{
	switch (r) {
	case -ENOTCONN: refusals[0]++; break;
	case -ETIMEDOUT: refusals[1]++; break;
	case -EBUSY: refusals[2]++; break;
	case -EINPROGRESS: refusals[3]++; break;
	default: fail_msg("unexpected %s: %s", strerror(-r), db_error(db)->text);
	}
}

/* What a caller does about -EINPROGRESS: it looks, as often as it takes to get an answer. */
static bool stands(int64_t id)
{
	for (;;) {
		CLEANUP(db_result_freep) struct db_result *res = NULL;
		int r = db_read(db, DB_USER(1), deadline_in(300), &res,
			"SELECT count(*) FROM done WHERE id = $1", DB_INT(id));

		if (r == 0)
			return row_int(ROW(res, 0), 0) > 0;
		assert_int_not_equal(-EINPROGRESS, r);
		count_refusal(r);
	}
}

static void insert_until_done(int64_t id)
{
	for (;;) {
		int r = db_query(db, DB_USER(1), deadline_in(300), NULL,
			"INSERT INTO done VALUES ($1)", DB_INT(id));

		if (r == 0)
			return;
		count_refusal(r);
		if (r != -EINPROGRESS)
			continue; /* it said that nothing happened: take its word */
		if (stands(id)) {
			settled_done++;
			return;
		}
		settled_again++;
	}
}

static void worker(void *arg)
{
	(void)arg;

	while (!stopping) {
		insert_until_done(++next_id);
		acknowledged++;
	}
}

static int ups, downs;

static void changed(bool up, const char *why, void *arg)
{
	(void)arg;
	assert_true(*why);
	up ? ups++ : downs++;
}

static void restart_under_load(void *arg)
{
	static const int signals[] = { SIGINT, SIGQUIT, SIGINT, SIGQUIT };
	struct fiber *workers[WORKERS];
	int64_t before;
	(void)arg;

	for (int i = 0; i < WORKERS; i++)
		fiber_start("worker", worker, NULL, &workers[i]);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		before = acknowledged;
		while (acknowledged < before + 500)
			fiber_sleep_until(loop_now() + 5);
		cluster_stop_wait(&cluster, signals[i]);
		if (i == 2)
			fiber_sleep_until(
				loop_now() + 1000); /* long enough for deadlines to pass */
		cluster_start_wait(&cluster);
	}
	before = acknowledged;
	while (acknowledged < before + 500)
		fiber_sleep_until(loop_now() + 5);
	stopping = true;
	for (int i = 0; i < WORKERS; i++)
		fiber_join(&workers[i]);
}

static void test_restart_under_load(void **state)
{
	(void)state;
	struct db_status status;
	struct db_config config = {
		.conninfo = cluster.conninfo,
		.size = SIZE,
		.application_name = "restart",
		.changed = changed,
	};

	assert_int_equal(0, db_new(&config, &db));
	in_fiber(restart_under_load, NULL);
	print_message("%ld acknowledged; refused: %ld not connected, %ld timed out, %ld busy, %ld "
		      "in doubt "
		      "(%ld of them stood, %ld not)\n",
		acknowledged, refusals[0], refusals[1], refusals[2], refusals[3], settled_done,
		settled_again);
	assert_int_equal(acknowledged, cluster_sql(&cluster, "SELECT count(*) FROM done"));
	assert_int_equal(
		acknowledged, cluster_sql(&cluster, "SELECT count(DISTINCT id) FROM done"));
	assert_true(refusals[0] > 0); /* the long pause */
	assert_true(downs >= 1 && ups == downs);
	db_status(db, &status);
	assert_true(status.connected >= 1 && status.connected <= SIZE);
	assert_int_equal(0, status.busy);
	assert_int_equal(0, status.down_since);
	db_freep(&db);
}

/* Listening */

static int reread, payloads;
static char last_payload[32];
static struct wait *heard_wait;

static void heard(const char *payload, void *arg)
{
	assert_ptr_equal(&payloads, arg);
	if (payload) {
		payloads++;
		snprintf(last_payload, sizeof(last_payload), "%s", payload);
	} else {
		reread++;
	}
	if (heard_wait)
		wait_wake(heard_wait, 0);
}

/*
 * Until the callback has been called n times in all: it may well have been while we waited for
 * something else.
 */
static void wait_heard(int n)
{
	while (reread + payloads < n) {
		struct wait w = { 0 };

		heard_wait = &w;
		assert_int_equal(0, wait_for(&w, loop_now() + 10000));
		heard_wait = NULL;
	}
}

static int other_reread;

static void other_heard(const char *payload, void *arg)
{
	(void)arg;
	assert_null(payload);
	other_reread++;
}

static void listen_across_restart(void *arg)
{
	struct db_status status;
	(void)arg;

	assert_int_equal(-EINVAL, db_listen(db, "a b", heard, NULL));
	assert_int_equal(0, db_listen(db, "jobs", heard, &payloads));
	wait_heard(1);
	assert_int_equal(1, reread);
	db_status(db, &status);
	assert_true(status.listening);
	assert_int_equal(0,
		db_query(db, DB_SELF, deadline_in(1000), NULL, "SELECT pg_notify('jobs', 'one')"));
	wait_heard(2);
	assert_string_equal("one", last_payload);
	/* a second channel, while the first is being listened to */
	assert_int_equal(0, db_listen(db, "other", other_heard, NULL));
	wait_heard(3);
	assert_int_equal(2, reread);
	assert_int_equal(1, other_reread);

	for (int i = 0; i < 2; i++) {
		cluster_stop_wait(&cluster, i ? SIGQUIT : SIGINT);
		db_status(db, &status);
		assert_false(status.listening);
		cluster_start_wait(&cluster);
		wait_heard(4 + 2 * i);
		assert_int_equal(3 + i, reread);
		assert_int_equal(2 + i, other_reread);
		db_status(db, &status);
		assert_true(status.listening && status.down_since == 0);
		assert_int_equal(
			0, db_query(db, DB_SELF, deadline_in(1000), NULL,
				   "SELECT pg_notify('jobs', $1)", DB_TEXT(i ? "three" : "two")));
		wait_heard(5 + 2 * i);
		assert_string_equal(i ? "three" : "two", last_payload);
	}
	assert_int_equal(3, payloads);
}

static void test_listen_across_restart(void **state)
{
	(void)state;
	struct db_config config = {
		.conninfo = cluster.conninfo, .size = 2, .application_name = "listen"
	};

	assert_int_equal(0, db_new(&config, &db));
	in_fiber(listen_across_restart, NULL);
	db_freep(&db);
}

/* Down at start, back later: no restart of ours */

struct early {
	struct fiber *fiber;
	int result;
};

static void early_main(void *arg)
{
	struct early *e = arg;

	e->result = db_read(db, DB_SELF, deadline_in(20000), NULL, "SELECT 1");
}

static void down_at_start(void *arg)
{
	struct early e = { 0 };
	struct db_status status;
	(void)arg;

	assert_int_equal(-ENOTCONN, db_read(db, DB_SELF, deadline_in(50), NULL, "SELECT 1"));
	fiber_start("early", early_main, &e, &e.fiber);
	cluster_start_wait(&cluster);
	fiber_join(&e.fiber);
	assert_int_equal(0, e.result);
	db_status(db, &status);
	assert_int_equal(0, status.down_since);
	assert_true(*status.error); /* what it was stays readable */
}

static void test_down_at_start(void **state)
{
	(void)state;
	struct db_config config = {
		.conninfo = cluster.conninfo, .size = 2, .application_name = "early"
	};

	cluster_stop(&cluster, SIGINT);
	assert_int_equal(0, db_new(&config, &db));
	in_fiber(down_at_start, NULL);
	db_freep(&db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restart_under_load),
		cmocka_unit_test(test_listen_across_restart),
		cmocka_unit_test(test_down_at_start),
	};

	return cmocka_run_group_tests(tests, set_up, cluster_tear_down);
}
