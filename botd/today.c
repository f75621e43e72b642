#include "botd/today.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The C library knows one time zone at a time; botd has one thread, and nothing else of it asks for local time. */
void today_at(const char *zone, int64_t wall_ms, char out[11])
{
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;

	setenv("TZ", zone ? zone : "UTC", 1);
	tzset();
	localtime_r(&t, &tm);
	strftime(out, 11, "%Y-%m-%d", &tm);
}
