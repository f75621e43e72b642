/* When a plan runs, as its person says it: checked, in the database's words, and in a sentence. */
#pragma once

#include "proto/botd.h"
#include "proto/call.h"

/*
 * Checks what was given, and fills in what was left out: days and times are in order then. today is the present day at the site.
 * What ret points to is the call's. 0 or REFUSED.
 */
int schedule_check(struct call *call, const struct plan_schedule *given, const char *today, struct plan_schedule *ret);

/* Whether it runs on one day alone. */
bool schedule_once(const struct plan_schedule *s);

/* As PostgreSQL writes arrays: "{1,5}", of a smallint[] whose 1 is Monday; "{08:00,17:30}", of a time[]. */
const char *schedule_days(struct arena *arena, const struct plan_schedule *s);
const char *schedule_times(struct arena *arena, const struct plan_schedule *s);

/* One of a row: days as "1 5", times as "08:00:00 17:30:00", first and last as days. */
void schedule_read(struct arena *arena, const char *days, const char *times, const char *first, const char *last,
	const char *missed, struct plan_schedule *ret);

/* "Every Monday and Friday at 08:00 and 17:30, until Saturday, 20 December 2025". */
const char *schedule_words(struct arena *arena, const struct plan_schedule *s);
