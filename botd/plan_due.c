#include "botd/plan_due.h"

#include <stdio.h>
#include <string.h>

#include "botd/order.h"
#include "botd/plan.h"
#include "botd/relative.h"
#include "botd/state.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"

#define DB_MS       5000
#define MOST_DUE    "3000" /* instants at once: a month of quarters of an hour; what is more comes next */
#define MOST_KEPT   "500"  /* entries of its history */
#define MOST_REASON 1024

/* A plan while it is seen to. */
struct due {
	struct botd *b;
	struct call *call; /* takes refusals; nobody made it */
	struct db_tx *tx;
	int64_t id, user;
	const char *site, *action, *zone;
	json_t *inputs;
	/* The instant that is run, if any; and the last one that this deals with. */
	int64_t at_ms, last_ms;
	const char *day, *when, *down; /* down: why it is late, NULL if it is not */
	const char *became, *reason;   /* became: NULL: none is run */
	int64_t job;
};

/* The plan, locked. 1 when it is not there, has nothing due, or is locked by somebody else. */
static int due_lock(struct due *d)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	struct arena *arena = d->call->arena;
	int r = tx_query(d->tx, &res, "SELECT site, action, time_zone, inputs FROM jobs.plans WHERE id = $1 AND next_at <= now() "
		"FOR UPDATE SKIP LOCKED", DB_INT(d->id));

	if (r < 0)
		return r;
	if (!db_next(res))
		return 1;
	d->site = arena_strdup(arena, row_text(res, "site"));
	d->action = arena_strdup(arena, row_text(res, "action"));
	d->zone = arena_strdup(arena, row_text(res, "time_zone"));
	d->inputs = json_loads(row_words(res, "inputs"), 0, NULL) ?: json_object();
	call_keep(d->call, d->inputs);
	return 0;
}

/* Why nobody saw to an instant of p in time, c being the clock that botd keeps. */
#define DOWN(at_)                                                                                  \
	"CASE WHEN c.down_from <= " at_ " AND " at_ " <= c.down_until THEN 'Stead, or its database, was down from ' || " \
	AT_WORDS("c.down_from", "p.time_zone") " || ' until ' || " AT_WORDS("c.down_until", "p.time_zone") \
	" ELSE 'Nobody saw to it in time' END"

#define TOLD                                                                                       \
	"CASE WHEN skipped THEN 'You had it skip this day.' WHEN paused THEN 'The plan was paused.' ELSE " DOWN("d.at") \
	" || CASE p.missed WHEN 'run_late' THEN '; a later run took its place.' "                  \
	"WHEN 'skip' THEN '; this plan skips what was missed.' "                              \
	"ELSE '; it was not run, for this plan only tells what was missed.' END END"

/*
 * Writes what became of all but the one that is run: the newest that is neither left out nor paused, if it is in time ($2: late
 * from so many ms on), or the plan has missed ones run late.
 */
static int due_tell(struct due *d)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = tx_query(d->tx, &res,
		"WITH p AS (SELECT * FROM jobs.plans WHERE id = $1), "
		"due AS MATERIALIZED (SELECT i.at, i.day, i.day = ANY (p.skips) AS skipped, i.at < p.paused_until AS paused, "
		"i.at < now() - $2 * interval '1 ms' AS late FROM p, jobs.plan_instants(p.days, p.times, p.first_day, "
		"least(p.last_day, (now() AT TIME ZONE p.time_zone)::date + 1), p.time_zone, p.next_at - interval '1 us', " MOST_DUE ") i "
		"WHERE i.at <= now()), "
		"run AS (SELECT n.* FROM (SELECT * FROM due WHERE NOT skipped AND NOT paused ORDER BY at DESC LIMIT 1) n, p "
		"WHERE NOT n.late OR p.missed = 'run_late'), "
		"told AS (INSERT INTO jobs.plan_runs (plan_id, at, user_id, day, became, reason) SELECT p.id, d.at, p.user_id, d.day, "
		"CASE WHEN skipped THEN 'skipped' WHEN paused THEN 'paused' ELSE 'missed' END, " TOLD " FROM due d CROSS JOIN p "
		"CROSS JOIN jobs.plan_clock c WHERE d.at NOT IN (SELECT at FROM run) ORDER BY d.at DESC LIMIT " MOST_KEPT " ON CONFLICT DO NOTHING) "
		"SELECT coalesce((SELECT max(at) FROM due), p.next_at) AS last, run.at, run.day::text AS day, run.late, " DOWN("run.at") " AS down, "
		AT_WORDS("run.at", "p.time_zone") " AS words FROM p CROSS JOIN jobs.plan_clock c LEFT JOIN run ON true",
		DB_INT(d->id), DB_INT(d->b->settings->plan_late_ms));

	if (r < 0 || !db_next(res))
		return r;
	d->last_ms = row_time(res, "last");
	if (row_null(res, "at"))
		return 0;
	d->at_ms = row_time(res, "at");
	d->day = arena_strdup(d->call->arena, row_text(res, "day"));
	d->when = arena_strdup(d->call->arena, row_text(res, "words"));
	d->down = row_bool(res, "late") ? arena_strdup(d->call->arena, row_text(res, "down")) : NULL;
	d->became = d->down ? "late" : "asked";
	d->reason = d->down ? words_new(d->call->arena, MOST_REASON, "%s; so it was run late.", d->down) : NULL;
	return 0;
}

