/*
 * botd/claim.c and botd/job.c against a real PostgreSQL: who gets a job, that a lost lease can write nothing, that lines are
 * numbered without gaps, and what happens when the database goes away meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "botd/job.h"
#include "botd/roster.h"
#include "botd/task.h"
#include "common/cleanup.h"
#include "common/words.h"
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
	cluster_file(AS_MIGRATE, "botd/schema/0002_turns.up.sql");
	cluster_file(AS_MIGRATE, "botd/schema/0002_turns.down.sql");
	cluster_file(AS_MIGRATE, "botd/schema/0001_bookings.down.sql");
	cluster_file(AS_MIGRATE, "botd/schema/0001_bookings.up.sql");
	cluster_file(AS_MIGRATE, "botd/schema/0002_turns.up.sql");
	cluster_file(AS_MIGRATE, "botd/schema/0003_audit.up.sql");
	cluster_file(AS_MIGRATE, "botd/schema/0004_looks.up.sql");
	cluster_file(AS_MIGRATE, "botd/schema/0005_jobs.up.sql");
	cluster_file(AS_MIGRATE, "botd/schema/0005_jobs.down.sql");
	cluster_file(AS_MIGRATE, "botd/schema/0005_jobs.up.sql");
	cluster_file(AS_MIGRATE, "botd/schema/0006_sealed_pictures.up.sql");
	cluster_sql(&cluster, "CREATE VIEW public.bookings AS SELECT * FROM jobs.jobs j JOIN (SELECT id AS number, site, action, title, "
		"inputs, starts, intent_at, session_version, picture, again, looks, look_until, answer, list_read_at, list_trouble, told, "
		"step, steps FROM jobs.bookings) b ON b.number = j.id");
	cluster_sql(&cluster, "CREATE FUNCTION public.book(person bigint, site text, key text) RETURNS bigint LANGUAGE sql BEGIN ATOMIC "
		"WITH j AS (INSERT INTO jobs.jobs (user_id, kind, queue, lane, key) VALUES (person, 'booking', site, site, key) RETURNING id) "
		"INSERT INTO jobs.bookings (id, user_id, site, action, title, inputs) SELECT id, person, site, 'book', 'A desk', "
		"'{\"desk\": \"D-1\"}' FROM j RETURNING id; END");
	return 0;
}

static int test_set_up(void **state)
{
	char conninfo[256];

	(void)state;
	cluster_sql(&cluster, "TRUNCATE jobs.jobs, jobs.bookings, jobs.lines, jobs.pictures; ALTER SEQUENCE jobs.job_ids RESTART; "
		"TRUNCATE jobs.served, jobs.queues");
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
	return sql_number("SELECT public.book(%lld, '%s', gen_random_uuid()::text)", (long long)user, site);
}

static int claim_one(struct job **ret)
{
	const struct claim_wish wish = { "booking", 1 };
	struct claim claim;
	size_t n = 0;
	int r = claim_jobs(&(struct claimer){ db, 0, LEASE_MS }, &wish, 1, SOON, &claim, &n);

	if (r < 0)
		return r;
	assert_int_equal(1, n);
	return job_begin(db, &claim, LEASE_MS, ret);
}

static struct job *claimed(void)
{
	struct job *j = NULL;

	assert_int_equal(0, claim_one(&j));
	assert_non_null(j);
	return j;
}

static void assert_none(void)
{
	struct job *j = NULL;

	assert_int_equal(-ENOENT, claim_one(&j));
}

static void expire(int64_t id)
{
	sql_number("UPDATE jobs.jobs SET lease_until = now() - interval '1 s' WHERE id = %lld RETURNING id", (long long)id);
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
	sql_number("UPDATE jobs.jobs SET state = 'scheduled', due_at = now() + interval '1 hour' WHERE id = %lld RETURNING id",
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
	assert_int_equal(JOB_OK, job_finish(b, "booked", NULL, &next));
	assert_null(next);
	assert_none();
	assert_int_equal(JOB_OK, job_finish(a, "booked", NULL, &next));
	assert_non_null(next);
	assert_int_equal(second, next->id);
	assert_int_equal(1, sql_number("SELECT count(*) FROM public.bookings WHERE state = 'running'"));
	assert_none(); /* it was claimed in the same transaction: nobody can come in between */
	job_free(a);
	job_free(b);
	job_free(next);
}
TEST(one_at_a_time)

/* Which bookings are claimed, one after another; each is done at once. */
static void claimed_are(const int64_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct job *j = claimed();

		assert_int_equal(ids[i], j->id);
		assert_int_equal(JOB_OK, job_finish(j, "booked", NULL, NULL));
		job_free(j);
	}
}

/* However many somebody has asked for before, whoever asks for one is next. */
static void persons_take_turns(void *arg)
{
	int64_t first, b, c, ids[6];
	bool others = false;
	struct job *a;

	(void)arg;
	first = sql_number("SELECT public.book(1, 'desk', i::text) FROM generate_series(1, 200) i");
	a = claimed();
	assert_int_equal(0, claim_others_wait(db, "booking", SOON, &others));
	assert_false(others); /* its own next ones do not count */
	b = queued(2, "desk");
	assert_int_equal(0, claim_others_wait(db, "booking", SOON, &others));
	assert_true(others);
	assert_int_equal(JOB_OK, job_finish(a, "booked", NULL, NULL));
	job_free(a);
	c = queued(3, "desk");
	ids[0] = b; /* whose job lined up before the next one of who was served */
	ids[1] = first + 1;
	ids[2] = c;
	ids[3] = queued(2, "desk");
	ids[4] = first + 2;
	ids[5] = queued(3, "desk");
	claimed_are(ids, 6);
}
TEST(persons_take_turns)

