#include "botd/schedule.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/span.h"
#include "common/words.h"
#include "recipe/date.h"

#define DAYS       7
#define DAY_S      86400
#define LEAST_S    900 /* between two runs: a person's habit, not a poll */
#define MOST_WORDS 512

static const struct { const char *name, *words; } week[DAYS] = { { "mon", "Monday" }, { "tue", "Tuesday" }, { "wed", "Wednesday" },
	{ "thu", "Thursday" }, { "fri", "Friday" }, { "sat", "Saturday" }, { "sun", "Sunday" } };

/* Its number, 0 for Monday; -1: there is no such day. */
static int day_number(const char *name)
{
	for (int i = 0; i < DAYS; i++)
		if (strcmp(week[i].name, name) == 0)
			return i;
	return -1;
}

/* 1 to 7 are one bit each. */
static unsigned day_bits(const struct plan_schedule *s)
{
	unsigned bits = 0;

	for (size_t i = 0; i < s->days_count; i++)
		bits |= 1u << day_number(s->days[i]);
	return bits;
}

static void put_days(struct call *call, unsigned bits, struct plan_schedule *ret)
{
	ret->days = arena_array(call->arena, DAYS, sizeof(*ret->days));
	for (int i = 0; i < DAYS; i++)
		if (bits & 1u << i)
			ret->days[ret->days_count++] = week[i].name;
}

static int check_days(struct call *call, const struct plan_schedule *given, struct plan_schedule *ret)
{
	for (size_t i = 0; i < given->days_count; i++)
		if (day_number(given->days[i]) < 0)
			return call_refuse(call, ERR_invalid, "schedule.days",
				"\"%s\" is no day of the week; write mon, tue, wed, thu, fri, sat or sun.", given->days[i]);
	put_days(call, given->days_count ? day_bits(given) : (1u << DAYS) - 1, ret);
	return 0;
}

/* Seconds since midnight; -1: it is no such time. */
static int time_seconds(const char *text)
{
	static const char form[] = "dd:dd:dd";
	size_t n = strlen(text);
	int h, m, s;

	if (n != 5 && n != 8)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
			return -1;
	h = atoi(text);
	m = atoi(text + 3);
	s = n == 8 ? atoi(text + 6) : 0;
	return h < 24 && m < 60 && s < 60 ? (h * 60 + m) * 60 + s : -1;
}

/* The seconds only where there are any. */
static const char *time_text(struct arena *arena, int s)
{
	return s % 60 ? arena_printf(arena, "%02d:%02d:%02d", s / 3600, s / 60 % 60, s % 60) :
		arena_printf(arena, "%02d:%02d", s / 3600, s / 60 % 60);
}

