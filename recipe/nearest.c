#include "recipe/nearest.h"

#include <string.h>

#define LONGEST 63
#define FAR     99

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's, a row at a time. */
unsigned word_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned row[LONGEST + 1];

	if (n > LONGEST || m > LONGEST)
		return FAR;
	for (size_t j = 0; j <= m; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned changed = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = least(row[j] + 1, row[j - 1] + 1, changed);
		}
	}
	return row[m];
}

void nearest_try(struct nearest *n, const char *word, const char *candidate)
{
	unsigned d = word_distance(word, candidate);
	unsigned most = (unsigned)strlen(candidate) / 3;

	if (d > (most > 2 ? most : 2) || (n->word && d >= n->distance))
		return;
	n->word = candidate;
	n->distance = d;
}
