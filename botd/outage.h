/*
 * Sites that are not well just now, and when each is tried again: after pauses that grow, and not before the site itself
 * wants it. Kept in memory, and of a site, not of a booking: however many wait for it, it is asked as often.
 *
 * A site is met out of order at a place: where the probe looks, which is everybody's matter, or further on, at the list or
 * a step of an action, which is of that action's bookings only. An outage lasts until somebody has got past the furthest
 * place where it was met: that what comes before answers is no sign that it is over.
 */
#pragma once

#include <limits.h>
#include <stdint.h>
#include <sys/queue.h>

/* Those there are. Begins as { .old_ms = ... }. */
struct outages {
	int64_t old_ms; /* when nobody has asked for so long after a pause, it may have been well meanwhile: the next is another */
	LIST_HEAD(, outage) list;
};

/* In the order in which a booking comes to them. */
enum place {
	PLACE_UNASKED, /* none: the site was not asked */
	PLACE_PROBE,
	PLACE_LIST,
	PLACE_STEP,    /* the first step of the action; each further one is one more */
	PLACE_ALL = INT_MAX,
};

struct spot {
	const char *site, *action;
	int place;
};

void outages_free(struct outages *o);

/*
 * The site was just found not well there; it wants to be left alone for asked_ms (0: it does not say). first_ms: the first
 * pause. In how many ms it is to be tried again.
 */
int64_t outage_note(struct outages *o, const struct spot *at, int64_t asked_ms, int64_t first_ms);

/* In how many ms whoever has to come as far as that may try it; 0: now. */
int64_t outage_left_ms(const struct outages *o, const struct spot *to);

/* For how long somewhere on the way there has not been well, in ms; 0: all is, as far as is known. */
int64_t outage_lasted_ms(const struct outages *o, const struct spot *to);

/* Somebody has got past that spot. */
void outage_past(struct outages *o, const struct spot *at);