/* It comes to nothing, and why. */
static int due_is(struct due *d, const char *became, const char *why)
{
	d->became = became;
	d->reason = words_new(d->call->arena, MOST_REASON, "%s%s%s", d->down ?: "", d->down ? ". " : "", why);
	return 0;
}

/*
 * A second booking of the same would be of no use while the first still waits; another day's is made, and waits behind it in its
 * lane.
 */
static int find_overlap(struct due *d, const struct order *o, int64_t *ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = tx_query(d->tx, &res,
		"SELECT j.id FROM jobs.plan_runs r JOIN jobs.jobs j ON j.id = r.job_id JOIN jobs.bookings b ON b.id = j.id "
		"WHERE r.plan_id = $1 AND j.state NOT IN ('done', 'cancelled') AND b.inputs::jsonb = $2::jsonb ORDER BY j.id LIMIT 1",
		DB_INT(d->id), DB_TEXT(o->text));

	*ret = r == 0 && db_next(res) ? row_int(res, "id") : 0;
	return r;
}

static int insert_booking(struct due *d, const struct order *o)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	struct arena *arena = d->call->arena;
	int r = tx_query(d->tx, &res,
		"WITH " ORDER_INSERT("") "SELECT coalesce((SELECT job_id FROM m), "
		"(SELECT id FROM jobs.jobs WHERE user_id = $1 AND kind = 'booking' AND key = $2)) AS id",
		DB_INT(d->user), DB_TEXT(arena_printf(arena, "plan %lld %lld", (long long)d->id, (long long)d->at_ms)), DB_TEXT(d->site),
		DB_TEXT(d->action), DB_TEXT(o->title), DB_TEXT(o->text),
		DB_TEXT(words_new(arena, MOST_REASON, "Asked for by your plan %lld, the run of %s: %s", (long long)d->id, d->when, o->title)),
		DB_INT(d->b->settings->most_waiting));

	if (r < 0)
		return r;
	d->job = db_next(res) ? row_int(res, "id") : 0;
	return d->job ? 0 : due_is(d, "refused", "You have as many bookings that wait as there may be, so it was not asked for.");
}

static int due_ask(struct due *d, struct order *o)
{
	int64_t before = 0;
	char today[11];
	int r;

	order_today(o, today); /* by a clock that may be a little behind the database's */
	r = order_check(o, strcmp(today, d->day) < 0 ? d->day : today);

	if (r == REFUSED)
		return due_is(d, "refused", d->call->refusal.message);
	if (r == 0)
		r = find_overlap(d, o, &before);
	if (r < 0)
		return r;
	if (before)
		return due_is(d, "overlap", arena_printf(d->call->arena,
			"Booking %lld, of a run before, asks for the same and has not ended, so this one was left out.", (long long)before));
	return insert_booking(d, o);
}

static int due_run(struct due *d)
{
	struct order o = { .call = d->call, .site = d->site, .action_name = d->action };
	const char *trouble = plan_trouble(d->call, d->site, d->action);
	json_auto_t *given = NULL;
	int r = trouble ? due_is(d, "refused", trouble) : order_find(&o);

	if (r == 0 && !trouble) {
		given = relative_fill(o.action, d->inputs, d->day);
		o.given = given;
		r = due_ask(d, &o);
	}
	order_end(&o);
	return r;
}

static int due_move_on(struct due *d)
{
	return db_commit_query(&d->tx, NULL,
		"WITH w AS (INSERT INTO jobs.plan_runs (plan_id, at, user_id, day, became, reason, job_id) "
		"SELECT $1, $2, $3, $4::date, $5, $6, NULLIF($7, 0) WHERE $5::text IS NOT NULL ON CONFLICT DO NOTHING), "
		"n AS (UPDATE jobs.plans p SET next_at = (SELECT i.at FROM " PLAN_INSTANTS("$8", "1") " i) WHERE p.id = $1) "
		"DELETE FROM jobs.plan_runs WHERE plan_id = $1 "
		"AND at < (SELECT at FROM jobs.plan_runs WHERE plan_id = $1 ORDER BY at DESC OFFSET " MOST_KEPT " LIMIT 1)",
		DB_INT(d->id), DB_TIME(d->at_ms), DB_INT(d->user), DB_TEXT(d->day), DB_TEXT(d->became), DB_TEXT(d->reason),
		DB_INT(d->job), DB_TIME(d->last_ms));
}

static void due_say(const struct due *d)
{
	if (d->job)
		log_info("plan %lld has asked for booking %lld%s", (long long)d->id, (long long)d->job, d->down ? ", late" : "");
	else if (d->became)
		log_info("plan %lld asked for nothing: %s", (long long)d->id, d->reason);
}

int plan_due(struct botd *b, int64_t user, int64_t id)
{
	CLEANUP(call_freep) struct call *call = call_new(b, NULL, NEVER);
	struct due d = { .b = b, .call = call, .user = user, .id = id };
	int r = db_begin(b->db, DB_USER(user), deadline_in(DB_MS), &d.tx);

	if (r == 0)
		r = due_lock(&d);
	if (r == 0)
		r = due_tell(&d);
	if (r == 0 && d.became)
		r = due_run(&d);
	if (r == 0)
		r = due_move_on(&d);
	db_rollback(&d.tx);
	if (r == 0)
		due_say(&d);
	return r > 0 ? 0 : r;
}
