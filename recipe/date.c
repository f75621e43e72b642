#include "recipe/date.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int date_parse(const char *s, struct tm *ret)
{
	struct tm tm = { .tm_hour = 12 }, same;
	int year, month, day;
	time_t t;

	for (int i = 0; i < 10; i++) {
		if (i == 4 || i == 7 ? s[i] != '-' : !isdigit((unsigned char)s[i]))
			return -EINVAL;
	}
	if (s[10] || sscanf(s, "%4d-%2d-%2d", &year, &month, &day) != 3 || year < 1)
		return -EINVAL;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	same = tm;
	t = timegm(&same); /* turns February 30 into March */
	if (same.tm_mon != tm.tm_mon || same.tm_mday != tm.tm_mday || !gmtime_r(&t, &same))
		return -EINVAL;
	*ret = same;
	return 0;
}

int64_t date_number(const struct tm *tm)
{
	struct tm copy = *tm;
	int64_t t;

	copy.tm_hour = copy.tm_min = copy.tm_sec = 0;
	t = (int64_t)timegm(&copy);
	return t / 86400 - (t % 86400 < 0);
}

void date_after(const char *from, int64_t days, char ret[11])
{
	struct tm tm = { 0 };
	time_t t;

	date_parse(from, &tm);
	t = (time_t)((date_number(&tm) + days) * 86400);
	gmtime_r(&t, &tm);
	strftime(ret, 11, "%Y-%m-%d", &tm);
}

int64_t date_distance(const char *from, const char *to)
{
	struct tm a, b;

	if (date_parse(from, &a) < 0 || date_parse(to, &b) < 0)
		return 0;
	return date_number(&b) - date_number(&a);
}
