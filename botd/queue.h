/*
 * The queue as one botd sees it: claims jobs of the kinds that it knows, as many as there is room for, whenever there may be some,
 * and has them run. More hosts are more botd at one PostgreSQL.
 */
#pragma once

#include "botd/claim.h"

struct fiber;
struct hub;

/* A kind of work: a row for each, of whoever owns the queue. */
struct kind {
	const char *name;
	int64_t (*room)(void *owner);                          /* how many more may be begun now */
	void (*begin)(void *owner, const struct claim *claim); /* runs one, on a fiber of its own; returns at once */
};

/* Begins as { .db ... .poll_ms }; what is borrowed outlives it. */
struct queue {
	struct db *db;
	struct hub *work;         /* missed: there may be work, or room */
	const struct kind *kinds; /* ended by one without a name */
	void *owner;
	int64_t lease_ms;
	int64_t poll_ms;          /* how long news of work may stay out before it is looked for */
	struct fiber *fiber;      /* from here on its own */
	bool claims_fail, looks_fail; /* it has been said */
	int64_t refusals;         /* claims in a row that the database refused */
};

void queue_start(struct queue *q);

/* It claims no more; what it has claimed is its owner's. Waits. */
void queue_stop(struct queue *q);