static void sites_take_turns(void *arg)
{
	int64_t ids[4];

	(void)arg;
	ids[0] = queued(1, "desk");
	ids[2] = queued(1, "desk");
	ids[3] = queued(1, "desk");
	ids[1] = queued(1, "gym");
	claimed_are(ids, 4);
}
TEST(sites_take_turns)

/* Who has a browser already comes after whoever has none, although they have asked before. */
static void fewest_under_way_first(void *arg)
{
	struct job *a, *other, *last;
	int64_t gym, b;

	(void)arg;
	queued(1, "desk");
	a = claimed();
	gym = queued(1, "gym");
	b = queued(2, "desk");
	other = claimed();
	last = claimed();
	assert_int_equal(b, other->id);
	assert_int_equal(gym, last->id);
	job_free(a);
	job_free(other);
	job_free(last);
}
TEST(fewest_under_way_first)

/* The next one of a run is that person's turn, too. */
static void a_run_is_a_turn(void *arg)
{
	struct job *a, *next = NULL;

	(void)arg;
	queued(1, "desk");
	queued(1, "desk");
	a = claimed();
	assert_int_equal(JOB_OK, job_finish(a, "booked", NULL, &next));
	assert_non_null(next);
	assert_int_equal(1, sql_number("SELECT turn FROM jobs.jobs WHERE state = 'running'"));
	job_free(a);
	job_free(next);
}
TEST(a_run_is_a_turn)

/* What somebody else is just changing is passed over, not waited for. */
static void what_is_held_is_passed_over(void *arg)
{
	int64_t held = queued(7, "desk"), other = queued(8, "desk");
	PGconn *pg = cluster_connect(&cluster);
	char sql[128];
	struct job *j;

	(void)arg;
	snprintf(sql, sizeof(sql), "BEGIN; SELECT FROM jobs.jobs WHERE id = %lld FOR UPDATE", (long long)held);
	PQclear(PQexec(pg, sql));
	j = claimed();
	assert_int_equal(other, j->id);
	assert_int_equal(-EAGAIN, claim_one(&j)); /* it is there */
	PQfinish(pg);
	job_free(j);
}
TEST(what_is_held_is_passed_over)

/* A queue that is paused, or has as many under way as it may, keeps no other waiting; and nobody knows the other kind. */
static void queues_have_limits(void *arg)
{
	int64_t desk = queued(7, "desk"), desk_too = queued(8, "desk"), gym = queued(9, "gym");
	struct job *a, *b;

	(void)arg;
	cluster_sql(&cluster, "INSERT INTO jobs.jobs (user_id, kind, queue) VALUES (1, 'unknown', 'desk'), (1, 'unknown', 'alone')");
	cluster_sql(&cluster, "INSERT INTO jobs.queues VALUES ('gym', true, NULL), ('desk', false, 1)");
	a = claimed();
	assert_int_equal(desk, a->id);
	assert_none();
	assert_int_equal(JOB_OK, job_finish(a, "booked", NULL, NULL));
	b = claimed();
	assert_int_equal(desk_too, b->id);
	cluster_sql(&cluster, "UPDATE jobs.queues SET paused = false, most = NULL");
	job_free(a);
	a = claimed();
	assert_int_equal(gym, a->id);
	assert_none();
	assert_int_equal(2, sql_number("SELECT count(*) FROM jobs.jobs WHERE kind = 'unknown' AND state = 'queued' AND attempt = 0"));
	cluster_sql(&cluster, "DELETE FROM jobs.queues");
	job_free(a);
	job_free(b);
}
TEST(queues_have_limits)

/* Who asks again and again, each time their last one has ended, passes nobody who waits by more than a round. */
static void nobody_is_passed_for_ever(void *arg)
{
	int64_t waits;

	(void)arg;
	queued(1, "desk");
	waits = queued(1, "gym");
	sql_number("UPDATE jobs.jobs SET queue = 'desk' WHERE id = %lld RETURNING id", (long long)waits); /* another lane */
	sql_number("UPDATE jobs.jobs SET turn = 1 WHERE id = %lld RETURNING id", (long long)waits);
	queued(2, "desk");
	queued(3, "desk");
	for (int i = 0; i < 8; i++) {
		struct job *j = claimed();
		int64_t user = j->user;

		if (j->id == waits) {
			job_free(j);
			return;
		}
		assert_int_equal(JOB_OK, job_finish(j, "booked", NULL, NULL));
		job_free(j);
		queued(user, "desk");
	}
	fail_msg("it was never its turn");
}
TEST(nobody_is_passed_for_ever)

/* What a queue has served says nothing of another's turns. */
static void queues_have_turns_of_their_own(void *arg)
{
	struct job *a, *b, *c;
	int64_t old, fast, fresh;

	(void)arg;
	sql_number("INSERT INTO jobs.served VALUES ('fast', 'booking', 5000) RETURNING turn");
	old = queued(1, "slow");
	fast = queued(2, "fast");
	fresh = queued(3, "slow");
	a = claimed();
	b = claimed();
	c = claimed();
	assert_int_equal(old, a->id);
	assert_int_equal(fresh, b->id); /* of the round that is being served there */
	assert_int_equal(fast, c->id);
	assert_int_equal(5001, sql_number("SELECT turn FROM jobs.served WHERE queue = 'fast'"));
	assert_int_equal(0, sql_number("SELECT turn FROM jobs.served WHERE queue = 'slow'"));
	job_free(a);
	job_free(b);
	job_free(c);
}
TEST(queues_have_turns_of_their_own)

