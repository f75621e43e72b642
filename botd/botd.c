#include "botd/botd.h"

#include <stdlib.h>
#include <string.h>

#include "botd/plain.h"
#include "botd/resume.h"
#include "botd/site.h"
#include "botd/state.h"
#include "botd/task.h"
#include "botd/worker.h"
#include "common/daemon.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/span.h"
#include "common/words.h"

#define OUTAGE_OLD_MS 3600000

/* The kinds of work that there are; a job of another kind is left alone. */
static const struct kind botd_kinds[] = {
	{ .name = KIND_BOOKING, .room = workers_room, .begin = worker_begin },
	{ 0 },
};

static void database_changed(bool up, void *arg)
{
	((struct botd *)arg)->database_away = !up;
}

static void tell_work(const char *, void *arg)
{
	struct botd *b = arg;

	queue_wake(&b->queue);
}

static void tell_plan(const char *, void *arg)
{
	plan_clock_wake(&((struct botd *)arg)->clock);
}

/* The numbers of jobs, a space between two. NULL or "": something may have been missed, so everybody looks. */
static void tell_news(const char *payload, void *arg)
{
	struct span rest = span_of(payload), number;
	struct botd *b = arg;
	char name[24];

	if (!rest.n)
		hub_miss(b->news);
	while (rest.n && span_next(&rest, " ", &number)) {
		exact_must(name, sizeof(name), "%lld", strtoll(number.p, NULL, 10));
		hub_tell(b->news, name, NULL);
	}
}

/* The numbers of jobs that are not wanted any more. Of what is missed a beat tells. */
static void tell_unwanted(const char *payload, void *arg)
{
	struct span rest = span_of(payload), number;
	struct botd *b = arg;

	while (rest.n && span_next(&rest, " ", &number)) {
		int64_t id = strtoll(number.p, NULL, 10);

		workers_hear(b, id);
		tasks_hear(&b->queue, id);
	}
}

static int botd_open_database(struct botd *b)
{
	int r;

	b->database = (struct db_service){ .program = "botd",
		.conninfo = b->settings->database,
		.connections = b->settings->database_connections,
		.without = "no booking can be taken or worked off",
		.changed = database_changed,
		.arg = b };
	r = db_open(&b->database, &b->db);
	if (r < 0)
		return r;
	r = db_listen(b->db, "jobs_queue", tell_work, b);
	if (r == 0)
		r = db_listen(b->db, "jobs_news", tell_news, b);
	if (r == 0)
		r = db_listen(b->db, "jobs_cancel", tell_unwanted, b);
	if (r == 0)
		r = db_listen(b->db, "jobs_plans", tell_plan, b);
	if (r < 0)
		log_error("cannot start: %s", strerror(-r));
	return r;
}

int botd_open(void *daemon, struct server *)
{
	struct botd *b = daemon;

	b->news = hub_new(0, 1);
	b->closed = hub_new(0, 1);
	b->outages.old_ms = OUTAGE_OLD_MS;
	botd_load_recipes(b);
	b->vault = peer_to("botd", "sessiond", "bot");
	b->screen = peer_to("botd", "streamd", "bot");
	return botd_open_database(b);
}

int botd_start(void *daemon)
{
	struct botd *b = daemon;

	b->roster = (struct roster){ .db = b->db, .kinds = botd_kinds, .lease_ms = b->settings->lease_ms,
		.keep_days = b->settings->keep_days };
	roster_start(&b->roster);
	b->queue = (struct queue){ .db = b->db, .kinds = botd_kinds, .owner = b, .lease_ms = b->settings->lease_ms,
		.poll_ms = b->settings->poll_ms, .self = b->roster.id };
	queue_start(&b->queue);
	fiber_start("resume", resume_run, b, &b->resume);
	fiber_start("plain pictures", plain_run, b, &b->plain);
	fiber_start("plans", plan_clock_run, b, &b->clock.fiber);
	return 0;
}

/* The workers first, then what is still being closed, for they save sessions; all at once, for each may take seconds. */
void botd_stop(void *daemon)
{
	struct botd *b = daemon;

	b->stopping = true;
	hub_end(b->news);
	hub_end(b->closed);
	queue_stop(&b->queue);
	workers_stop(b);
	closings_wait(&b->closings);
	fiber_cancel(b->clock.fiber);
	fiber_join(&b->clock.fiber);
	fiber_cancel(b->resume);
	fiber_join(&b->resume);
	fiber_cancel(b->plain);
	fiber_join(&b->plain);
	roster_stop(&b->roster);
}

void botd_close(void *daemon)
{
	struct botd *b = daemon;

	peer_free(b->vault);
	peer_free(b->screen);
	db_free(b->db);
	recipe_set_free(b->recipes);
	resolver_end(&b->resolver);
	hub_free(b->news);
	hub_free(b->closed);
	held_free(&b->doubted);
	held_free(&b->put_off);
	held_free(&b->cut_off);
	outages_free(&b->outages);
}
