/*
 * Capturing a session: cookies, and for each storage key localStorage, sessionStorage and IndexedDB, of every frame.
 */
#pragma once

#include "recipe/recipe.h"
#include "state/state.h"
#include "streamd/browser/browser.h"

/*
 * Captures what the shown pages and their frames hold. first (NO_TARGET: the oldest): the page of which what tabs have each of
 * their own (sessionStorage) is taken where others have it, too. Waits. 0 with a new state; -E2BIG when it is larger than
 * STATE_MOST; or as cdp_call().
 */
int capture(struct browser *b, struct target_ref first, const struct recipe *recipe, int64_t deadline, struct state **ret);

/*
 * The same, and also what no frame shows any more: origins that pages have left (read through
 * hidden blank tabs), and areas that this browser was given (before, may be NULL) and has not shown. Only for a browser whose
 * network is cut.
 */
int capture_whole(struct browser *b, struct target_ref first, const struct recipe *recipe, const struct state *before,
	int64_t deadline, struct state **ret);
