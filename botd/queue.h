/*
 * The queue as one botd sees it: claims jobs of the kinds that it knows, as many as there is room for, whenever there may be some,
 * has them run, and writes how they have ended; each of it for many at once, so that ten thousand cost little more than one. More
 * hosts are more botd at one PostgreSQL.
 */
#pragma once

#include <sys/queue.h>

#include "botd/claim.h"
#include "common/latch.h"

struct fiber;
struct task;

/* A kind of work: a row for each, of whoever owns the queue. */
struct kind {
	const char *name;
	int64_t (*room)(void *owner);                          /* how many more may be begun now */
	void (*begin)(void *owner, const struct claim *claim); /* takes one over, with its lease and its end; returns at once */
	void (*run)(void *owner, struct task *task);           /* or, instead: runs it, on a fiber of its own (botd/task.h) */
	int64_t keep_days; /* of what has ended; 0: as the setting says */
	int64_t tries;   /* run: so many failures in a row are enough, it has failed then; 0: there are never enough */
};

/* Begins as { .db ... .self }; what is borrowed outlives it. */
struct queue {
	struct db *db;
	const struct kind *kinds; /* ended by one without a name */
	void *owner;
	int64_t lease_ms;
	int64_t poll_ms; /* how long news of work may stay out before it is looked for */
	int64_t self;    /* who this is among the workers (botd/roster.h); 0: it is not listed */
	/* From here on its own. */
	struct fiber *worker, *keeper, *reaper;
	struct latch woken, stopped;
	bool again;      /* it was woken since it looked */
	bool stopping;
	bool claims_fail, ends_fail, looks_fail; /* it has been said */
	int64_t refusals, misses; /* claims in a row that the database refused, or that others were faster with */
	TAILQ_HEAD(tasks, task) tasks; /* by number */
	uint64_t begun;
};

void queue_start(struct queue *q);

/* There may be work, or room, or an end to be written. */
static inline void queue_wake(struct queue *q)
{
	q->again = true;
	latch_wake(&q->woken, 0);
}

/* In a fiber: it claims no more, and its tasks are cancelled, and given back. Waits, no longer than a lease. */
void queue_stop(struct queue *q);