/* One that lines up again once its time has come; the claim that finds it so is to be made again. */
static void time_comes(void *arg)
{
	int64_t id = queued(7, "desk"), behind = queued(7, "desk");
	struct job *j = claimed(), *next = NULL;

	(void)arg;
	assert_int_equal(JOB_OK, job_requeue(j, 60000, false, "later"));
	job_free(j);
	j = claimed();
	assert_int_equal(behind, j->id);
	sql_number("UPDATE jobs.jobs SET due_at = now() WHERE id = %lld RETURNING id", (long long)id);
	assert_none(); /* its lane is not free */
	assert_int_equal(1, sql_number("SELECT count(*) FROM jobs.jobs WHERE state = 'behind'"));
	assert_int_equal(JOB_OK, job_finish(j, "booked", NULL, &next));
	assert_int_equal(id, next->id);
	job_free(j);
	job_free(next);
}
TEST(time_comes)

/* While some ask, others end, and one withdraws: whatever comes first, nobody is left behind a lane that is free. */
#define ASKERS 4
#define ASKED  60
static int asking;

static void ask(void *arg)
{
	for (int i = 0; i < ASKED; i++) {
		CLEANUP(db_result_freep) struct db_result *res = NULL;

		assert_int_equal(0, db_query(db, DB_USER(7 + i % 2), SOON, &res,
			"WITH j AS (INSERT INTO jobs.jobs (user_id, kind, queue, lane) VALUES ($1, 'booking', 'desk', 'desk') RETURNING id) "
			"INSERT INTO jobs.bookings (id, user_id, site, action, title, inputs) SELECT id, $1, 'desk', 'book', 'x', '{}' FROM j",
			DB_INT(7 + i % 2)));
		if (i % 5 == 4)
			assert_int_equal(0, db_query(db, DB_USER(7), SOON, NULL, "UPDATE jobs.jobs SET state = 'cancelled' WHERE id = "
				"(SELECT id FROM jobs.jobs WHERE state IN ('behind', 'queued') ORDER BY id LIMIT 1) AND state IN ('behind', 'queued')"));
	}
	(void)arg;
	asking--;
}

static void end_all(void *arg)
{
	(void)arg;
	for (;;) {
		struct job *j = NULL;
		bool over = asking == 0;
		int r = claim_one(&j);

		if (r == 0)
			assert_int_equal(JOB_OK, job_finish(j, "booked", NULL, NULL));
		else if (over && r == -ENOENT)
			return;
		job_free(j);
	}
}

static void nobody_is_left_behind(void *arg)
{
	struct fiber *f[2 * ASKERS];

	(void)arg;
	asking = ASKERS;
	for (int i = 0; i < ASKERS; i++) {
		fiber_start("ask", ask, NULL, &f[i]);
		fiber_start("end", end_all, NULL, &f[ASKERS + i]);
	}
	for (int i = 0; i < 2 * ASKERS; i++)
		fiber_join(&f[i]);
	assert_int_equal(0, sql_number("SELECT count(*) FROM jobs.jobs WHERE state NOT IN ('done', 'cancelled')"));
	assert_int_equal(ASKERS * ASKED, sql_number("SELECT count(*) FROM jobs.jobs"));
}
TEST(nobody_is_left_behind)

static void next_due(void *arg)
{
	int64_t ms = 0, id;

	(void)arg;
	assert_int_equal(-ENOENT, claim_next_due(db, SOON, &ms));
	id = queued(7, "desk");
	sql_number("UPDATE jobs.jobs SET state = 'scheduled', due_at = now() + interval '20 s' WHERE id = %lld RETURNING id", (long long)id);
	assert_int_equal(0, claim_next_due(db, SOON, &ms));
	assert_in_range(ms, 15000, 20000);
}
TEST(next_due)

/* Fencing */

/* Of the whole row: whether anything of it has changed. */
static int64_t row_digest(void)
{
	return sql_number("SELECT ('x' || substr(md5(b::text), 1, 8))::bit(32)::bigint FROM public.bookings b");
}

/* Every write there is, by a worker that has slept through its lease. */
static void lost_lease_writes_nothing(void *arg)
{
	int64_t id = queued(7, "desk"), before;
	struct job *old = claimed(), *new, *next = NULL;

	(void)arg;
	assert_int_equal(JOB_OK, job_line(old, "info", "one"));
	assert_none();
	expire(id);
	new = claimed();
	assert_int_equal(id, new->id);
	assert_int_equal(old->token + 1, new->token);
	before = row_digest();
	assert_int_equal(JOB_LOST, job_line(old, "info", "two"));
	assert_int_equal(JOB_LOST, job_beat(old));
	assert_int_equal(JOB_LOST, job_intend(old));
	assert_false(old->intended);
	assert_int_equal(JOB_LOST, job_picture(old, "jpeg", 4));
	assert_int_equal(JOB_LOST, job_finish(old, "booked", NULL, &next));
	assert_int_equal(JOB_LOST, job_park(old, 3, "sign in", &next));
	assert_int_equal(JOB_LOST, job_requeue(old, 0, true, "again"));
	assert_null(next);
	assert_true(before == row_digest());
	assert_int_equal(1, sql_number("SELECT count(*) FROM jobs.lines"));
	assert_int_equal(0, sql_number("SELECT count(*) FROM jobs.pictures"));
	assert_int_equal(JOB_OK, job_line(new, "info", "two"));
	assert_int_equal(JOB_OK, job_finish(new, "booked", NULL, NULL));
	assert_int_equal(JOB_LOST, job_line(new, "info", "after the end"));
	job_free(old);
	job_free(new);
}
TEST(lost_lease_writes_nothing)

