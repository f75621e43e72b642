/*
 * botd/queue.c against a real PostgreSQL: who gets a job, that a lost lease can write nothing, that lines are numbered
 * without gaps, and what happens when the database goes away meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "botd/queue.h"
#include "common/cleanup.h"
#include "tests/integration/test_db_cluster.h"

#define LEASE_MS 10000
#define SOON     (loop_now() + 5000)

static struct db *db;

/* The database */

#define AS_MIGRATE "SET ROLE stead_migrate; SET search_path = jobs; "

static int set_up(void **state)
{
	assert_int_equal(0, cluster_set_up(state));
	cluster_file("", "db/roles.sql");
	cluster_file(AS_MIGRATE, "botd/schema/0001_bookings.up.sql");
	cluster_file(AS_MIGRATE, "botd/schema/0001_bookings.down.sql");
	cluster_file(AS_MIGRATE, "botd/schema/0001_bookings.up.sql");
	return 0;
}

static int test_set_up(void **state)
{
	char conninfo[256];

	(void)state;
	cluster_sql(&cluster, "TRUNCATE jobs.bookings, jobs.lines, jobs.pictures RESTART IDENTITY");
	cluster_conninfo("stead_botd", "postgres", conninfo, sizeof(conninfo));
	return db_new(&(struct db_config){ .conninfo = conninfo, .size = 8, .application_name = "test" }, &db);
}

static int test_tear_down(void **state)
{
	(void)state;
	db_freep(&db);
	return 0;
}

/* A queued booking of user at site. */
static int64_t queued(int64_t user, const char *site)
{
	return sql_number("INSERT INTO jobs.bookings (user_id, key, site, action, title, inputs) VALUES (%lld, "
			  "gen_random_uuid()::text, '%s', 'book', 'A desk', '{\"desk\": \"D-1\"}') RETURNING id",
		(long long)user, site);
}

static struct job *claimed(void)
{
	struct job *j = NULL;

	assert_int_equal(0, queue_claim(db, LEASE_MS, SOON, &j));
	assert_non_null(j);
	return j;
}

static void assert_none(void)
{
	struct job *j = NULL;

	assert_int_equal(-ENOENT, queue_claim(db, LEASE_MS, SOON, &j));
}

static void expire(int64_t id)
{
	sql_number("UPDATE jobs.bookings SET due_at = now() - interval '1 s' WHERE id = %lld RETURNING id", (long long)id);
}

#define TEST(name)                                                                                 \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		in_fiber(name, NULL);                                                              \
	}

/* Claiming */

static void claims_in_order(void *arg)
{
	int64_t first = queued(7, "desk"), other = queued(8, "desk"), later = queued(9, "desk");
	struct job *a, *b;

	(void)arg;
	sql_number("UPDATE jobs.bookings SET due_at = now() + interval '1 hour' WHERE id = %lld RETURNING id",
		(long long)later);
	a = claimed();
	b = claimed();
	assert_int_equal(first, a->id);
	assert_int_equal(7, a->user);
	assert_int_equal(1, a->token);
	assert_string_equal("desk", a->site);
	assert_string_equal("D-1", json_string_value(json_object_get(a->inputs, "desk")));
	assert_false(a->intended);
	assert_int_equal(other, b->id);
	assert_none(); /* the third is not due */
	job_free(a);
	job_free(b);
}
TEST(claims_in_order)

static void one_at_a_time(void *arg)
{
	int64_t first = queued(7, "desk"), second = queued(7, "desk"), elsewhere = queued(7, "gym");
	struct job *a = claimed(), *b = claimed(), *next = NULL;

	(void)arg;
	assert_int_equal(first, a->id);
	assert_int_equal(elsewhere, b->id); /* the second waits for the first: they share a session */
	assert_none();
	assert_int_equal(0, job_finish(b, "booked", NULL, &next));
	assert_null(next);
	assert_none();
	assert_int_equal(0, job_finish(a, "booked", NULL, &next));
	assert_non_null(next);
	assert_int_equal(second, next->id);
	assert_int_equal(1, sql_number("SELECT count(*) FROM jobs.bookings WHERE state = 'running'"));
	assert_none(); /* it was claimed in the same transaction: nobody can come in between */
	job_free(a);
	job_free(b);
	job_free(next);
}
TEST(one_at_a_time)

