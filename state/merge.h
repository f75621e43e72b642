/* Changing a captured session without a browser: what an HTTP step's answer set, say. */
#pragma once

#include "state/state.h"

/*
 * A new state, as s but with each of the count cookies in the place of the one that setting it replaces (state_cookie_is()), or
 * added; one that has ended by now (s since 1970) is taken out instead. -E2BIG when it becomes too large.
 */
int state_set_cookies(const struct state *s, const struct state_cookie *cookies, size_t count, double now, struct state **ret);
