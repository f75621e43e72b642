/*
 * What the queue costs: empty jobs, of so many persons, from the claim to the end that is committed.
 *
 *	bench_queue CONNINFO work JOBS ROOM     jobs/s: JOBS of them wait already, ROOM at once
 *	bench_queue CONNINFO pickup JOBS        from asking for a job until it runs, ms, one after another, with nothing else to do
 *
 * As role stead_botd at a database with Stead's tables. Prints one object of JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "botd/task.h"
#include "common/fiber.h"
#include "common/loop.h"

static struct queue queue;
static struct db *db;
static int64_t room;
static long wanted, done;
static double begun, *samples;
static struct latch moved;

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int64_t empty_room(void *)
{
	return room - tasks_running(&queue, 0);
}

static void run_empty(void *, struct task *t)
{
	if (samples)
		samples[done] = now_ms() - begun;
	t->end.outcome = "done";
	done++;
	latch_wake(&moved, 0);
}

static const struct kind kinds[] = { { .name = "empty", .room = empty_room, .run = run_empty }, { 0 } };

static void tell_work(const char *, void *)
{
	queue_wake(&queue);
}

static void start(void)
{
	queue = (struct queue){ .db = db, .kinds = kinds, .lease_ms = 10000, .poll_ms = 2000 };
	queue_start(&queue);
}

static void work(void *)
{
	double from = now_ms();

	start();
	while (done < wanted)
		latch_wait(&moved, NEVER);
	queue_stop(&queue); /* the last ends are written */
	printf("{\"jobs\": %ld, \"per_s\": %.0f}\n", wanted, (double)wanted / (now_ms() - from) * 1e3);
	loop_stop();
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void pickup(void *)
{
	samples = calloc((size_t)wanted, sizeof(*samples));
	start();
	fiber_sleep_until(deadline_in(300));
	for (long i = 0; i < wanted; i++) {
		begun = now_ms();
		if (db_query(db, DB_USER(1), deadline_in(5000), NULL, "INSERT INTO jobs.jobs (user_id, kind, queue) VALUES (1, 'empty', 'bench')") < 0)
			exit(1);
		while (done <= i)
			latch_wait(&moved, NEVER);
		fiber_sleep_until(deadline_in(10));
	}
	queue_stop(&queue);
	qsort(samples, (size_t)wanted, sizeof(*samples), by_value);
	printf("{\"n\": %ld, \"p50\": %.2f, \"p99\": %.2f}\n", wanted, samples[wanted / 2], samples[wanted * 99 / 100]);
	loop_stop();
}

int main(int argc, char *argv[])
{
	struct db_config config = { .size = 4, .application_name = "bench" };

	if (argc < 4 || loop_init() < 0)
		return 2;
	wanted = strtol(argv[3], NULL, 10);
	room = argc > 4 ? strtol(argv[4], NULL, 10) : 10;
	config.conninfo = argv[1];
	if (db_new(&config, &db) < 0 || db_listen(db, "jobs_queue", tell_work, NULL) < 0)
		return 1;
	fiber_start("bench", strcmp(argv[2], "work") == 0 ? work : pickup, NULL, NULL);
	loop_run();
	db_free(db);
	return 0;
}