static void next_due(void *arg)
{
	int64_t ms = 0, id;

	(void)arg;
	assert_int_equal(-ENOENT, queue_next_due(db, SOON, &ms));
	id = queued(7, "desk");
	sql_number("UPDATE jobs.bookings SET due_at = now() + interval '20 s' WHERE id = %lld RETURNING id", (long long)id);
	assert_int_equal(0, queue_next_due(db, SOON, &ms));
	assert_in_range(ms, 15000, 20000);
}
TEST(next_due)

/* Fencing */

/* Of the whole row: whether anything of it has changed. */
static int64_t row_digest(void)
{
	return sql_number("SELECT ('x' || substr(md5(b::text), 1, 8))::bit(32)::bigint FROM jobs.bookings b");
}

/* Every write there is, by a worker that has slept through its lease. */
static void lost_lease_writes_nothing(void *arg)
{
	int64_t id = queued(7, "desk"), before;
	struct job *old = claimed(), *new, *next = NULL;

	(void)arg;
	assert_int_equal(0, job_line(old, "info", "one"));
	assert_none();
	expire(id);
	new = claimed();
	assert_int_equal(id, new->id);
	assert_int_equal(old->token + 1, new->token);
	before = row_digest();
	assert_int_equal(-ESTALE, job_line(old, "info", "two"));
	assert_int_equal(-ESTALE, job_beat(old));
	assert_int_equal(-ESTALE, job_intend(old));
	assert_false(old->intended);
	assert_int_equal(-ESTALE, job_picture(old, "jpeg", 4));
	assert_int_equal(-ESTALE, job_finish(old, "booked", NULL, &next));
	assert_int_equal(-ESTALE, job_park(old, 3, "sign in", &next));
	assert_int_equal(-ESTALE, job_requeue(old, 0, true, "again"));
	assert_null(next);
	assert_true(before == row_digest());
	assert_int_equal(1, sql_number("SELECT count(*) FROM jobs.lines"));
	assert_int_equal(0, sql_number("SELECT count(*) FROM jobs.pictures"));
	assert_int_equal(0, job_line(new, "info", "two"));
	assert_int_equal(0, job_finish(new, "booked", NULL, NULL));
	assert_int_equal(-ESTALE, job_line(new, "info", "after the end"));
	job_free(old);
	job_free(new);
}
TEST(lost_lease_writes_nothing)

static void intent_survives(void *arg)
{
	int64_t id = queued(7, "desk");
	struct job *j = claimed();

	(void)arg;
	assert_int_equal(0, job_intend(j));
	assert_true(j->intended);
	expire(id);
	job_free(j);
	j = claimed();
	assert_true(j->intended);
	assert_int_equal(0, job_requeue(j, 0, true, "the browser failed"));
	job_free(j);
	j = claimed();
	assert_true(j->intended);
	assert_int_equal(1, j->failures);
	job_free(j);
}
TEST(intent_survives)

static void beat_prolongs(void *arg)
{
	int64_t id = queued(7, "desk");
	struct job *j = claimed();

	(void)arg;
	sql_number("UPDATE jobs.bookings SET due_at = now() + interval '1 s' WHERE id = %lld RETURNING id", (long long)id);
	assert_int_equal(0, job_beat(j));
	assert_in_range(sql_number("SELECT (extract(epoch FROM due_at - now()) * 1000)::bigint FROM jobs.bookings"), 9000,
		10000);
	job_free(j);
}
TEST(beat_prolongs)

/* Who sees what */

