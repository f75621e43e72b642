/*
 * A job that runs on a fiber of its own, while the queue keeps its lease and writes how it has ended. A lease that is lost cancels
 * the fiber, and so does the queue's end.
 */
#pragma once

#include "botd/queue.h"

/* What has become of a job. One without an outcome has not ended, and is tried again. */
struct task_end {
	const char *outcome; /* a constant */
	int64_t delay_ms;    /* until it is tried again */
	bool counted;        /* as a failure */
};

struct task {
	struct queue *queue;
	struct claim claim;
	struct task_end end; /* set by whoever runs it */
	/* From here on the queue's. */
	uint64_t number; /* of all its tasks, in the order in which they began */
	enum { TASK_RUNS, TASK_ENDING, TASK_WRITTEN, TASK_LOST } state;
	struct fiber *fiber; /* NULL until it runs */
	struct latch moved;
	bool in_doubt;       /* its end may have been written */
	TAILQ_ENTRY(task) link;
};

/* Runs a job that was claimed. */
void task_begin(struct queue *q, const struct claim *claim);

/* How many of a kind run, by its place among the kinds; what only waits for its end to be written is not one. */
int64_t tasks_running(const struct queue *q, size_t kind);

/*
 * Writes the ends of all that have one; who waits for that is told. An end that the database refuses is said in the log, and its
 * task lost; it keeps no other back. 0, or a negative errno of db/error.h.
 */
int tasks_write_ends(struct queue *q, int64_t deadline);

/* Prolongs the leases of all; one whose lease is another's is lost. Likewise. */
int tasks_beat(struct queue *q, int64_t deadline);

/* One whose lease has run out is lost, too. When the next one does, monotonic ms. */
int64_t tasks_expire(struct queue *q);

void tasks_cancel(struct queue *q);

/* That job is not wanted any more: what runs it is cancelled, and without an outcome it ends as cancelled. */
void tasks_hear(struct queue *q, int64_t job);
