#include "recipe/date.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int date_parse(const char *s, struct tm *ret)
{
	struct tm tm = { .tm_hour = 12 }, same;

	for (int i = 0; i < 10; i++) {
		if (i == 4 || i == 7 ? s[i] != '-' : !isdigit((unsigned char)s[i]))
			return -EINVAL;
	}
	if (s[10] || sscanf(s, "%4d-%2d-%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday) != 3 || tm.tm_year < 1)
		return -EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	same = tm;
	timegm(&same); /* turns February 30 into March, and knows the week day */
	if (same.tm_mon != tm.tm_mon || same.tm_mday != tm.tm_mday)
		return -EINVAL;
	*ret = same;
	return 0;
}

/* Days since 1970-01-01 of a date. */
static int64_t date_number(const char *date)
{
	struct tm tm = { 0 };
	int64_t t;

	date_parse(date, &tm);
	t = (int64_t)timegm(&tm);
	return t / 86400 - (t % 86400 < 0);
}

void date_after(const char *from, int64_t days, char ret[11])
{
	time_t t = (time_t)((date_number(from) + days) * 86400);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(ret, 11, "%Y-%m-%d", &tm);
}

int64_t date_distance(const char *from, const char *to)
{
	return date_number(to) - date_number(from);
}
