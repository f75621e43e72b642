/* Jobs that run on fibers of their own (botd/queue.h). */
#pragma once

#include "botd/queue.h"

/* Runs a job that was claimed. */
void task_begin(struct queue *q, const struct claim *claim);

/* Writes the ends of all that have one, as far as the database takes them now; who waits for that is told. 0, or a negative errno. */
int tasks_write_ends(struct queue *q, int64_t deadline);

/* Prolongs the leases of all, and cancels those whose lease is another's. 0, or a negative errno. */
int tasks_beat(struct queue *q, int64_t deadline);

/* Cancels all; and those whose lease has run out while the database was away are lost. */
void tasks_cancel(struct queue *q);
void tasks_expire(struct queue *q);
