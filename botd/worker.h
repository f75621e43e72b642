/*
 * A worker: takes up a booking that was claimed and keeps its lease alive while the run (run.h) does it, and the next ones of the
 * same person at the same site, in one browser. A run whose lease is lost is cancelled at once.
 */
#pragma once

#include <sys/queue.h>

#include "botd/claim.h"
#include "common/latch.h"

#define KIND_BOOKING "booking"

struct botd;
struct worker;

/* Those at work. Begins as { 0 }. */
struct workers {
	LIST_HEAD(, worker) list;
	struct latch emptied;
};

/* A kind's (botd/queue.h): as many as the setting says work at the same time. */
int64_t workers_room(void *botd);
void worker_begin(void *botd, const struct claim *claim);

/* That job is perhaps not wanted any more: whoever is at it looks. */
void workers_hear(struct botd *b, int64_t job);

/* In a fiber: lets them give back what they are at, and waits until they have. */
void workers_stop(struct botd *b);