static void intent_survives(void *arg)
{
	int64_t id = queued(7, "desk");
	struct job *j = claimed();

	(void)arg;
	assert_int_equal(JOB_OK, job_intend(j));
	assert_true(j->intended);
	expire(id);
	job_free(j);
	j = claimed();
	assert_true(j->intended);
	assert_int_equal(JOB_OK, job_requeue(j, 0, true, "the browser failed"));
	job_free(j);
	j = claimed();
	assert_true(j->intended);
	assert_int_equal(2, j->failures); /* the lease that ran out counts, too */
	job_free(j);
}
TEST(intent_survives)

/* A try that ends its worker says nothing more; the claim that finds its lease run out counts it. */
static void lost_leases_count(void *arg)
{
	int64_t id = queued(7, "desk");

	(void)arg;
	for (int i = 0; i < 3; i++) {
		struct job *j = claimed();

		assert_int_equal(i, j->failures);
		expire(id);
		job_free(j);
	}
}
TEST(lost_leases_count)

static void beat_prolongs(void *arg)
{
	int64_t id = queued(7, "desk");
	struct job *j = claimed();

	(void)arg;
	sql_number("UPDATE jobs.jobs SET lease_until = now() + interval '1 s' WHERE id = %lld RETURNING id", (long long)id);
	assert_int_equal(JOB_OK, job_beat(j));
	assert_in_range(sql_number("SELECT (extract(epoch FROM lease_until - now()) * 1000)::bigint FROM jobs.jobs"), 9000,
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
	assert_int_equal(JOB_OK, job_line(j, "info", "secret"));
	j->user = 8; /* the right booking, the right token, but another person */
	assert_int_equal(JOB_LOST, job_line(j, "info", "planted"));
	assert_int_equal(0, db_read(db, DB_USER(8), SOON, &res,
				    "SELECT id FROM jobs.jobs UNION ALL SELECT id FROM jobs.bookings UNION ALL SELECT n FROM jobs.lines"));
	assert_int_equal(0, db_rows(res));
	db_result_freep(&res);
	assert_int_equal(0, db_read(db, DB_SELF, SOON, &res, "SELECT id FROM jobs.jobs UNION ALL SELECT id FROM jobs.bookings"));
	assert_int_equal(0, db_rows(res));
	assert_int_equal(-EACCES, db_query(db, DB_ROLE("stead_operator"), SOON, NULL, "DELETE FROM jobs.jobs"));
	assert_int_equal(-EACCES, db_query(db, DB_USER(7), SOON, NULL,
					  "UPDATE jobs.jobs SET user_id = 8 WHERE id = $1", DB_INT(id)));
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
		assert_int_equal(JOB_OK, job_line(shared, "info", "writer %td, line %d", (intptr_t)arg, i));
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
	assert_int_equal(WRITERS * EACH, sql_number("SELECT last_line FROM public.bookings"));
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
	assert_int_equal(JOB_OK, job_line(j, "error", "x%s", text));
	assert_in_range(sql_number("SELECT octet_length(text) FROM jobs.lines"), 2040, 2048);
	job_free(j);
}
TEST(long_lines_are_cut)

/* The database refuses */

static void refuse(const char *table, const char *event, const char *condition)
{
	sql_number("CREATE OR REPLACE FUNCTION jobs.refuse() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN "
		   "RAISE 'the test refuses' USING ERRCODE = 'check_violation'; END $f$; "
		   "CREATE TRIGGER refuse BEFORE %s ON jobs.%s FOR EACH ROW WHEN (%s) EXECUTE FUNCTION jobs.refuse()",
		event, table, condition);
}

static void refuse_no_more(void)
{
	cluster_sql(&cluster, "DROP FUNCTION jobs.refuse() CASCADE");
}

/* Not its lease, which would have it tried again at once. */
static void a_refused_line_is_no_lost_lease(void *arg)
{
	struct job *j;

	(void)arg;
	queued(7, "desk");
	j = claimed();
	refuse("lines", "INSERT", "NEW.text LIKE 'no%'");
	assert_int_equal(JOB_REFUSED, job_line(j, "info", "no"));
	assert_int_equal(JOB_OK, job_line(j, "info", "yes"));
	refuse_no_more();
	assert_int_equal(JOB_OK, job_finish(j, "booked", NULL, NULL));
	job_free(j);
}
TEST(a_refused_line_is_no_lost_lease)

/* However it is cut, and whatever is in it. */
static void any_text_is_taken(void *arg)
{
	char text[4096];
	struct job *j;

	(void)arg;
	for (size_t size = 1010; size < 1030; size++) {
		memset(text, 0, sizeof(text));
		for (size_t i = 0; i < size; i++)
			text[i] = "\xc3\xa4"[i % 2];
		queued(7, "desk");
		j = claimed();
		assert_int_equal(JOB_OK, job_line(j, "info", "\xff\xed\xa0\x80 %s", text));
		assert_int_equal(JOB_OK, job_requeue(j, 0, false, text));
		job_free(j);
		j = claimed();
		assert_int_equal(JOB_OK, job_wait(j, 0, text + 1));
		job_free(j);
		j = claimed();
		assert_int_equal(JOB_OK, job_park(j, 1, text, NULL));
		job_free(j);
	}
	assert_int_equal(0, sql_number("SELECT count(*) FROM public.bookings WHERE octet_length(reason) > 1024"));
	assert_int_equal(0, sql_number("SELECT count(*) FROM public.bookings WHERE reason LIKE 'Stead''s database%%'"));
	assert_int_equal(0, sql_number("SELECT count(*) FROM jobs.lines WHERE text LIKE 'Stead''s database%%'"));
}
TEST(any_text_is_taken)

static int64_t ended_with(const char *trigger_table, const char *event, const char *condition, const char *where)
{
	struct job *j, *next = NULL;
	enum job_result r;

	queued(7, "desk");
	queued(7, "desk");
	j = claimed();
	refuse(trigger_table, event, condition);
	r = job_finish(j, "full", "no words", &next);
	refuse_no_more();
	job_free(j);
	job_free(next);
	return r == JOB_OK ? sql_number("SELECT count(*) FROM public.bookings WHERE outcome = 'full' AND %s", where) : -(int64_t)r;
}

static void the_end_is_written_with_less(void *arg)
{
	(void)arg;
	assert_int_equal(1, ended_with("jobs", "UPDATE", "NEW.reason LIKE '%%no words%%'", "reason LIKE 'Stead''s database%%'"));
	cluster_sql(&cluster, "TRUNCATE jobs.jobs, jobs.bookings, jobs.lines, jobs.pictures");
	assert_int_equal(1, ended_with("lines", "INSERT", "true", "last_line = 0"));
	cluster_sql(&cluster, "TRUNCATE jobs.jobs, jobs.bookings, jobs.lines, jobs.pictures");
	assert_int_equal(1, ended_with("jobs", "UPDATE", "OLD.state = 'queued'", "reason = 'no words'")); /* the next one's claim */
	cluster_sql(&cluster, "TRUNCATE jobs.jobs, jobs.bookings, jobs.lines, jobs.pictures");
	assert_int_equal(-JOB_REFUSED, ended_with("jobs", "UPDATE", "NEW.state = 'done'", ""));
}
TEST(the_end_is_written_with_less)

/* The claim of a job that is intended is a look; what each has seen is kept. */
static void looks_are_kept(void *arg)
{
	struct job *j;

	(void)arg;
	queued(7, "desk");
	j = claimed();
	j->answer_ms = 30000;
	j->look_ms = 60000;
	assert_int_equal(JOB_OK, job_intend(j));
	assert_in_range(j->look_end - loop_now(), 80000, 90000);
	assert_int_equal(90, sql_number("SELECT round(extract(epoch FROM look_until - intent_at))::int FROM public.bookings"));
	assert_int_equal(JOB_OK, job_look_after(j, 0));
	words_set(j->seen.answer, sizeof(j->seen.answer), "It answered 502");
	assert_int_equal(JOB_OK, job_requeue(j, 0, true, "the browser failed"));
	job_free(j);
	j = claimed();
	assert_true(j->intended);
	assert_int_equal(1, j->looks);
	assert_int_equal(1, j->failures);
	assert_int_equal(JOB_OK, job_start(j, "Opening a browser"));
	assert_int_equal(0, sql_number("SELECT starts FROM public.bookings"));
	assert_in_range(j->look_end - loop_now(), 50000, 60000);
	assert_string_equal("It answered 502", j->seen.answer);
	words_set(j->seen.list_trouble, sizeof(j->seen.list_trouble), "An error page");
	assert_int_equal(JOB_OK, job_look(j, 0, "unread"));
	assert_int_equal(1, sql_number("SELECT (list_trouble = 'An error page' AND list_read_at IS NULL)::int FROM public.bookings"));
	job_free(j);
	j = claimed();
	assert_int_equal(2, j->looks);
	assert_int_equal(0, j->failures); /* the site has answered */
	j->seen.lacking = true;
	assert_int_equal(JOB_OK, job_finish(j, "unconfirmed", "not there", NULL));
	assert_int_equal(1, sql_number("SELECT (list_trouble IS NULL AND list_read_at IS NOT NULL AND answer = 'It answered 502')::int "
				       "FROM public.bookings"));
	job_free(j);
}
TEST(looks_are_kept)

/* Only its person's word makes it one that may be sent again; and that word is good for one act. */
static void again_is_one_act(void *arg)
{
	int64_t id = queued(7, "desk");
	struct job *j = claimed();

	(void)arg;
	assert_int_equal(JOB_OK, job_intend(j));
	assert_int_equal(JOB_OK, job_finish(j, "unconfirmed", "not there", NULL));
	job_free(j);
	sql_number("UPDATE jobs.bookings SET again = true WHERE id = %lld RETURNING id", (long long)id);
	sql_number("UPDATE jobs.jobs SET state = 'queued', outcome = NULL WHERE id = %lld RETURNING id", (long long)id);
	j = claimed();
	assert_false(j->intended);
	assert_true(j->again);
	assert_int_equal(0, j->looks);
	assert_int_equal(JOB_OK, job_intend(j));
	expire(id);
	job_free(j);
	j = claimed();
	assert_true(j->intended);
	assert_false(j->again);
	job_free(j);
}
TEST(again_is_one_act)

static void interrupt(void *arg)
{
	struct job *j = arg;

	assert_int_equal(JOB_INTERRUPTED, job_line(j, "info", "after it was cancelled"));
}

static void interrupted_is_neither(void *arg)
{
	struct fiber *f = NULL;
	struct job *j;

	(void)arg;
	queued(7, "desk");
	j = claimed();
	fiber_start("interrupted", interrupt, j, &f);
	fiber_cancel(f);
	fiber_join(&f);
	assert_int_equal(JOB_OK, job_line(j, "info", "still ours"));
	job_free(j);
}
TEST(interrupted_is_neither)

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
		int r = claim_one(&j);

		if (r == -ENOENT || r == -EAGAIN) {
			assert_int_equal(0, fiber_yield());
			continue;
		}
		assert_int_equal(0, r);
		for (; j; j = next) {
			assert_int_equal(JOB_OK, job_line(j, "info", "done"));
			bool more = j->id % 7;

			next = NULL;
			assert_int_equal(JOB_OK, job_finish(j, "booked", NULL, more ? &next : NULL));
			finished++;
			job_free(j);
		}
	}
}

