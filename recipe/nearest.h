/* Which of several words was probably meant. (private to recipe/) */
#pragma once

#include <stddef.h>

/* How many single changes turn a into b; capped at 99. Words longer than 63 bytes are that far from any. */
unsigned word_distance(const char *a, const char *b);

struct nearest {
	const char *word;
	unsigned distance;
};

/* Keeps candidate in n if it is nearer to word than what is there; a third of its letters may differ, at least two. */
void nearest_try(struct nearest *n, const char *word, const char *candidate);
