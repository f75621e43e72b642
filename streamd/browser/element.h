/* Elements of a page, found by a recipe's selectors (streamd/browser/pages/element_wait.js). */
#pragma once

#include "common/arena.h"
#include "recipe/recipe.h"
#include "streamd/browser/browser.h"

/* How an element that is to be pressed gets into view: to its middle; as little as need be, so that others stay; not at all. */
enum bring { BRING_TO_MIDDLE, BRING_NEAREST, BRING_NOT };

/* What is waited for; the first that comes true ends the wait. */
struct wish {
	const struct selector *at;
	bool gone;             /* that no such element is visible */
	bool hidden;           /* that it is there, visible or not; of those that fit, the first in the document is meant */
	bool press;            /* that it can be pressed: enabled, still, on top; it is scrolled into view */
	enum bring bring;
	bool edit;             /* that it is not read-only */
	const char *value;     /* that it shows or holds this; NULL: whatever */
	const char *attribute; /* what to tell of it and compare; NULL: its text */
	const char *option;    /* that it is a select element with this option, by label or value */
};

struct element {
	size_t which;     /* number of the wish, below their count */
	const char *text; /* what the element shows, in the arena */
	double x, y;      /* with press: where to press it, CSS pixels of the page */
	struct target_ref target; /* where it was found, for element_edit() */
	char frame[CDP_ID];
	bool moved;       /* none of that: the address has changed */
	bool late;        /* none in time; text is what the first wish's element showed, or NULL */
	bool covered, disabled, moving, readonly, optionless; /* with late: what stood in the way */
	bool frameless;   /* with late: there was not even the frame that should hold it */
};

/*
 * Waits for at most ms; an answer that element_wait.js does not give counts as none in time. 0 with *ret filled, also when
 * late or moved; -EREMOTE when the document went away meanwhile (try again); or as cdp_call(). All wishes must be about the
 * same frame: that of the first.
 */
int element_wait(struct target_ref page, const struct wish *wishes, size_t count, int64_t ms, struct arena *arena,
	struct element *ret);

#define ELEMENT_MOST_ROWS 1000
#define ELEMENT_MOST_TEXT 65536 /* bytes of any of these texts; a page's may be megabytes */

/*
 * Which elements to read, what of each (css NULL: the element itself; attribute NULL: its text), and what stands there when there
 * are none (NULL: that is not looked for).
 */
struct list_wish {
	const struct selector *at, *none;
	const struct step_cell *cells;
	size_t cell_count;
};

/* Anything but the first: it was not read; FETCHING and FAILED are the step's own words. */
enum list_how { LIST_THERE, LIST_ERROR_PAGE, LIST_MARKLESS, LIST_CHANGING, LIST_FETCHING, LIST_FAILED, LIST_MOVED };

struct element_list {
	enum list_how how;
	int64_t status;    /* LIST_ERROR_PAGE: its HTTP status; 0: the browser's own */
	const char **rows; /* rows[i * cell_count + j], white space collapsed, never NULL; NULL if more than ELEMENT_MOST_ROWS */
	size_t count;
};

/*
 * Reads every visible element that fits, once the document has been parsed; with none, once there is one, or what none names,
 * and stays as it is, for at most ms. Returns as element_wait(), and -ENOENT when there is no such frame.
 */
int element_rows(struct target_ref page, const struct list_wish *wish, int64_t ms, struct arena *arena, struct element_list *ret);

/* streamd/browser/pages/element_edit.js */
enum edit { EDIT_FOCUS, EDIT_SET, EDIT_CHOOSE, EDIT_CHANGED, EDIT_HELD, EDIT_REACH, EDIT_TICK };

/* What became of it. */
struct edited {
	bool gone; /* the element is no longer there */
	enum { EDITED_NONE, EDITED_TEXT, EDITED_SET, EDITED_SELECT, EDITED_BOX, EDITED_RADIO, EDITED_FILE } kind;
	const char *held; /* in the arena */
	bool disabled, unreached; /* element_upload(): it takes none now; EDIT_REACH: it has not got the focus */
	bool secret;      /* what it holds is not for logs */
};

/* Writes to the element that element_wait() found last. 0, -EREMOTE when the document has gone, or as cdp_call(). */
int element_edit(const struct element *e, enum edit edit, const char *value, int64_t deadline,
	struct arena *arena, struct edited *ret);

/* The same, with a file. */
int element_upload(const struct element *e, const struct step_file *file, int64_t deadline, struct arena *arena,
	struct edited *ret);
