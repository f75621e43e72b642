#include "botd/queue.h"

#include <errno.h>

#include "botd/task.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/pause.h"

#define DB_MS      5000
#define MOST       512 /* claimed at once */
#define MOST_KINDS 16
#define AGAIN_MS   50 /* before what has to be written is tried again */
#define MISSED_MS  5   /* before one is repeated whose jobs others were just taking; likewise */
#define MISSED_LONGEST_MS 250
#define REFUSED_MS 250 /* before a claim that the database refused is repeated; each further one twice as long */
#define REFUSED_LONGEST_MS 8000
#define REAP_MS    250 /* the longest pause between two looks whether a lease has run out */

enum turn { TURN_AGAIN, TURN_MISSED, TURN_FULL, TURN_EMPTY, TURN_REFUSED };

/* Says once that something fails, and once that it works again. A database that is away is told of elsewhere. */
static void queue_note(struct queue *q, int r, bool *failing, const char *fails, const char *works)
{
	bool fail = r < 0 && r != -ENOENT && r != -EAGAIN;

	if (r == -ENOTCONN || fail == *failing)
		return;
	*failing = fail;
	if (fail)
		log_error("%s: %s", fails, db_error(q->db)->text);
	else
		log_notice("%s", works);
}

/* How long one statement may take: what is claimed, or prolonged, is to have a good part of its lease left. */
static int64_t statement_ms(const struct queue *q)
{
	return q->lease_ms / 3 < DB_MS ? q->lease_ms / 3 : DB_MS;
}

static size_t count_kinds(const struct queue *q)
{
	size_t n = 0;

	while (q->kinds[n].name)
		n++;
	return n;
}

/* How many there is room for, of all kinds; each has its share of what can be claimed at once, and what others leave of theirs. */
static size_t find_room(struct queue *q, struct claim_wish *wishes, size_t n)
{
	size_t all = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t room = q->kinds[i].room(q->owner), share = (int64_t)((MOST - all) / (n - i));

		room = room < share ? room : share;
		wishes[i] = (struct claim_wish){ q->kinds[i].name, room > 0 ? room : 0 };
		all += (size_t)wishes[i].room;
	}
	return all;
}

/* One that was answered late is left to whoever claims it when that lease has run out. */
static void claim_run(struct queue *q, const struct claim *c)
{
	const struct kind *k = &q->kinds[c->wish];

	if (c->lease_end - loop_now() < q->lease_ms / 3)
		log_warning("job %lld was claimed too slowly; it is claimed again when that lease has run out", (long long)c->id);
	else if (k->run)
		task_begin(q, c);
	else
		k->begin(q->owner, c);
}

static enum turn claim_some(struct queue *q)
{
	static struct claim claims[MOST]; /* begun before the next wait */
	struct claim_wish wishes[MOST_KINDS];
	size_t n = count_kinds(q), count = 0, all = find_room(q, wishes, n);
	int r;

	if (all == 0)
		return TURN_FULL;
	r = claim_jobs(&(struct claimer){ q->db, q->self, q->lease_ms }, wishes, n, deadline_in(statement_ms(q)), claims, &count);
	queue_note(q, r, &q->claims_fail, "no job can be claimed, so none is worked off; it is tried again and again",
		"jobs can be claimed again");
	if (r == -EAGAIN)
		return TURN_MISSED;
	if (r < 0 && r != -ENOENT)
		return r == -ENOTCONN ? TURN_EMPTY : TURN_REFUSED;
	q->refusals = q->misses = 0;
	for (size_t i = 0; i < count; i++)
		claim_run(q, &claims[i]);
	return count < all ? TURN_EMPTY : TURN_AGAIN;
}

/* Until when to wait for news: the next job's time, or the poll. */
static int64_t next_look(struct queue *q)
{
	int64_t ms = q->poll_ms, due;
	int r = claim_next_due(q->db, deadline_in(statement_ms(q)), &due);

	queue_note(q, r, &q->looks_fail, "when the next job is due cannot be read, so it is looked for every now and then",
		"when the next job is due can be read again");
	if (r == 0 && due < ms)
		ms = due + 1; /* it was rounded */
	return deadline_in(ms);
}

/* There is news of work, of room, of ends, and of a database that is back. */
static void await_news(struct queue *q, int64_t until)
{
	if (q->again)
		fiber_yield();
	else
		latch_wait(&q->woken, until);
}

static void await_turn(struct queue *q, enum turn turn)
{
	switch (turn) {
	case TURN_AGAIN: fiber_yield(); break;
	case TURN_MISSED: fiber_sleep_until(deadline_in(pause_after(MISSED_MS, q->misses++, MISSED_LONGEST_MS))); break;
	case TURN_FULL: await_news(q, q->stopping ? deadline_in(AGAIN_MS) : deadline_in(q->poll_ms)); break;
	case TURN_EMPTY: await_news(q, next_look(q)); break;
	case TURN_REFUSED:
		fiber_sleep_until(deadline_in(pause_after(REFUSED_MS, q->refusals++, REFUSED_LONGEST_MS)));
		break;
	}
}

static void queue_work(void *arg)
{
	struct queue *q = arg;

	while (!q->stopping || !TAILQ_EMPTY(&q->tasks)) {
		int r;

		q->again = false;
		r = tasks_write_ends(q, deadline_in(statement_ms(q)));
		queue_note(q, r, &q->ends_fail, "how jobs have ended cannot be written; it is tried again and again",
			"how jobs have ended can be written again");
		if (!q->stopping)
			await_turn(q, claim_some(q));
		else if (!TAILQ_EMPTY(&q->tasks))
			await_turn(q, TURN_FULL);
	}
}

/* One that fails is repeated soon, for there are not many before the leases run out. */
static void queue_keep(void *arg)
{
	struct queue *q = arg;
	int r = 0;

	while (!q->stopping || !TAILQ_EMPTY(&q->tasks)) {
		latch_wait(&q->stopped, deadline_in(r < 0 ? AGAIN_MS : q->lease_ms / 4));
		r = tasks_beat(q, deadline_in(statement_ms(q)));
	}
}

static void queue_reap(void *arg)
{
	struct queue *q = arg;

	while (!q->stopping || !TAILQ_EMPTY(&q->tasks)) {
		latch_wait(&q->stopped, deadline_min(tasks_expire(q), deadline_in(REAP_MS)));
		tasks_expire(q);
	}
}

void queue_start(struct queue *q)
{
	TAILQ_INIT(&q->tasks);
	fiber_start("queue", queue_work, q, &q->worker);
	fiber_start("leases", queue_keep, q, &q->keeper);
	fiber_start("reaper", queue_reap, q, &q->reaper);
}

void queue_stop(struct queue *q)
{
	q->stopping = true;
	tasks_cancel(q);
	queue_wake(q);
	fiber_join(&q->worker);
	latch_wake(&q->stopped, 0);
	fiber_join(&q->keeper);
	fiber_join(&q->reaper);
}
