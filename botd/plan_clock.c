#include "botd/plan_clock.h"

#include <errno.h>

#include "botd/plan_due.h"
#include "botd/state.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"

#define DB_MS    5000
#define PAGE     100
#define HANDS    4    /* plans that are seen to at the same time */
#define SPIN_MS  5    /* the least pause, for this clock and the database's are not the same */
#define HELD_MS  50   /* what is due still is held by somebody */
#define AGAIN_MS 1000 /* before what failed is tried again */
#define BEATS    3    /* for how long nobody may be seen before it counts as down: so many of its beats */

/* A plan that is due, and where the page behind it begins. */
struct due_plan {
	int64_t id, user, next_ms;
};

static void clock_note(struct botd *b, int r)
{
	bool fail = r < 0 && r != -ENOTCONN && r != -ECANCELED;

	if (r == -ENOTCONN || r == -ECANCELED || fail == b->clock.failing)
		return;
	b->clock.failing = fail;
	if (fail)
		log_error("not every plan that is due can be seen to; it is tried again and again: %s", db_error(b->db)->text);
	else
		log_notice("all plans that are due can be seen to again");
}

/*
 * Says that somebody is there; and when nobody was, until when. Written once for many looks, and also when the clock was set
 * back.
 */
static int clock_beat(struct botd *b)
{
	return db_query(b->db, DB_ROLE("stead_claimer"), deadline_in(DB_MS), NULL,
		"UPDATE jobs.plan_clock SET seen_at = clock_timestamp(), "
		"down_from = CASE WHEN seen_at < clock_timestamp() - $1 * interval '1 ms' THEN seen_at ELSE down_from END, "
		"down_until = CASE WHEN seen_at < clock_timestamp() - $1 * interval '1 ms' THEN clock_timestamp() ELSE down_until END "
		"WHERE seen_at NOT BETWEEN clock_timestamp() - $2 * interval '1 ms' AND clock_timestamp() + interval '1 s'",
		DB_INT(b->settings->plan_late_ms), DB_INT(b->settings->plan_late_ms / BEATS));
}

/* Those that are due behind one of them, in order. How many, or a negative errno. */
static int clock_page(struct botd *b, const struct due_plan *behind, struct due_plan page[PAGE])
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int n = 0, r = db_read(b->db, DB_ROLE("stead_claimer"), deadline_in(DB_MS), &res,
		"SELECT id, user_id, next_at FROM jobs.plans WHERE next_at <= now() AND (next_at, id) > ($1, $2) ORDER BY next_at, id LIMIT $3",
		DB_TIME(behind->next_ms), DB_INT(behind->id), DB_INT(PAGE));

	while (r == 0 && n < PAGE && db_next(res))
		page[n++] = (struct due_plan){ row_int(res, "id"), row_int(res, "user_id"), row_time(res, "next_at") };
	return r < 0 ? r : n;
}

/* Some that are due, and how far on they are. */
struct look {
	struct botd *b;
	struct due_plan page[PAGE];
	int n, next;
	int r; /* of one that failed */
};

/* One after another; one that fails, or is waited for, keeps no other back. */
static void clock_hand(void *arg)
{
	struct look *l = arg;

	while (l->next < l->n && !l->b->stopping) {
		const struct due_plan *p = &l->page[l->next++];
		int r = plan_due(l->b, p->user, p->id);
		if (r < 0)
			l->r = r;
	}
}

static void clock_deal(struct look *l)
{
	struct fiber *hands[HANDS] = { 0 };

	l->next = 0;
	for (int i = 0; i < HANDS && i < l->n; i++)
		fiber_start("plan", clock_hand, l, &hands[i]);
	for (int i = 0; i < HANDS; i++)
		fiber_join(&hands[i]);
}

/* 0, or a negative errno of a plan that could not be seen to. */
static int clock_look(struct botd *b)
{
	struct look l = { .b = b, .n = PAGE };
	struct due_plan last = { 0 };
	int r = clock_beat(b);

	while (r == 0 && l.n == PAGE && !b->stopping) {
		l.n = clock_page(b, &last, l.page);
		if (l.n < 0)
			return l.n;
		clock_deal(&l);
		last = l.n ? l.page[l.n - 1] : last;
	}
	return r < 0 ? r : l.r;
}

/* How long to wait for the next instant, at most the poll. */
static int64_t clock_pause(struct botd *b)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int64_t ms = b->settings->poll_ms;
	int r = db_read(b->db, DB_ROLE("stead_claimer"), deadline_in(DB_MS), &res,
		"SELECT (extract(epoch FROM least(min(next_at), clock_timestamp() + interval '1 d') - clock_timestamp()) * 1000)::bigint AS ms "
		"FROM jobs.plans");

	if (r == 0 && db_next(res) && row_int(res, "ms") < ms)
		ms = row_int(res, "ms");
	return ms <= 0 ? HELD_MS : ms > SPIN_MS ? ms : SPIN_MS;
}

/* What has been told since the look may be of a sooner one. */
static int clock_wait(struct botd *b)
{
	int64_t until = deadline_in(clock_pause(b));

	return b->clock.again ? 0 : latch_wait(&b->clock.woken, until);
}

void plan_clock_run(void *botd)
{
	struct botd *b = botd;
	int r = 0;

	while (!b->stopping && r != -ECANCELED) {
		b->clock.again = false;
		r = clock_look(b);
		clock_note(b, r);
		r = r < 0 ? fiber_sleep_until(deadline_in(AGAIN_MS)) : clock_wait(b);
	}
}

void plan_clock_wake(struct plan_clock *c)
{
	c->again = true;
	latch_wake(&c->woken, 0);
}
