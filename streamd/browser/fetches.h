/*
 * What scripts of pages fetch: as long as it has not come it may be what is yet to be shown, and while the last answer was an
 * error, what is shown may be for want of it. Known once browser_hear_answers() is on. For targets.c, which hears of it, and
 * whoever waits for a page.
 */
#pragma once

#include "streamd/browser/browser.h"

/* An event of the Network domain, of a target's session. */
void fetches_note(struct target *t, const char *method, const struct cbor *params);

/* A document in it is another now, or goes: that of this frame; NULL: all. */
void fetches_forget(struct target *t, const char *frame);

/* Which do not matter: to hosts that the recipe lets nobody reach (NULL: that is not asked), and addresses that fit a pattern. */
struct fetches_but {
	const struct recipe *recipe;
	const char *const *patterns;
	size_t count;
};

/*
 * Of what scripts of the page and of frames of other hosts fetch, or have got to its end since then (monotonic ms), but for some:
 * what began first; NULL: nothing. Pages behind it do not count, as the one that acts and waits for its answer. Borrowed, until
 * the next wait.
 */
const struct fetch *page_fetching(const struct target *page, const struct fetches_but *but, int64_t since);

/*
 * The same of what they have asked for since their documents came and was last answered with an error, or not at all; down: by an
 * outage of the site. What acts is none of them, nor what its going alone broke off: act.h tells what becomes of that.
 */
const struct fetch *page_failed(const struct target *page, const struct fetches_but *but, bool down);

/*
 * Before a page is left, or its browser closed: waits until what its scripts and those of its frames have asked for of late is
 * answered, for that may be a token which the site takes from now on in place of the one at hand. What has not been for two
 * seconds is left open on purpose. 0 or -ECANCELED.
 */
int page_await_fetched(struct target_ref page);

/* What became of one that has failed, as the end of a sentence: "answers 503 (it is not available now)". In the arena. */
const char *fetch_words(struct arena *arena, const struct fetch *f);
