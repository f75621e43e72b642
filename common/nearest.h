/*
 * Which of several names was probably meant by a word that is none of them, for "did you mean".
 *
 *	struct nearest n = nearest_to("prot");
 *	for each name: nearest_consider(&n, name);
 *	if (n.name) ... did you mean n.name?
 */
#pragma once

#include <stddef.h>

struct nearest {
	const char *word;
	const char *name; /* the nearest so far, or NULL while none is near enough; borrowed */
	size_t distance;
};

struct nearest nearest_to(const char *word);

/* name must live as long as n is looked at. */
void nearest_consider(struct nearest *n, const char *name);

/* How many letters must be put in, taken out, changed or swapped with their neighbour, to make one of the other. */
size_t nearest_distance(const char *a, const char *b);
