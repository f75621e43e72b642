/* What viewers are told of a page. */
#pragma once

#include "common/arena.h"
#include "proto/viewer.h"
#include "streamd/browser/browser.h"

/* Fills the event; an address or a title that is too long is cut, for a viewer must never go on showing the old one. */
void target_describe(const struct target *t, struct arena *arena, struct page_changed_event *ret);
