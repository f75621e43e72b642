/*
 * Page steps: what botd sends to streamd (run_step's "step"), one at a time, with the variables filled in.
 *
 * The filled-in step is a JSON object with the keys of TYPE(step) in recipe/recipe.def but say and otherwise, which are
 * botd's own; act: what the step writes is written once. timeout_ms is always there. No text in it is a template any more:
 * braces are braces.
 *
 *	{"step": "request", ...} is botd's own, and is never sent.
 *	{"step": "open", "url": "https://desk.test/finder", "timeout_ms": 20000}
 *	{"step": "click", "at": {"css": "#book_desk"}, "timeout_ms": 10000}
 *	{"step": "click", "at": {"role": "gridcell", "name": "Thu Nov 20 2025"}, "timeout_ms": 10000}
 *	{"step": "double_click", "at": {"css": "#row"}, "timeout_ms": 10000}
 *	{"step": "drag", "at": {"css": "#card"}, "to": {"css": "#done"}, "timeout_ms": 10000}
 *	{"step": "press", "keys": "Control+Enter", "at": {"css": "#note"}, "timeout_ms": 10000}
 *	{"step": "hover", "at": {"css": "#menu"}, "timeout_ms": 10000}
 *	{"step": "fill", "at": {"css": "#note"}, "value": "near the window", "timeout_ms": 10000}
 *	{"step": "choose", "at": {"css": "select#floor"}, "value": "Floor 2", "timeout_ms": 10000}
 *	{"step": "check", "at": {"css": "#agree"}, "off": true, "timeout_ms": 10000}
 *	{"step": "upload", "at": {"css": "#file"}, "file": {"name": "a.csv", "text": "a;b"}, "timeout_ms": 10000}
 *	{"step": "wait_for", "at": {"css": "#hoteling_desk"}, "gone": true, "timeout_ms": 10000}
 *	{"step": "wait_for", "page": "https://desk.test/finder*", "timeout_ms": 10000}
 *	{"step": "read", "at": {"css": "#who"}, "timeout_ms": 10000}
 *	{"step": "read", "at": {"css": ".UITable---row"}, "all": true, "cells": [{"name": "date", "css": ".date"},
 *		{"name": "id", "attribute": "data-booking"}], "none": {"text": "You have no bookings"},
 *		"long_polls": ["https://desk.test/news*"], "timeout_ms": 10000}
 *	{"step": "picture", "timeout_ms": 0}
 *	{"step": "expect", "at": {"css": "h1"}, "value": "Floor 2", "timeout_ms": 2000}
 *
 * A step is done, or missing when what it needs was not there by its timeout. read with all is done once the list shows a row
 * or what "none" names (where there is no "none", also without rows), in a document that is no error page, and stays so; with
 * "none", once nothing that the page asked for is under way or has failed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/arena.h"
#include "recipe/recipe.h"

/* The step's kind, for a switch without default; the words are in recipe/steps.def. */
enum step_kind {
#define STEP(name_, needs_, may_, timeout_ms_, words_, sentence_) STEP_##name_,
#include "recipe/steps.def"
#undef STEP
};

/* What steps.def says of each kind. */
extern const struct step_row {
	const char *name, *needs, *may, *words, *sentence;
	int timeout_ms;
} step_rows[];
extern const size_t step_row_count;

enum step_kind step_kind(const struct step *s);

/* Whether what its page sends then can be held back, so that it may be the act. */
bool step_presses(const struct step *s);

/* Whether one of its cells is called so. */
bool step_has_cell(const struct step *s, const char *name);

/* Whether it reads the rows of a list. */
bool step_reads_rows(const struct step *s);

/* The timeout, ms: its own, or its kind's. */
int64_t step_timeout_ms(const struct step *s);

/*
 * streamd: reads a filled-in step. What it points to is in the arena or in json, which must both outlive it. -EINVAL
 * with the reason in why (size bytes), naming the key.
 */
int step_parse(struct arena *arena, const json_t *json, struct step *ret, char *why, size_t size);

struct variables;

/* botd: the filled-in step, a new reference. -EINVAL when a variable's value does not fit its place; why says so. */
int step_fill(const struct step *s, const struct variables *v, json_t **ret, char *why, size_t size);

/* What the log says of the step: its "say" filled in, or words made of it. In the arena. */
const char *step_words(struct arena *arena, const struct step *s, const struct variables *v);

/* An element in words, as in: "Book Desk" (#book_desk). In the arena. */
const char *selector_words(struct arena *arena, const struct selector *s);
