/* The site's rule: when a sign-in is complete. */
#pragma once

#include "recipe/recipe.h"
#include "state/state.h"
#include "streamd/browser/browser.h"

/*
 * Looks once, at every shown page. before is what the browser held before the person did anything (NULL: nothing is known, so
 * whatever is there counts as changed). 0 with *ret the page that is signed in, or NO_TARGET; why (size bytes) says what is
 * missing, as a sentence, and is always written: "" when nothing is, or when the browser failed. Or as cdp_call().
 */
int rule_check(struct browser *b, const struct recipe *recipe, const struct state *before, int64_t deadline,
	struct target_ref *ret, char *why, size_t size);

/* Whether the rule could be met as far as addresses tell: cheap enough for every change of a page. why as above. */
bool rule_addresses_fit(struct browser *b, const struct recipe *recipe, char *why, size_t size);

/* Whether a cookie or an item that the rule names is there and another than it was then. 0 with *ret, or as cdp_call(). */
int rule_has_changed(struct browser *b, const struct recipe *recipe, const struct state *then, int64_t deadline, bool *ret);

/*
 * Waits until two captures quiet_ms apart are equal, or cap_ms have passed. 0 with the rule still met or not, or as
 * cdp_call().
 */
int rule_settle(struct browser *b, const struct recipe *recipe, int64_t deadline);
