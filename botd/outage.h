/*
 * Sites that are not well just now, and when each is tried again: after pauses that grow, and not before the site itself
 * wants it. Kept in memory, and of a site, not of a booking: however many wait for it, it is asked as often.
 */
#pragma once

#include <stdint.h>

struct outages;

/* old_ms: when nobody has asked for so long after a pause, the site may have been well meanwhile: the next is another outage. */
struct outages *outages_new(int64_t old_ms);

/* Takes NULL, returns NULL. */
struct outages *outages_free(struct outages *o);

/*
 * The site was just found not well; it wants to be left alone for asked_ms (0: it does not say). first_ms: the first pause.
 * In how many ms it is to be tried again.
 */
int64_t outage_note(struct outages *o, const char *site, int64_t asked_ms, int64_t first_ms);

/* In how many ms it may be tried; 0: now. */
int64_t outage_left_ms(const struct outages *o, const char *site);

/* For how long it has not been well, in ms; 0: it is, as far as is known. */
int64_t outage_lasted_ms(const struct outages *o, const char *site);

/* It works. */
void outage_over(struct outages *o, const char *site);
