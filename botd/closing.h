/*
 * Closing browsers and saving their sessions, each on a fiber of its own, so that no worker waits for it: a page may take as
 * long as it likes to give out what it holds. The session stays leased until it is saved.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct hub;
struct closings;
struct run;

/* closed (borrowed) rings whenever one has ended. */
struct closings *closings_new(struct hub *closed);

/* None may be under way. Takes NULL, returns NULL. */
struct closings *closings_free(struct closings *c);

/* Takes the run over: run_end() with hasty, then run_free(). */
void closing_start(struct closings *c, struct run *run, bool hasty);

/* Whether one with that session is under way. */
bool closings_have(const struct closings *c, int64_t user, const char *site);

/* In a fiber: until none is under way. Not cut short. */
void closings_wait(struct closings *c);
