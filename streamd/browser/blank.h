/*
 * Blank documents in place of the network (Fetch domain): how storage of a site is written and read without any of its
 * code running, and without one request leaving the browser.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "streamd/browser/cdp.h"

struct blank;

/* origins[0] is the page's, each further one that of a frame within the one before. Copied. */
struct blank *blank_new(const char *const *origins, size_t count);
struct blank *blank_free(struct blank *b);

/* Answers one Fetch.requestPaused. b may be NULL: then the request simply goes on. */
void blank_answer(const struct blank *b, struct cdp *cdp, const char *session, const struct cbor *params);

/* The address of the blank document at that depth, for origins[depth]. In the arena. */
char *blank_url(struct arena *arena, const char *origin, size_t depth);

/* Whether it is the address of a blank document, so that there is nothing of the site's to see there. */
bool blank_is_at(const char *url);