static void every_job_once(void *arg)
{
	struct fiber *f[CLAIMERS];

	(void)arg;
	sql_number("SELECT public.book(1 + i %% %d, 'desk', i::text) FROM generate_series(1, %d) i", USERS, JOBS);
	finished = 0;
	for (int i = 0; i < CLAIMERS; i++)
		fiber_start("worker", work_off, NULL, &f[i]);
	for (int i = 0; i < CLAIMERS; i++)
		fiber_join(&f[i]);
	assert_int_equal(JOBS, sql_number("SELECT count(*) FROM public.bookings WHERE state = 'done' AND attempt = 1"));
	assert_int_equal(2 * JOBS, sql_number("SELECT count(*) FROM jobs.lines"));
}
TEST(every_job_once)

/* Tasks: jobs of kinds that the queue runs by itself */

#define TASKS 1000
static struct queue queue;
static int ran[TASKS + 1], most_room;
static bool tasks_sleep, tasks_fail;

static int64_t task_room(void *)
{
	return most_room - tasks_running(&queue, 0);
}

static void run_one(void *, struct task *t)
{
	ran[t->claim.id]++;
	if (tasks_sleep && fiber_sleep_until(NEVER) < 0)
		return;
	t->end = tasks_fail ? (struct task_end){ .delay_ms = 60000, .counted = true } : (struct task_end){ .outcome = "done" };
}

