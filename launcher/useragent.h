/* What a browser says it is when nobody has said otherwise. */
#pragma once

#include "proto/call.h"

/*
 * The user agent that a Chromium with a window sends, for the major version that the binary answers
 * to --version (30 to 70 ms). Headless, it would call itself HeadlessChrome. Memory of the call's
 * arena. REFUSED with a sentence.
 */
int useragent_of(struct call *call, const char *chromium, const char *profile, const char **ret);
