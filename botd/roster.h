/*
 * The workers: every botd at this database has a row that it beats, so that people see who works for them; one of them leads, and
 * does what is to be done now and then by one alone. Who leads says so for as long as a lease; what is done by leading does no harm
 * when it is done twice.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/latch.h"

struct db;
struct fiber;
struct kind;

/* Begins as { .db ... .keep_days }; what is borrowed outlives it. */
struct roster {
	struct db *db;
	const struct kind *kinds;
	int64_t lease_ms;
	int64_t keep_days; /* of kinds that do not say it themselves; 0: for ever */
	/* From here on its own. */
	int64_t id;
	int64_t lead_end; /* monotonic ms: until when it leads */
	struct fiber *fiber;
	struct latch stopped;
	bool stopping;
	bool fails; /* it has been said */
};

/* Chooses its number, which what it claims bears from then on. */
void roster_start(struct roster *r);

/* In a fiber: takes its row away. */
void roster_stop(struct roster *r);