static const struct kind light_kinds[] = { { .name = "light", .room = task_room, .run = run_one }, { 0 } };

static void start_queue(int room, int64_t lease_ms)
{
	memset(ran, 0, sizeof(ran));
	most_room = room;
	tasks_sleep = tasks_fail = false;
	queue = (struct queue){ .db = db, .kinds = light_kinds, .lease_ms = lease_ms, .poll_ms = 200 };
	queue_start(&queue);
}

static void add_light(int n)
{
	sql_number("WITH j AS (INSERT INTO jobs.jobs (user_id, kind, queue) SELECT 1 + i %% 7, 'light', 'x' "
		   "FROM generate_series(1, %d) i RETURNING id) SELECT max(id) FROM j", n);
	queue_wake(&queue);
}

static void await_jobs(const char *state, int n)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM jobs.jobs WHERE state = '%s'", state);
	while (sql_number("%s", sql) < n)
		assert_int_equal(0, fiber_sleep_until(deadline_in(20)));
}

static void tasks_run_once(void *arg)
{
	(void)arg;
	start_queue(100, LEASE_MS);
	add_light(TASKS);
	await_jobs("done", TASKS);
	queue_stop(&queue);
	for (int i = 1; i <= TASKS; i++)
		assert_int_equal(1, ran[i]);
	assert_int_equal(TASKS, sql_number("SELECT count(*) FROM jobs.jobs WHERE outcome = 'done' AND attempt = 1 AND lease_until IS NULL"));
}
TEST(tasks_run_once)

static void tasks_are_given_back(void *arg)
{
	(void)arg;
	start_queue(3, LEASE_MS);
	tasks_sleep = true;
	add_light(5);
	await_jobs("running", 3);
	queue_stop(&queue);
	assert_int_equal(5, sql_number("SELECT count(*) FROM jobs.jobs WHERE state = 'queued'"));
	assert_int_equal(0, sql_number("SELECT sum(failures) FROM jobs.jobs"));
}
TEST(tasks_are_given_back)

static void tasks_are_tried_again(void *arg)
{
	(void)arg;
	start_queue(3, LEASE_MS);
	tasks_fail = true;
	add_light(3);
	await_jobs("scheduled", 3);
	assert_int_equal(3, sql_number("SELECT count(*) FROM jobs.jobs WHERE failures = 1 AND due_at > now() + interval '50 s'"));
	tasks_fail = false;
	sql_number("UPDATE jobs.jobs SET due_at = now() RETURNING id");
	await_jobs("done", 3);
	queue_stop(&queue);
	assert_int_equal(2, ran[1]);
}
TEST(tasks_are_tried_again)

/* Another has it: its fiber ends, and nothing is written of it. */
static void lost_tasks_are_cancelled(void *arg)
{
	(void)arg;
	start_queue(3, 1000);
	tasks_sleep = true;
	add_light(2);
	await_jobs("running", 2);
	sql_number("UPDATE jobs.jobs SET attempt = 9, lease_until = now() + interval '1 min' WHERE id = 1 RETURNING id");
	while (tasks_running(&queue, 0) > 1)
		assert_int_equal(0, fiber_sleep_until(deadline_in(20)));
	assert_in_range(sql_number("SELECT (extract(epoch FROM lease_until - now()) * 1000)::bigint FROM jobs.jobs WHERE id = 2"), 100, 1000);
	assert_int_equal(1, sql_number("SELECT count(*) FROM jobs.jobs WHERE id = 1 AND attempt = 9 AND state = 'running'"));
	queue_stop(&queue);
}
TEST(lost_tasks_are_cancelled)

