/* What is wrong with a recipe: sentences as "FILE:LINE: key: what is wrong". (private to recipe/) */
#pragma once

#include <stddef.h>

#include "common/arena.h"

#define MOST_MISTAKES 100 /* more than a writer mends at once; the rest is counted */

struct mistake {
	unsigned line;     /* 0: of the file as a whole */
	const char *place; /* "actions.book.steps[2].at"; "": the document */
	const char *words;
	const char *about; /* the place that cannot be judged because of it: that one, or what a misspelt key was meant for */
};

struct mistakes {
	struct mistake items[MOST_MISTAKES];
	size_t count; /* of items */
	size_t more;  /* that had no room */
};

/* place and words: of an arena that lives as long. */
void mistakes_add(struct mistakes *m, unsigned line, const char *place, const char *words);

/* How many there are, told or not. */
size_t mistakes_total(const struct mistakes *m);

/* In the order of the file's lines; those of one line as they were found. */
void mistakes_sort(struct mistakes *m);

/* The sentence of one that has been found. file: NULL, there is none. In the arena. */
const char *mistake_words(struct arena *arena, const char *file, const struct mistake *m);