static int compare_times(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Also from the last of a day to the first of the next. */
static bool times_apart(const int *times, size_t n)
{
	for (size_t i = 0; n > 1 && i < n; i++)
		if ((i + 1 < n ? times[i + 1] : times[0] + DAY_S) - times[i] < LEAST_S)
			return false;
	return true;
}

static int check_times(struct call *call, const struct plan_schedule *given, struct plan_schedule *ret)
{
	size_t n = given->times_count;
	int *times = arena_array(call->arena, n, sizeof(*times));

	if (n == 0)
		return call_refuse(call, ERR_invalid, "schedule.times", "Give at least one time of the day, as in 08:00.");
	for (size_t i = 0; i < n; i++) {
		times[i] = time_seconds(given->times[i]);
		if (times[i] < 0)
			return call_refuse(call, ERR_invalid, "schedule.times", "\"%s\" is no time of the day; write it as 08:00.",
				given->times[i]);
	}
	qsort(times, n, sizeof(*times), compare_times);
	if (!times_apart(times, n))
		return call_refuse(call, ERR_invalid, "schedule.times",
			"A plan runs every %d minutes at most; leave out one of its times.", LEAST_S / 60);
	ret->times = arena_array(call->arena, n, sizeof(*ret->times));
	for (size_t i = 0; i < n; i++)
		ret->times[ret->times_count++] = time_text(call->arena, times[i]);
	return 0;
}

static int check_date(struct call *call, const char *field, const char *date)
{
	struct tm tm;

	return !date || date_parse(date, &tm) == 0 ? 0 :
		call_refuse(call, ERR_invalid, field, "\"%s\" is no day of the calendar; write it as 2025-11-20.", date);
}

int schedule_check(struct call *call, const struct plan_schedule *given, const char *today, struct plan_schedule *ret)
{
	struct plan_schedule s = { .first = given->first ?: arena_strdup(call->arena, today), .last = given->last,
		.missed = given->missed ?: "run_late" };
	int r = check_date(call, "schedule.first", s.first);

	if (r == 0)
		r = check_date(call, "schedule.last", s.last);
	if (r == 0 && s.last && strcmp(s.last, s.first) < 0)
		r = call_refuse(call, ERR_invalid, "schedule.last", "The last day (%s) is before the first (%s); choose a later one.", s.last,
			s.first);
	if (r == 0)
		r = check_days(call, given, &s);
	if (r == 0)
		r = check_times(call, given, &s);
	if (r == 0)
		*ret = s;
	return r;
}

bool schedule_once(const struct plan_schedule *s)
{
	return s->last && strcmp(s->first, s->last) == 0;
}

const char *schedule_days(struct arena *arena, const struct plan_schedule *s)
{
	const char *all = "";

	for (size_t i = 0; i < s->days_count; i++)
		all = arena_printf(arena, "%s%s%d", all, *all ? "," : "", day_number(s->days[i]) + 1);
	return arena_printf(arena, "{%s}", all);
}

const char *schedule_times(struct arena *arena, const struct plan_schedule *s)
{
	const char *all = "";

	for (size_t i = 0; i < s->times_count; i++)
		all = arena_printf(arena, "%s%s%s", all, *all ? "," : "", s->times[i]);
	return arena_printf(arena, "{%s}", all);
}

void schedule_read(struct arena *arena, const char *days, const char *times, const char *first, const char *last,
	const char *missed, struct plan_schedule *ret)
{
	struct span rest = span_of(times), piece;

	*ret = (struct plan_schedule){ .first = arena_strdup(arena, first), .last = arena_strdup(arena, last),
		.missed = arena_strdup(arena, missed) };
	ret->days = arena_array(arena, DAYS, sizeof(*ret->days));
	for (; *days; days++)
		if (*days >= '1' && *days <= '0' + DAYS)
			ret->days[ret->days_count++] = week[*days - '1'].name;
	ret->times = arena_array(arena, strlen(times) / 8 + 1, sizeof(*ret->times));
	while (span_next(&rest, " ", &piece))
		ret->times[ret->times_count++] = time_text(arena, time_seconds(arena_memdup(arena, piece.p, piece.n)));
}

/* ", " between two, " and " before the last. */
static const char *between(size_t i, size_t n)
{
	return i == 0 ? "" : i + 1 == n ? " and " : ", ";
}

static const char *days_words(struct arena *arena, const struct plan_schedule *s)
{
	const char *all = "";

	if (s->days_count == DAYS)
		return "day";
	if (day_bits(s) == 0x1f)
		return "working day";
	for (size_t i = 0; i < s->days_count; i++)
		all = arena_printf(arena, "%s%s%s", all, between(i, s->days_count), week[day_number(s->days[i])].words);
	return all;
}

static const char *times_words(struct arena *arena, const struct plan_schedule *s)
{
	const char *all = "";

	for (size_t i = 0; i < s->times_count; i++)
		all = arena_printf(arena, "%s%s%s", all, between(i, s->times_count), s->times[i]);
	return all;
}

/* "Tuesday, 8 December 2026" */
static const char *date_words(struct arena *arena, const char *date)
{
	char text[64] = "";
	struct tm tm;

	if (date && date_parse(date, &tm) == 0)
		strftime(text, sizeof(text), "%A, %-d %B %Y", &tm);
	return arena_strdup(arena, text);
}

const char *schedule_words(struct arena *arena, const struct plan_schedule *s)
{
	const char *times = times_words(arena, s), *last = date_words(arena, s->last);

	if (schedule_once(s))
		return words_new(arena, MOST_WORDS, "Once, on %s at %s", last, times);
	return words_new(arena, MOST_WORDS, "Every %s at %s%s%s", days_words(arena, s), times, *last ? ", until " : "", last);
}