static void users_are_apart(void *arg)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	struct job *j;
	int64_t id = queued(7, "desk");

	(void)arg;
	j = claimed();
	assert_int_equal(0, job_line(j, "info", "secret"));
	j->user = 8; /* the right booking, the right token, but another person */
	assert_int_equal(-ESTALE, job_line(j, "info", "planted"));
	assert_int_equal(0, db_read(db, DB_USER(8), SOON, &res,
				    "SELECT id FROM jobs.bookings UNION ALL SELECT n FROM jobs.lines"));
	assert_int_equal(0, db_rows(res));
	db_result_freep(&res);
	assert_int_equal(0, db_read(db, DB_SELF, SOON, &res, "SELECT id FROM jobs.bookings"));
	assert_int_equal(0, db_rows(res));
	assert_int_equal(-EACCES, db_query(db, DB_ROLE("stead_operator"), SOON, NULL, "DELETE FROM jobs.bookings"));
	assert_int_equal(-EACCES, db_query(db, DB_USER(7), SOON, NULL,
					  "UPDATE jobs.bookings SET user_id = 8 WHERE id = $1", DB_INT(id)));
	assert_int_equal(-EACCES, db_read(db, DB_ROLE("stead_claimer"), SOON, NULL, "SELECT n FROM jobs.lines"));
	job_free(j);
}
TEST(users_are_apart)

/* Lines */

#define WRITERS 8
#define EACH    25

static struct job *shared;
static int writing;

static void write_lines(void *arg)
{
	for (int i = 0; i < EACH; i++)
		assert_int_equal(0, job_line(shared, "info", "writer %td, line %d", (intptr_t)arg, i));
	writing--;
}

/* Eight at once, on eight connections. */
static void numbers_without_gaps(void *arg)
{
	struct fiber *f[WRITERS];

	(void)arg;
	queued(7, "desk");
	shared = claimed();
	writing = WRITERS;
	for (intptr_t i = 0; i < WRITERS; i++)
		fiber_start("writer", write_lines, (void *)i, &f[i]);
	for (int i = 0; i < WRITERS; i++)
		fiber_join(&f[i]);
	assert_int_equal(0, writing);
	assert_int_equal(WRITERS * EACH, sql_number("SELECT count(*) FROM jobs.lines"));
	assert_int_equal(WRITERS * EACH, sql_number("SELECT max(n) FROM jobs.lines"));
	assert_int_equal(WRITERS * EACH, sql_number("SELECT last_line FROM jobs.bookings"));
	assert_int_equal(0, sql_number("SELECT count(*) FROM (SELECT n - lag(n, 1, 0::bigint) OVER (ORDER BY n) AS d FROM "
				       "jobs.lines) x WHERE d <> 1"));
	job_free(shared);
}
TEST(numbers_without_gaps)

static void long_lines_are_cut(void *arg)
{
	char text[5000];
	struct job *j;

	(void)arg;
	memset(text, 0xc3, sizeof(text)); /* é, é, ... */
	for (size_t i = 1; i < sizeof(text); i += 2)
		text[i] = (char)0xa9;
	text[sizeof(text) - 1] = '\0';
	queued(7, "desk");
	j = claimed();
	assert_int_equal(0, job_line(j, "error", "x%s", text));
	assert_in_range(sql_number("SELECT octet_length(text) FROM jobs.lines"), 2040, 2048);
	job_free(j);
}
TEST(long_lines_are_cut)

/* Many at once */

#define JOBS    120
#define USERS   5
#define CLAIMERS 6

static int finished;

static void work_off(void *arg)
{
	(void)arg;
	while (finished < JOBS) {
		struct job *j = NULL, *next = NULL;
		int r = queue_claim(db, LEASE_MS, SOON, &j);

		if (r == -ENOENT) {
			assert_int_equal(0, fiber_yield());
			continue;
		}
		assert_int_equal(0, r);
		for (; j; j = next) {
			assert_int_equal(0, job_line(j, "info", "done"));
			bool more = j->id % 7;

			next = NULL;
			assert_int_equal(0, job_finish(j, "booked", NULL, more ? &next : NULL));
			finished++;
			job_free(j);
		}
	}
}

