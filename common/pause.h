/* Pauses between tries: each twice as long as the one before, up to a longest. */
#pragma once

#include <stdint.h>

/* The pause after one of so many ms. */
static inline int64_t pause_longer(int64_t ms, int64_t longest)
{
	return ms < longest / 2 ? ms * 2 : longest;
}

/* The pause after so many failures in a row: first, when there were none before. */
static inline int64_t pause_after(int64_t first, int64_t failures, int64_t longest)
{
	int64_t ms = first < longest ? first : longest;

	for (int64_t i = 0; i < failures && ms < longest; i++)
		ms = pause_longer(ms, longest);
	return ms;
}
