#include "botd/queue.h"

#include <errno.h>

#include "common/fiber.h"
#include "common/hub.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/pause.h"

#define DB_MS      5000
#define MOST       64  /* claimed at once */
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

/* 0: it has claimed all that it wished for, so there may be more; -EBUSY: there is no room. Else as claim_jobs(). */
static int claim_some(struct queue *q)
{
	struct claim_wish wishes[MOST_KINDS];
	struct claim claims[MOST];
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
		q->kinds[claims[i].wish].begin(q->owner, &claims[i]);
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

/* Until it is worth claiming again. Less than 0 when there is nothing more to do. */
static int await_work(struct queue *q, struct watcher *news, int r)
{
	if (r == 0)
		return 0;
	if (r == -EAGAIN)
		return fiber_yield();
	if (r == -EBUSY || r == -ENOENT || r == -ENOTCONN) { /* there is news of work, of room, and of the database that is back */
		r = watcher_wait(news, r == -EBUSY ? NEVER : next_look(q));
		return r == -ETIMEDOUT ? 0 : r;
	}
	return fiber_sleep_until(deadline_in(pause_after(REFUSED_MS, q->refusals++, REFUSED_LONGEST_MS)));
}

static void queue_work(void *arg)
{
	struct queue *q = arg;
	struct watcher *news = watcher_new(q->work, NULL);

	while (!fiber_cancelled() && await_work(q, news, claim_some(q)) == 0)
		;
	watcher_freep(&news);
}

void queue_start(struct queue *q)
{
	fiber_start("queue", queue_work, q, &q->fiber);
}

void queue_stop(struct queue *q)
{
	fiber_cancel(q->fiber);
	fiber_join(&q->fiber);
}
