/* The site's rule: when a sign-in is complete. */
#pragma once

#include "recipe/recipe.h"
#include "streamd/browser.h"
#include "streamd/state.h"

/*
 * Looks once. before is what the browser held before the person did anything (NULL: nothing is known, so whatever is there
 * counts as changed). 0 with *ret_met; why (size bytes) says what is missing, as a sentence. Or as cdp_call().
 */
int rule_check(struct browser *b, const struct recipe *recipe, const struct state *before, int64_t deadline,
	bool *ret_met, char *why, size_t size);

/* Whether the rule could be met as far as addresses tell: cheap enough for every change of a page. */
bool rule_addresses_fit(struct browser *b, const struct recipe *recipe, char *why, size_t size);

/*
 * Waits until two captures quiet_ms apart are equal, or cap_ms have passed. 0 with the rule still met or not, or as
 * cdp_call().
 */
int rule_settle(struct browser *b, const struct recipe *recipe, int64_t deadline);
