/* Texts from a page, made to fit the rows of a method table. */
#pragma once

#include <stddef.h>

#include "common/arena.h"

/*
 * A copy of text of at most most bytes, cut between characters, its control characters but newline and tab as spaces.
 * NULL if that leaves nothing, for an optional text is left out rather than sent empty.
 */
const char *clip(struct arena *arena, const char *text, size_t most);

/* An address without what may be secret in it: user, query and fragment. In the arena. */
const char *clip_url(struct arena *arena, const char *url);
