/*
 * Loading a page again, without sending again what made it: a page that came of a POST is opened by GET instead, for
 * Chromium would make the POST once more and ask nobody. A page that has not come yet is asked for anew.
 */
#pragma once

#include <stdbool.h>

#include "common/cbor.h"
#include "streamd/browser/browser.h"

/* Returns at once. */
void page_reload(struct target *page);

/* What a page's session says; true if it was for this alone. */
bool reload_event(struct target *page, const char *method, const struct cbor *params);
