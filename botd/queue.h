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
struct hub;
struct queue;

/* What has become of a job. One that has not ended is tried again. */
struct task_end {
	const char *outcome; /* a constant; NULL: it has not ended */
	int64_t delay_ms;    /* until it is tried again */
	bool counted;        /* as a failure; so many in a row are enough for some kinds */
};

/* A job that runs on a fiber of its own, while the queue keeps its lease; a lease that is lost cancels it. */
struct task {
	struct queue *queue;
	struct claim claim;
	struct task_end end; /* to be set by whoever runs it; when it is not, it is tried again as if it had not been claimed */
	enum { TASK_RUNS, TASK_ENDING, TASK_WRITTEN, TASK_LOST } state;
	struct fiber *fiber; /* NULL until it runs */
	bool in_doubt;       /* its end may have been written */
	TAILQ_ENTRY(task) link;
};

/* A kind of work: a row for each, of whoever owns the queue. */
struct kind {
	const char *name;
	int64_t (*room)(void *owner);                          /* how many more may be begun now */
	void (*begin)(void *owner, const struct claim *claim); /* takes one over, with its lease and its end; returns at once */
	void (*run)(void *owner, struct task *task);           /* or, instead: runs it, on its fiber */
};

/* Begins as { .db ... .poll_ms }; what is borrowed outlives it. */
struct queue {
	struct db *db;
	struct hub *work;         /* missed: there may be work, or room */
	const struct kind *kinds; /* ended by one without a name */
	void *owner;
	int64_t lease_ms;
	int64_t poll_ms;          /* how long news of work may stay out before it is looked for */
	struct fiber *fiber, *keeper; /* from here on its own */
	bool stopping;
	bool claims_fail, looks_fail; /* it has been said */
	int64_t refusals;         /* claims in a row that the database refused */
	TAILQ_HEAD(tasks, task) tasks;
	struct latch moved;       /* a task has ended or gone */
};

void queue_start(struct queue *q);

/* In a fiber: it claims no more, its tasks are cancelled and given back; what others have begun is theirs. Waits. */
void queue_stop(struct queue *q);

/* How many tasks of a kind are under way; one that only waits for its end to be written is not. */
int64_t queue_running(const struct queue *q, const struct kind *kind);
