/*
 * What scripts of pages fetch, as long as it has not come: it may be what is yet to be shown. Known once browser_hear_answers() is
 * on. For targets.c, which hears of it, and whoever waits for a page.
 */
#pragma once

#include "streamd/browser.h"

/* An event of the Network domain, of a target's session. */
void fetches_note(struct target *t, const char *method, const struct cbor *params);

/* Its document is another now, or it goes. */
void fetches_forget(struct target *t);

/*
 * Of what scripts of the page and of frames of other hosts fetch now, but for addresses that fit the patterns: what began first,
 * and when, monotonic ms; NULL: nothing. Pages behind it do not count, as the one that acts and waits for its answer. Borrowed,
 * until the next wait.
 */
const struct url *page_fetching(const struct target *page, const char *const *but, size_t count, int64_t *ret_since);
