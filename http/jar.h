/*
 * A captured session's cookies as HTTP has them: which go with a request, and what an answer sets.
 *
 * Source: draft-ietf-httpbis-rfc6265bis-22 sections 5.6 to 5.8, with what Chromium does beyond it: partitions (CHIPS), Priority,
 * and no SameSite=None without Secure. A request of Stead's counts as the page's own, so that SameSite keeps none back.
 */
#pragma once

#include <stdbool.h>

#include "state/state.h"

struct arena;

/* The value of Cookie for a request to url, now in s since 1970; NULL: none goes, or url is no address of a site. */
const char *jar_header(struct arena *arena, const struct state *s, const char *url, double now);

/*
 * What one Set-Cookie of an answer from url sets; texts in the arena. One that takes a cookie out has ended by now. False: it
 * is to be ignored, as a browser would.
 */
bool jar_read(struct arena *arena, const struct state *s, const char *url, const char *line, double now, struct state_cookie *ret);
