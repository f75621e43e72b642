/* Times in ms, and what of them is told: count, median, 95th percentile. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct samples {
	double *ms;
	size_t count, room;
};

static inline double wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static inline void samples_add(struct samples *s, double ms)
{
	if (s->count == s->room) {
		s->room = s->room ? 2 * s->room : 256;
		s->ms = realloc(s->ms, s->room * sizeof(*s->ms));
		if (!s->ms)
			abort();
	}
	s->ms[s->count++] = ms;
}

static inline int samples_by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* 0 when there is none. */
static inline double samples_at(struct samples *s, double quantile)
{
	if (!s->count)
		return 0;
	qsort(s->ms, s->count, sizeof(*s->ms), samples_by_size);
	return s->ms[(size_t)((double)(s->count - 1) * quantile)];
}

/* One line: ours, the bare way, and how they compare. */
static inline void samples_compare(const char *what, struct samples *ours, struct samples *bare)
{
	double a = samples_at(ours, 0.5), b = samples_at(bare, 0.5);

	printf("%-34s n=%-5zu %7.2f %7.2f   n=%-5zu %7.2f %7.2f   %+6.2f ms  x %.2f\n", what, ours->count, a,
		samples_at(ours, 0.95), bare->count, b, samples_at(bare, 0.95), a - b, b > 0 ? a / b : 0);
}
