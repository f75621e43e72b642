/* Which day it is at a site. */
#pragma once

/* "2025-11-20" in the time zone (UTC if NULL) at wall clock ms. */
#include <stdint.h>

void today_at(const char *zone, int64_t wall_ms, char out[11]);

/* "12:04:10", likewise. */
void clock_at(const char *zone, int64_t wall_ms, char out[9]);
