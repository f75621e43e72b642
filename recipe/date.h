/* Days of the calendar (proleptic Gregorian), without times or zones. */
#pragma once

#include <stdint.h>
#include <time.h>

/* "2025-11-20", exactly so, and a day that exists. ret has its week day too. -EINVAL otherwise. */
int date_parse(const char *s, struct tm *ret);

/* The day so many days after from, which must be a date; not beyond the year 9999. */
void date_after(const char *from, int64_t days, char ret[11]);

/* How many days after from to is. Both must be dates. */
int64_t date_distance(const char *from, const char *to);