static void every_job_once(void *arg)
{
	struct fiber *f[CLAIMERS];

	(void)arg;
	sql_number("INSERT INTO jobs.bookings (user_id, key, site, action, title, inputs) "
		   "SELECT 1 + i %% %d, i::text, 'desk', 'book', 'x', '{}' FROM generate_series(1, %d) i RETURNING id",
		USERS, JOBS);
	finished = 0;
	for (int i = 0; i < CLAIMERS; i++)
		fiber_start("worker", work_off, NULL, &f[i]);
	for (int i = 0; i < CLAIMERS; i++)
		fiber_join(&f[i]);
	assert_int_equal(JOBS, sql_number("SELECT count(*) FROM jobs.bookings WHERE state = 'done' AND attempt = 1"));
	assert_int_equal(2 * JOBS, sql_number("SELECT count(*) FROM jobs.lines"));
}
TEST(every_job_once)

/* Waiting for a sign-in */

static void resumes_on_another_version(void *arg)
{
	int64_t count = 9;
	struct job *j;

	(void)arg;
	queued(7, "desk");
	queued(8, "desk");
	j = claimed();
	assert_int_equal(0, job_park(j, 4, "the site asks for you", NULL));
	job_free(j);
	assert_int_equal(0, queue_resume(db, 7, "desk", 4, SOON, &count));
	assert_int_equal(0, count); /* that one has ended */
	assert_int_equal(0, queue_resume(db, 8, "desk", 5, SOON, &count));
	assert_int_equal(0, count);
	assert_int_equal(0, queue_resume(db, 7, "gym", 5, SOON, &count));
	assert_int_equal(0, count);
	assert_int_equal(0, queue_resume(db, 7, "desk", 5, SOON, &count));
	assert_int_equal(1, count);
	assert_int_equal(2, sql_number("SELECT last_line FROM jobs.bookings WHERE user_id = 7"));
	assert_int_equal(1, sql_number("SELECT count(*) FROM jobs.bookings WHERE user_id = 7 AND state = 'queued'"));
}
TEST(resumes_on_another_version)

/* The database goes away */

static void restart(void *arg)
{
	(void)arg;
	cluster_stop_wait(&cluster, SIGINT);
	cluster_start_wait(&cluster);
}

static void writes_wait_for_the_database(void *arg)
{
	struct fiber *f = NULL;
	struct job *j;

	(void)arg;
	queued(7, "desk");
	j = claimed();
	fiber_start("restart", restart, NULL, &f);
	while (!fiber_ended(f))
		assert_int_equal(0, job_line(j, "info", "while it restarts"));
	fiber_join(&f);
	assert_int_equal(0, job_intend(j));
	assert_int_equal(0, job_finish(j, "booked", NULL, NULL));
	assert_int_equal(0, sql_number("SELECT last_line - (SELECT count(*) FROM jobs.lines) FROM jobs.bookings"));
	assert_int_equal(1, sql_number("SELECT count(*) FROM jobs.bookings WHERE outcome = 'booked'"));
	job_free(j);
}
TEST(writes_wait_for_the_database)

static void writes_end_with_the_lease(void *arg)
{
	struct job *j;
	int64_t began;

	(void)arg;
	queued(7, "desk");
	j = claimed();
	j->lease_end = loop_now() + 700;
	cluster_stop_wait(&cluster, SIGINT);
	began = loop_now();
	assert_int_equal(-ESTALE, job_intend(j));
	assert_in_range(loop_now() - began, 0, 1500);
	assert_false(j->intended);
	cluster_start_wait(&cluster);
	job_free(j);
}
TEST(writes_end_with_the_lease)

#define CASE(name) cmocka_unit_test_setup_teardown(test_##name, test_set_up, test_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(claims_in_order),
		CASE(one_at_a_time),
		CASE(next_due),
		CASE(lost_lease_writes_nothing),
		CASE(intent_survives),
		CASE(beat_prolongs),
		CASE(users_are_apart),
		CASE(numbers_without_gaps),
		CASE(long_lines_are_cut),
		CASE(every_job_once),
		CASE(resumes_on_another_version),
		CASE(writes_wait_for_the_database),
		CASE(writes_end_with_the_lease),
	};

	return cmocka_run_group_tests(tests, set_up, cluster_tear_down);
}
