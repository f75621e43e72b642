/*
 * A bell: fibers wait until it rings. A ring that comes while a listener is busy is kept for its next wait, so nothing
 * that happens between looking and waiting is missed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/latch.h"

struct bell;

/* One that waits, on its fiber's stack. */
struct hearer {
	struct hearer *next;
	struct bell *bell;
	int64_t number; /* what it listens for; 0: every ring */
	bool rung;
	struct latch latch;
};

struct bell *bell_new(void);

/* Nobody may listen any more. Takes NULL, returns NULL. */
struct bell *bell_free(struct bell *b);

/* From here on l hears of number, until bell_leave(). */
void bell_listen(struct bell *b, struct hearer *l, int64_t number);
void bell_leave(struct hearer *l);

/* For those who listen for number, and, with 0, for all. */
void bell_ring(struct bell *b, int64_t number);

/* Ends every wait, now and later. */
void bell_end(struct bell *b);

/* 0 when it has rung; -ETIMEDOUT; -ECANCELED; -ESHUTDOWN after bell_end(). */
int bell_wait(struct hearer *l, int64_t deadline);