/* One that runs, one that waits for its lease's end: neither runs on, or again. */
static void unwanted_tasks_end(void *arg)
{
	(void)arg;
	start_queue(1, 2000);
	tasks_sleep = true;
	add_light(1);
	await_jobs("running", 1);
	sql_number("UPDATE jobs.jobs SET cancel = true WHERE id = 1 RETURNING id"); /* heard with the next beat */
	await_jobs("cancelled", 1);
	assert_int_equal(0, sql_number("SELECT count(*) FROM jobs.jobs WHERE cancel OR finished_at IS NULL"));
	sql_number("INSERT INTO jobs.jobs (user_id, kind, queue, state, attempt, lease_until, cancel) "
		   "VALUES (1, 'light', 'x', 'running', 3, now() - interval '1 s', true) RETURNING id");
	queue_wake(&queue);
	await_jobs("cancelled", 2);
	queue_stop(&queue);
	assert_int_equal(0, ran[2]);
}
TEST(unwanted_tasks_end)

static void unwanted_tasks_end_at_once(void *arg)
{
	int64_t begun;

	(void)arg;
	start_queue(2, 60000);
	tasks_sleep = true;
	add_light(2);
	await_jobs("running", 2);
	begun = loop_now();
	sql_number("UPDATE jobs.jobs SET cancel = true WHERE id = 2 RETURNING id");
	tasks_hear(&queue, 2);
	await_jobs("cancelled", 1);
	assert_true(loop_now() - begun < 10000); /* no beat comes before 15 s */
	assert_int_equal(1, sql_number("SELECT count(*) FROM jobs.jobs WHERE id = 1 AND state = 'running'"));
	queue_stop(&queue);
}
TEST(unwanted_tasks_end_at_once)

/* What is withdrawn is withdrawn before it may have been sent, or not at all. */
static void unwanted_bookings_are_not_sent(void *arg)
{
	struct job *j;
	int64_t id = queued(7, "desk");

	(void)arg;
	j = claimed();
	sql_number("UPDATE jobs.jobs SET cancel = true WHERE id = %lld RETURNING id", (long long)id);
	assert_int_equal(JOB_UNWANTED, job_beat(j));
	assert_int_equal(JOB_UNWANTED, job_intend(j));
	assert_false(j->intended);
	assert_int_equal(0, sql_number("SELECT count(*) FROM jobs.bookings WHERE intent_at IS NOT NULL"));
	assert_int_equal(JOB_OK, job_requeue(j, 0, false, "It was interrupted.")); /* whoever has it had not heard */
	assert_int_equal(1, sql_number("SELECT count(*) FROM jobs.jobs WHERE state = 'cancelled' AND NOT cancel AND finished_at IS NOT NULL"));
	job_free(j);
}
TEST(unwanted_bookings_are_not_sent)

/* Workers */

static const struct kind kept_kinds[] = { { .name = "light", .keep_days = 7 }, { .name = "booking" }, { 0 } };

static void roster_begin(struct roster *r, int64_t keep_days)
{
	*r = (struct roster){ .db = db, .kinds = kept_kinds, .lease_ms = 1000, .keep_days = keep_days };
	roster_start(r);
}

static void await_number(int64_t n, const char *sql)
{
	while (sql_number("%s", sql) != n)
		assert_int_equal(0, fiber_sleep_until(deadline_in(20)));
}

#define LEADER "SELECT coalesce((SELECT worker FROM jobs.leader WHERE until > now()), 0)"

static void one_worker_leads(void *arg)
{
	struct roster a, b;

	(void)arg;
	roster_begin(&a, 0);
	await_number(a.id, LEADER);
	roster_begin(&b, 0);
	await_number(2, "SELECT count(*) FROM jobs.workers");
	assert_int_equal(getpid(), sql_number("SELECT min(pid) FROM jobs.workers"));
	roster_stop(&a);
	await_number(b.id, LEADER);
	assert_int_equal(b.id, sql_number("SELECT min(id) FROM jobs.workers"));
	sql_number("UPDATE jobs.leader SET worker = 1, until = now() + interval '1500 ms' RETURNING 1"); /* one that then goes without a word */
	assert_int_equal(1, sql_number(LEADER));
	await_number(b.id, LEADER);
	sql_number("INSERT INTO jobs.workers (id, host, pid, version, beat_at) VALUES (1, 'gone', 1, '0', now() - interval '31 s') RETURNING id");
	await_number(1, "SELECT count(*) FROM jobs.workers");
	roster_stop(&b);
	assert_int_equal(0, sql_number("SELECT count(*) FROM jobs.workers"));
}
TEST(one_worker_leads)

#define ENDED_LONG_AGO                                                                             \
	"WITH j AS (INSERT INTO jobs.jobs (user_id, kind, queue, state, outcome, finished_at) "    \
	"SELECT 1, k, 'x', 'done', 'failed', now() - interval '8 days' FROM unnest(ARRAY['light', 'booking', 'unknown']) k, " \
	"generate_series(1, 600) RETURNING id) SELECT count(*) FROM j"

