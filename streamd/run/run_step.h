/*
 * Carrying out one typed page step (recipe/step.h) on the page in front of a browser, so a popup is followed until it
 * closes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "proto/streamd.h"
#include "recipe/step.h"
#include "streamd/browser/browser.h"
#include "streamd/browser/element.h"

struct screen;

/* What became of a step; the words are those of run_step's result. */
enum step_end {
	STEP_END_DONE,
	STEP_END_MISSING, /* an element or expectation was not there in time */
	STEP_END_EXPIRED, /* the site shows that nobody is signed in */
	STEP_END_FAILED,  /* the browser failed */
	STEP_END_DOWN,    /* the site answers with an error of its own, or not at all */
};

/* The most that a read step may bring home, so that the answer fits a frame. */
#define STEP_MOST_ROWS  ELEMENT_MOST_ROWS
#define STEP_MOST_BYTES (384u * 1024)

/* How much of it has been done to the page, which may send something for any of it. */
enum step_wrote {
	WROTE_NOTHING,
	WROTE_PART,
	WROTE_ALL,
};

struct step_result {
	enum step_end end;
	enum step_wrote wrote; /* kept up to date while the step is carried out */
	const char *reason; /* a sentence; NULL when done. All texts in the arena, within the limits of run_step's row */
	int64_t retry_ms;   /* down: how long the site wants to be left alone; 0: it does not say */
	const char *text;   /* what was read, or the address after an open step; NULL if none */
	struct run_row *rows;
	size_t row_count;
	int picture; /* a sealed memfd, the caller's; -1 if there is none */
};

const char *step_end_word(enum step_end e);

/* Whether it is more than a press: it takes its time, and step_result.wrote tells how far it has come. */
bool run_step_writes(const struct step *step);

/*
 * screen: on which it is looked at; NULL: on none. recipe: whose probe tells that the session has expired; NULL: nobody does.
 * Waits until the step's timeout at the latest, and some seconds more when the browser hangs. 0 with *ret filled, whatever became
 * of the step; -ECANCELED.
 */
int run_step_carry_out(struct browser *b, struct screen *screen, const struct recipe *recipe, const struct step *step,
	struct arena *arena, struct step_result *ret);
