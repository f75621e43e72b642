/* Texts of several lines from a page, made to fit the rows of a method table; sentences are made with common/words.h. */
#pragma once

#include <stddef.h>

#include "common/arena.h"

/*
 * A copy of text of at most most bytes, made fit to be shown (words_clean_lines()). NULL if that leaves nothing, for an
 * optional text is left out rather than sent empty.
 */
const char *clip(struct arena *arena, const char *text, size_t most);

/* A text that is made already, or NULL likewise. */
static inline const char *unless_empty(const char *text)
{
	return *text ? text : NULL;
}