/* Of what has not ended nothing goes, nor of a kind that nobody here knows. */
static void old_jobs_are_swept(void *arg)
{
	int64_t open = queued(7, "desk");
	struct roster r;

	(void)arg;
	sql_number("UPDATE jobs.jobs SET created_at = now() - interval '3 years' WHERE id = %lld RETURNING id", (long long)open);
	sql_number(ENDED_LONG_AGO);
	roster_begin(&r, 0);
	await_number(0, "SELECT count(*) FROM jobs.jobs WHERE kind = 'light'");
	roster_stop(&r);
	assert_int_equal(1201, sql_number("SELECT count(*) FROM jobs.jobs"));
	roster_begin(&r, 8);
	await_number(601, "SELECT count(*) FROM jobs.jobs");
	roster_stop(&r);
	assert_int_equal(1, sql_number("SELECT count(*) FROM jobs.jobs WHERE id = %lld", (long long)open));
}
TEST(old_jobs_are_swept)

static void claims_bear_their_worker(void *arg)
{
	int64_t id = queued(7, "desk");

	(void)arg;
	queue = (struct queue){ .db = db, .kinds = light_kinds, .lease_ms = LEASE_MS, .poll_ms = 200, .self = 4711 };
	most_room = 1;
	tasks_sleep = true;
	queue_start(&queue);
	add_light(1);
	await_jobs("running", 1);
	assert_int_equal(4711, sql_number("SELECT max(worker) FROM jobs.jobs WHERE state = 'running'"));
	queue_stop(&queue);
	assert_int_equal(1, sql_number("SELECT count(*) FROM jobs.jobs WHERE id = %lld AND worker IS NULL", (long long)id));
}
TEST(claims_bear_their_worker)

static void restart(void *arg);

/* Whatever is cut: no task is lost, and none runs twice, for what was claimed by a COMMIT that was not answered has not run. */
static void tasks_outlive_the_database(void *arg)
{
	struct fiber *f = NULL;

	(void)arg;
	start_queue(10, 1500);
	add_light(TASKS);
	await_jobs("done", 50);
	fiber_start("restart", restart, NULL, &f);
	fiber_join(&f);
	await_jobs("done", TASKS);
	queue_stop(&queue);
	for (int i = 1; i <= TASKS; i++)
		assert_int_equal(1, ran[i]);
}
TEST(tasks_outlive_the_database)

/* Waiting for a sign-in */

static void resumes_on_another_version(void *arg)
{
	int64_t count = 9;
	struct job *j;

	(void)arg;
	queued(7, "desk");
	queued(8, "desk");
	j = claimed();
	assert_int_equal(JOB_OK, job_park(j, 4, "the site asks for you", NULL));
	job_free(j);
	assert_int_equal(0, job_resume_all(db, 7, "desk", 4, SOON, &count));
	assert_int_equal(0, count); /* that one has ended */
	assert_int_equal(0, job_resume_all(db, 8, "desk", 5, SOON, &count));
	assert_int_equal(0, count);
	assert_int_equal(0, job_resume_all(db, 7, "gym", 5, SOON, &count));
	assert_int_equal(0, count);
	assert_int_equal(0, job_resume_all(db, 7, "desk", 5, SOON, &count));
	assert_int_equal(1, count);
	assert_int_equal(2, sql_number("SELECT last_line FROM public.bookings WHERE user_id = 7"));
	assert_int_equal(1, sql_number("SELECT count(*) FROM public.bookings WHERE user_id = 7 AND state = 'queued'"));
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
		assert_int_equal(JOB_OK, job_line(j, "info", "while it restarts"));
	fiber_join(&f);
	assert_int_equal(JOB_OK, job_intend(j));
	assert_int_equal(JOB_OK, job_finish(j, "booked", NULL, NULL));
	assert_int_equal(0, sql_number("SELECT last_line - (SELECT count(*) FROM jobs.lines) FROM public.bookings"));
	assert_int_equal(1, sql_number("SELECT count(*) FROM public.bookings WHERE outcome = 'booked'"));
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
	assert_int_equal(JOB_LOST, job_intend(j));
	assert_in_range(loop_now() - began, 0, 5000);
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
		CASE(persons_take_turns),
		CASE(sites_take_turns),
		CASE(fewest_under_way_first),
		CASE(a_run_is_a_turn),
		CASE(what_is_held_is_passed_over),
		CASE(queues_have_limits),
		CASE(nobody_is_passed_for_ever),
		CASE(queues_have_turns_of_their_own),
		CASE(time_comes),
		CASE(nobody_is_left_behind),
		CASE(next_due),
		CASE(lost_lease_writes_nothing),
		CASE(intent_survives),
		CASE(lost_leases_count),
		CASE(beat_prolongs),
		CASE(users_are_apart),
		CASE(numbers_without_gaps),
		CASE(long_lines_are_cut),
		CASE(a_refused_line_is_no_lost_lease),
		CASE(any_text_is_taken),
		CASE(the_end_is_written_with_less),
		CASE(looks_are_kept),
		CASE(again_is_one_act),
		CASE(interrupted_is_neither),
		CASE(every_job_once),
		CASE(tasks_run_once),
		CASE(tasks_are_given_back),
		CASE(tasks_are_tried_again),
		CASE(lost_tasks_are_cancelled),
		CASE(unwanted_tasks_end),
		CASE(unwanted_tasks_end_at_once),
		CASE(unwanted_bookings_are_not_sent),
		CASE(one_worker_leads),
		CASE(old_jobs_are_swept),
		CASE(claims_bear_their_worker),
		CASE(tasks_outlive_the_database),
		CASE(resumes_on_another_version),
		CASE(writes_wait_for_the_database),
		CASE(writes_end_with_the_lease),
	};

	return cmocka_run_group_tests(tests, set_up, cluster_tear_down);
}
