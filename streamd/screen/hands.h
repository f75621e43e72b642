/*
 * The order of what a person's hands do. Chromium carries a press out in the page's process and moves the focus there, for
 * a frame of another host in that one's, while keys go to wherever the focus is when they come: those that follow a press
 * too closely are lost. So keys wait until the last press has been answered, and whatever comes after one that waits does.
 * And it begins a drag in its own time: moves that come too closely on the one that begins it end it at once, unseen. So while
 * a button is held moves go one after another, and of those that wait the last.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/server.h"
#include "streamd/browser/browser.h"

struct hands;

/* What a viewer has said: a row of proto/viewer.def, and its params, which lie in the call. */
struct said {
	uint64_t viewer;
	const struct dispatch_row *row;
	struct call *call;
	void *params;
};

/* let_go: what was held, borrowed. On the loop. */
struct hands *hands_new(void (*let_go)(void *owner, const struct said *said), void *owner);

/* Takes NULL, returns NULL. */
struct hands *hands_free(struct hands *h);

/* A press goes out: cdp_send() that is waited for. */
void hands_press(struct hands *h, struct target *page, const struct cdp_arg *args);

/* A move with a button held goes out. */
void hands_drag(struct hands *h, struct target *page, const struct cdp_arg *args);

/* Whether this must wait, and if so, keeps it: the call is taken over. */
bool hands_hold(struct hands *h, const struct said *said);

/* The browser is about to go: nothing is waited for any more, and what was held is dropped. */
void hands_drop(struct hands *h);
