/* The inside of a browser, for browser.c, targets.c and page.c alone. */
#pragma once


#include "common/fiber.h"
#include "common/latch.h"
#include "common/must.h"
#include "proto/peer.h"
#include "streamd/browser/act.h"
#include "streamd/browser/blank.h"
#include "streamd/browser/browser.h"

#define BROWSER_MOST_REFUSED 16 /* hosts that are remembered; what more there are was not what a recipe is about */
#define BROWSER_MOST_BOUND   8
#define BROWSER_MOST_SEEN 32 /* origins that are remembered */

struct browser {
	struct cdp *cdp;
	struct peer *launcher;
	const struct browser_events *events;
	void *owner;
	struct arena *arena; /* of texts that are kept as long as it is there */
	struct environment environment;
	struct target_list targets;
	LIST_HEAD(, event_wait) waits;
	uint64_t front; /* number of the page in front; 0: none */
	struct latch first_page, rest; /* rest: of the pulse, between two questions */
	struct latch fetched;  /* something that a page's script has asked for has come, or never will */
	struct fiber *watcher, *pulse;
	struct act *act;     /* NULL unless events->acts */
	struct blank *blank; /* NULL: requests go out */
	struct refused {
		char host[257], why[257];
	} refused[BROWSER_MOST_REFUSED]; /* by the launcher */
	size_t refused_count;
	char bound[BROWSER_MOST_BOUND][257]; /* sites that have bound a session to this device */
	size_t bound_count;
	char ended[512];
	const char *given_up; /* why it was we who broke off, or NULL */
	uint64_t last_target; /* number of the newest */
	bool closing, hiding; /* hiding: the next page is a tab of ours */
	struct request_watch *requests; /* NULL: nobody wants to know */
	bool hears;           /* browser_hear_answers() */
	bool started;         /* it has answered, and has a page */
	bool used_http_auth;
	bool storm;           /* it has been said that there are too many targets */
	bool barred;          /* it has been said that a page went where nobody may look */
	const char *seen[BROWSER_MOST_SEEN]; /* origins */
	size_t seen_count;
	bool seen_more; /* there were others */
};

/* browser.c: one that has no launcher yet; and its CDP over fd, which it takes over, until the first page is there. */
struct browser *browser_new(const struct environment *environment, const struct browser_events *events, void *owner);
int browser_speak(struct browser *b, int fd, int64_t deadline);

/* target.c: as browser_hear_answers() has it. */
void target_hear_answers(struct browser *b, const struct target *t);

/* targets.c: what the browser's end of CDP says, and the targets that come of it. */
void targets_event(struct cdp *c, void *browser, const char *session, const char *method, const struct cbor *params);
void targets_free(struct browser *b);
