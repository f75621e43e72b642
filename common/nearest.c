#include "common/nearest.h"

#include <string.h>

#define MOST 64 /* bytes of a word; what is longer is no slip of a name of ours */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment; rows[0] is the present one, rows[1] and rows[2] those before. */
static void next_row(size_t rows[3][MOST + 1], const char *a, size_t i, const char *b, size_t m)
{
	memmove(rows[1], rows[0], 2 * sizeof(*rows));
	rows[0][0] = i + 1;
	for (size_t j = 0; j < m; j++) {
		rows[0][j + 1] = least(least(rows[1][j + 1], rows[0][j]) + 1, rows[1][j] + (a[i] != b[j]));
		if (i && j && a[i] == b[j - 1] && a[i - 1] == b[j])
			rows[0][j + 1] = least(rows[0][j + 1], rows[2][j - 1] + 1);
	}
}

size_t nearest_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), rows[3][MOST + 1] = { 0 };

	if (n > MOST || m > MOST)
		return n > m ? n : m;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 0; i < n; i++)
		next_row(rows, a, i, b, m);
	return rows[0][m];
}

/* A slip, and not another word: one letter of three at most. */
struct nearest nearest_to(const char *word)
{
	return (struct nearest){ .word = word, .distance = strlen(word) / 3 + (strlen(word) == 2) + 1 };
}

void nearest_consider(struct nearest *n, const char *name)
{
	size_t distance = nearest_distance(n->word, name);

	if (distance >= n->distance)
		return;
	n->distance = distance;
	n->name = name;
}
