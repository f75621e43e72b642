/* A step under way: what its kinds share. In the step's fiber; each returns 0, with the result said, or a negative errno. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "streamd/browser/element.h"
#include "streamd/browser/fetches.h"
#include "streamd/run/run_step.h"

#define STEP_ANSWER_MS 5000 /* for what a page answers at once, unless it hangs */

struct stepping {
	struct browser *browser;
	struct screen *screen; /* on which it is looked at; NULL: on none */
	const struct recipe *recipe;
	const struct step *step;
	struct arena *arena;
	struct arena *look; /* of the last look at the page */
	int64_t deadline;
	bool late; /* an open: the site has had its time */
	struct step_result *result;
};

int64_t stepping_left_ms(const struct stepping *s);

/* What became of it, and why, for the person. */
void stepping_conclude(struct stepping *s, enum step_end end, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Where the page in front stands, and what the step is about, for a sentence. */
const char *stepping_where(const struct stepping *s);
const char *stepping_words(const struct stepping *s);

/* Whether the page in front has come to rest at an address that only a signed-out person is led to. */
bool stepping_at_exit(const struct stepping *s);

/* Which requests of the page the step does not need. */
struct fetches_but stepping_unneeded(const struct stepping *s);

/*
 * Of those that it does, what has failed; NULL: nothing. down: by an outage of the site. Borrowed, until the next wait. And that in
 * words: "https://desk.test/rows, which the page asked for, answers 404".
 */
const struct fetch *stepping_failed(const struct stepping *s, bool down);
const char *stepping_failed_words(const struct stepping *s, const struct fetch *f);

/* A document has gone, or a page: waits for what comes in its place, but not long. */
int stepping_await_successor(struct stepping *s);

/* Whether r only says that the document or the page went away, so that the next one may be tried. */
bool stepping_is_passing(const struct stepping *s, int r);

/* Waits for a wish on whatever page is in front; *ret_there is whether it came true, and if not that is said. */
int stepping_await(struct stepping *s, const struct wish *wish, struct element *ret, bool *ret_there);

/* Tells whoever looks on where the mouse is. */
void stepping_show_pointer(struct stepping *s, double x, double y);

/* Moves the mouse there, CSS pixels of the page in front: whoever looks on sees it. To be followed by what it is moved for. */
void stepping_point(struct stepping *s, const char *session, double x, double y);

/*
 * Gives the page in front input. What leads to another document is done once that is there, as a person would wait for it; give
 * ends with stepping_heard() of its last part.
 */
int stepping_give(struct stepping *s, int (*give)(struct stepping *s, const char *session, const void *arg), const void *arg);
int stepping_heard(struct stepping *s, const char *session, int r);

/* As a mouse would. A press that leads to another document is done once that is there, as a person would wait for it. */
int stepping_press(struct stepping *s, const struct element *e);

/* The kinds that are more than a few lines. */
int step_click(struct stepping *s);
int step_double_click(struct stepping *s);
int step_drag(struct stepping *s);
int step_press(struct stepping *s);
int step_check(struct stepping *s);
int step_upload(struct stepping *s);
int step_hover(struct stepping *s);
int step_fill_in(struct stepping *s);
int step_choose(struct stepping *s);
int step_read_one(struct stepping *s);
int step_read_all(struct stepping *s);
