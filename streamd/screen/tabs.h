/* The tabs and windows of a screen's browser, as the person sees them: which there are, and which is in front. */
#pragma once

#include <stdint.h>

#include "common/arena.h"
#include "proto/viewer.h"
#include "streamd/browser/browser.h"

/* In the arena. */
void tabs_describe(struct browser *b, struct arena *arena, struct tabs_changed_event *ret);

/* By its number, or NULL. */
struct target *tabs_find(struct browser *b, int64_t number);

/* Closes it, if it is not the only one. */
void tabs_close(struct browser *b, struct target *page);
