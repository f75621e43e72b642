/* The inside of a browser, for browser.c, targets.c and page.c alone. */
#pragma once

#include <stdlib.h>

#include "common/fiber.h"
#include "proto/peer.h"
#include "streamd/blank.h"
#include "streamd/browser.h"

#define BROWSER_MOST_SEEN 32 /* origins that are remembered */

struct browser {
	struct cdp *cdp;
	struct peer *launcher;
	const struct browser_events *events;
	void *owner;
	struct environment environment;
	struct target_list targets;
	LIST_HEAD(, event_wait) waits;
	struct wait *first_page, *rest; /* rest: of the pulse, between two questions */
	struct fiber *watcher, *pulse;
	struct call *watch_call;
	struct blank *blank; /* NULL: requests go out */
	char ended[512];
	bool closing, hiding; /* hiding: the next page is a tab of ours */
	char *seen[BROWSER_MOST_SEEN]; /* origins */
	size_t seen_count;
};

/* targets.c: what the browser's end of CDP says, and the targets that come of it. */
void targets_event(struct cdp *c, void *browser, const char *session, const char *method, const struct cbor *params);
void targets_free(struct browser *b);

/* page.c: until Page.enable is answered, a load there may go by unheard. */
int page_wait_enabled(struct target *page, int64_t deadline);

/* Aborts when memory is exhausted. */
static inline void *browser_must(void *p)
{
	if (!p)
		abort();
	return p;
}
