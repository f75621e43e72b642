/*
 * Sees to plans as they come due, by the database's clock: at the next one's instant, when PostgreSQL tells of sooner ones, and
 * every poll_ms in any case. Any number of botd do so, for whoever has a plan's row deals with it.
 */
#pragma once

#include <stdbool.h>

#include "common/latch.h"

struct fiber;

struct plan_clock {
	struct fiber *fiber;
	struct latch woken;
	bool again;   /* it was woken since it looked */
	bool failing; /* it has been said */
};

/* A fiber, of struct botd. */
void plan_clock_run(void *botd);

/* There may be a sooner one. */
void plan_clock_wake(struct plan_clock *c);
