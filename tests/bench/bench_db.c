/*
 * What db/ costs: a one-statement transaction in a user's name, beside libpq doing the same in the
 * ways there are. Prints one line per way: median, 95th percentile and count. Starts a PostgreSQL
 * of its own.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include "db/db.h"
#include "tests/integration/test_db_cluster.h"

#define ROUNDS 5000

static struct db *db;
static double samples[ROUNDS];

#define SELECT_ONE "SELECT body FROM notes WHERE id = $1"
#define UPDATE_ONE "UPDATE notes SET n = n + 1 WHERE id = $1"

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void report(const char *what)
{
	qsort(samples, ROUNDS, sizeof(samples[0]), by_value);
	printf("%-58s median %6.1f us   p95 %6.1f us   n=%d\n", what, samples[ROUNDS / 2],
		samples[ROUNDS * 95 / 100], ROUNDS);
}

static void must(PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		exit(EXIT_FAILURE);
	PQclear(res);
}

static void blocking(PGconn *pg, const char *sql, bool prepared, bool whole)
{
	const char *user = "7", *id = "7";

	if (whole) {
		must(PQexec(pg, "BEGIN"));
		must(PQexecParams(pg, "SELECT set_config('stead.user', $1, true)", 1, NULL, &user,
			NULL, NULL, 0));
	}
	must(prepared ? PQexecPrepared(pg, "s", 1, &id, NULL, NULL, 1)
		      : PQexecParams(pg, sql, 1, (Oid[]){ 20 }, &id, NULL, NULL, 1));
	if (whole)
		must(PQexec(pg, "COMMIT"));
}

static void bench_blocking(const char *what, const char *sql, bool prepared, bool whole)
{
	PGconn *pg = cluster_connect(&cluster);

	must(PQprepare(pg, "s", sql, 1, (Oid[]){ 20 }));
	for (int i = -200; i < ROUNDS; i++) {
		double start = now_us();

		blocking(pg, sql, prepared, whole);
		if (i >= 0)
			samples[i] = now_us() - start;
	}
	PQfinish(pg);
	report(what);
}

struct job {
	const char *what, *sql;
	bool read_only;
};

static void fiber_main(void *arg)
{
	struct job *job = arg;

	for (int i = -200; i < ROUNDS; i++) {
		double start = now_us();
		struct db_result *res = NULL;

		if (db_run(db, DB_USER(7), deadline_in(5000), job->read_only, &res, job->sql,
			    DB_ARGS(DB_INT(7)), 1))
			exit(EXIT_FAILURE);
		db_result_free(res);
		if (i >= 0)
			samples[i] = now_us() - start;
	}
	report(job->what);
}

static int left;

static void crowd_main(void *arg)
{
	(void)arg;

	while (left-- > 0)
		if (db_read(db, DB_USER(7), deadline_in(5000), NULL, SELECT_ONE, DB_INT(7)))
			exit(EXIT_FAILURE);
}

static void crowd(void *arg)
{
	struct fiber *fibers[50];
	double start = now_us();
	(void)arg;

	left = 20000;
	for (int i = 0; i < 50; i++)
		fiber_start("crowd", crowd_main, NULL, &fibers[i]);
	for (int i = 0; i < 50; i++)
		fiber_join(&fibers[i]);
	printf("%-58s %.0f transactions/s\n", "db_read, 50 fibers on 8 connections",
		20000 / (now_us() - start) * 1e6);
}

int main(void)
{
	struct db_config config = {
		.size = 8, .application_name = "bench"
	};

	cluster_new(&cluster);
	loop_init();
	cluster_sql(&cluster,
		"CREATE TABLE notes (id bigint PRIMARY KEY, n bigint, body text);"
		"INSERT INTO notes SELECT i, 0, repeat('x', 100) FROM generate_series(1, 1000) i");
	config.conninfo = cluster.conninfo;
	if (db_new(&config, &db) < 0)
		return EXIT_FAILURE;
	for (int i = 0; i < 2; i++) {
		bench_blocking("libpq blocking, SELECT alone, prepared", SELECT_ONE, true, false);
		bench_blocking(
			"libpq blocking, BEGIN/set_config/SELECT/COMMIT", SELECT_ONE, false, true);
		in_fiber(fiber_main,
			&(struct job){ "db_read, the same and the time limit, in one round trip",
				SELECT_ONE, true });
		bench_blocking("libpq blocking, UPDATE alone, prepared", UPDATE_ONE, true, false);
		bench_blocking(
			"libpq blocking, BEGIN/set_config/UPDATE/COMMIT", UPDATE_ONE, false, true);
		in_fiber(fiber_main,
			&(struct job){ "db_query, the same and the time limit, in one round trip",
				UPDATE_ONE, false });
	}
	in_fiber(crowd, NULL);
	db_freep(&db);
	cluster_free(&cluster);
	return EXIT_SUCCESS;
}
