/*
 * What the person should know of the page and cannot see in its picture: that it wanted what this browser does not have,
 * that it could not be loaded and why. A note stands until it is closed or no longer holds, and what has been read once
 * is not said again. Of one sign-in. Not for fibers: all of it returns at once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/viewer.h"

enum note_kind {
	NOTE_PAGE, /* the page in front is not there: at most one, and said anew each time */
	NOTE_SLOW, /* or does not come: the same */
	NOTE_RULE, /* the address is that of somebody who is signed in, and the rest of the rule is not met */
	NOTE_PASSKEY,
	NOTE_APP,
	NOTE_DOWNLOAD,
	NOTE_FILE,
	NOTE_PRINT,
	NOTE_CHOOSER,
};

struct notes;

/* What is shown is told by an event of proto/viewer.def; fields are borrowed. */
struct notes *notes_new(void (*tell)(void *owner, const struct method *event, const void *fields), void *owner);

/* Takes NULL, returns NULL. */
struct notes *notes_free(struct notes *n);

/*
 * Shows one, unless the same has been shown: the same is of this kind and about this, "" if there is but one. tone: of the
 * event. advice may be "", and is copied, as is the text that is put together.
 */
void notes_add(struct notes *n, enum note_kind kind, const char *about, const char *tone, bool reload, const char *advice,
	const char *format, ...) __attribute__((format(printf, 7, 8)));

/* What was shown of this kind does not hold any more. */
void notes_remove(struct notes *n, enum note_kind kind);

/* The person has read it. */
void notes_close(struct notes *n, int64_t number);

/* Those that are shown, for a viewer that has just come. */
void notes_tell(const struct notes *n, void (*tell)(void *arg, const struct note_shown_event *event), void *arg);
