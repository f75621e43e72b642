#include "botd/today.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The C library knows one time zone at a time; botd has one thread, and nothing else of it asks for local time. */
static struct tm at(const char *zone, int64_t wall_ms)
{
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;

	setenv("TZ", zone ? zone : "UTC", 1);
	tzset();
	localtime_r(&t, &tm);
	return tm;
}

void today_at(const char *zone, int64_t wall_ms, char out[11])
{
	struct tm tm = at(zone, wall_ms);

	strftime(out, 11, "%Y-%m-%d", &tm);
}

void clock_at(const char *zone, int64_t wall_ms, char out[9])
{
	struct tm tm = at(zone, wall_ms);

	strftime(out, 9, "%H:%M:%S", &tm);
}
