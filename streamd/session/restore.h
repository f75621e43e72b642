/*
 * Restoring a captured session into a fresh browser whose network is cut, and reading it back: what is not there
 * afterwards, to the byte, was not restored.
 */
#pragma once

#include "state/state.h"
#include "streamd/browser/browser.h"

/*
 * Waits. 0; -EILSEQ when something does not read back as it was, -ENOSPC when there is no room for it, why says what; or as
 * cdp_call(), why says where. The
 * page ends on a blank document.
 */
int restore(struct target_ref page, const struct state *s, int64_t deadline, char *why, size_t size);
