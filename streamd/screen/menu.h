/*
 * The list of a select element: Chromium's own is a window that no picture shows and no press reaches, so it is kept from
 * opening, and the viewer draws one instead. At most one is open in a sign-in.
 */
#pragma once

#include <stdint.h>

#include <jansson.h>

#include "proto/viewer.h"
#include "streamd/browser/browser.h"

struct menus;

/*
 * Of the pages of one browser, which must outlive it. What is open is told by an event of proto/viewer.def, on the loop or in a
 * fiber; fields are borrowed.
 */
struct menus *menus_new(void (*tell)(void *owner, const struct method *event, const void *fields), void *owner);

/* In a fiber: ends what it has begun. Nothing is told any more. Takes NULL, returns NULL. */
struct menus *menus_free(struct menus *m);

/*
 * What the watcher in a target has said (watch_read()), whatever it is, and in which of its worlds. Does not wait; menu_opened
 * comes a little later.
 */
void menus_take(struct menus *m, struct target *target, int64_t world, const json_t *said);

/* The page in front is another, or shows another document: no list can be open. */
void menus_close(struct menus *m);

/* The list that is open, for a viewer that has just come; NULL if none is. Borrowed until the next call. */
const struct menu_opened_event *menus_open(const struct menus *m);

/*
 * The person chose: option is an index into the event's options, -1 closes the list. Does not wait; a list that is no
 * longer open is ignored. The page hears input and change, as if the person had used Chromium's own.
 */
void menu_choose(struct menus *m, int64_t menu, int64_t option);
