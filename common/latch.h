/*
 * A place to wait at until something has changed: whoever changes it wakes all who wait there. One that is zeroed is ready for use
 * and needs no end.
 *
 * Nothing is kept of a wake: look at what is waited for before each wait, and again after it. Whoever has been woken touches the
 * latch no more, so it may go at once, with what it is a part of.
 */
#pragma once

#include <stdint.h>
#include <sys/queue.h>

#include "common/fiber.h"
#include "common/loop.h"

struct latch {
	LIST_HEAD(, latch_waiter) waiters;
};

/* In a fiber: until the next wake, whose result it returns; or -ETIMEDOUT or -ECANCELED, as wait_for(). */
int latch_wait(struct latch *l, int64_t deadline);

/* Wakes all who wait there now, in the order in which they came, with 0 or a negative errno. Never switches. */
void latch_wake(struct latch *l, int result);

/* In a fiber: until condition holds, also when the caller is cancelled. */
#define LATCH_AWAIT(l, condition)                    \
	do {                                         \
		fiber_shield();                      \
		while (!(condition))                 \
			latch_wait((l), NEVER);      \
		fiber_unshield();                    \
	} while (0)
