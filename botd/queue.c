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
#define SPIN_MS    50  /* the least pause before a claim that found nothing is repeated by itself */
#define REFUSED_MS 250 /* before a claim that the database refused is repeated; each further one twice as long */
#define REFUSED_LONGEST_MS 8000

/* Says once that something fails, and once that it works again. A database that is away is told of elsewhere. */
static void queue_note(struct queue *q, int r, bool *failing, const char *fails, const char *works)
{
	bool fail = r < 0 && r != -ENOENT && r != -EAGAIN;

	if (r == -ECANCELED || r == -ENOTCONN || fail == *failing)
		return;
	*failing = fail;
	if (fail)
		log_error("%s: %s", fails, db_error(q->db)->text);
	else
		log_notice("%s", works);
}

/* How many there is room for, of all kinds. */
static size_t find_room(struct queue *q, struct claim_wish *wishes, size_t *ret_n)
{
	size_t all = 0, n = 0;

	for (const struct kind *k = q->kinds; k->name; k++, n++) {
		int64_t room = k->room(q->owner);

		room = room > (int64_t)(MOST - all) ? (int64_t)(MOST - all) : room;
		wishes[n] = (struct claim_wish){ k->name, room > 0 ? room : 0 };
		all += (size_t)wishes[n].room;
	}
	*ret_n = n;
	return all;
}

static void claim_run(struct queue *q, const struct claim *c)
{
	const struct kind *k = &q->kinds[c->wish];

	if (k->run)
		task_begin(q, c);
	else
		k->begin(q->owner, c);
}

/* 0: it has claimed all that it wished for, so there may be more; -EBUSY: there is no room. Else as claim_jobs(). */
static int claim_some(struct queue *q)
{
	struct claim_wish wishes[MOST_KINDS];
	static struct claim claims[MOST]; /* begun before the next wait */
	size_t n, count = 0, all = find_room(q, wishes, &n);
	int r;

	if (all == 0)
		return -EBUSY;
	r = claim_jobs(q->db, wishes, n, q->lease_ms, deadline_in(DB_MS), claims, &count);
	queue_note(q, r, &q->claims_fail, "no booking can be claimed, so none is worked off; it is tried again and again",
		"bookings can be claimed again");
	if (r == 0 || r == -ENOENT)
		q->refusals = 0;
	for (size_t i = 0; i < count; i++)
		claim_run(q, &claims[i]);
	return r < 0 ? r : count < all ? -ENOENT : 0;
}

/* Until when to wait for news: the next job's time, or the poll. */
static int64_t next_look(struct queue *q)
{
	int64_t ms = q->poll_ms, due;
	int r = claim_next_due(q->db, deadline_in(DB_MS), &due);

	queue_note(q, r, &q->looks_fail, "when the next booking is due cannot be read, so it is looked for every now and then",
		"when the next booking is due can be read again");
	if (r == 0 && due < ms)
		ms = due > SPIN_MS ? due : SPIN_MS;
	return deadline_in(ms);
}

/* r: of the last turn. There is news of work, of room, and of a database that is back. */
static int64_t next_turn(struct queue *q, int r)
{
	if (r == -EAGAIN || r == 0)
		return loop_now();
	if (r == -EBUSY)
		return NEVER;
	if (r == -ENOENT || r == -ENOTCONN)
		return next_look(q);
	return deadline_in(pause_after(REFUSED_MS, q->refusals++, REFUSED_LONGEST_MS));
}

static int queue_turn(struct queue *q)
{
	int r = tasks_write_ends(q, deadline_in(DB_MS));

	tasks_expire(q);
	if (r < 0)
		return r;
	return q->stopping ? -EBUSY : claim_some(q);
}

static void queue_work(void *arg)
{
	struct queue *q = arg;

	while (!q->stopping || !TAILQ_EMPTY(&q->tasks)) {
		int64_t next;

		q->again = false;
		next = next_turn(q, queue_turn(q));
		if (!q->again && next > loop_now() && !(q->stopping && TAILQ_EMPTY(&q->tasks)))
			latch_wait(&q->woken, q->stopping ? deadline_in(SPIN_MS) : next);
		else
			fiber_yield();
	}
}

static void queue_keep(void *arg)
{
	struct queue *q = arg;

	while (!q->stopping || !TAILQ_EMPTY(&q->tasks)) {
		latch_wait(&q->stopped, deadline_in(q->lease_ms / 4));
		tasks_beat(q, deadline_in(q->lease_ms / 2));
		tasks_expire(q);
	}
}

void queue_start(struct queue *q)
{
	TAILQ_INIT(&q->tasks);
	fiber_start("queue", queue_work, q, &q->worker);
	fiber_start("leases", queue_keep, q, &q->keeper);
}

void queue_wake(struct queue *q)
{
	q->again = true;
	latch_wake(&q->woken, 0);
}

void queue_stop(struct queue *q)
{
	q->stopping = true;
	tasks_cancel(q);
	queue_wake(q);
	fiber_join(&q->worker);
	latch_wake(&q->stopped, 0);
	fiber_join(&q->keeper);
}
