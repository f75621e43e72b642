/*
 * Closing browsers and saving their sessions, each on a fiber of its own, so that no worker waits for it: a page may take as
 * long as it likes to give out what it holds. The session stays leased until it is saved.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/latch.h"

struct botd;
struct run;

/* Those under way. Begins as { 0 }. */
struct closings {
	LIST_HEAD(, closing) list;
	struct latch emptied;
};

/* Takes the run over: run_end() with hasty, then run_free(); then the hub closed is told. */
void closing_start(struct botd *b, struct run *run, bool hasty);

/* Whether one with that session is under way. */
bool closings_have(const struct closings *c, int64_t user, const char *site);

/* In a fiber: until none is under way. Not cut short. */
void closings_wait(struct closings *c);
