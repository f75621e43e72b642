#include "botd/lines.h"

#include "botd/booking.h"
#include "botd/state.h"
#include "common/cleanup.h"

#define PAGE 1000

int lines_read(struct call *call, struct db_who who, int64_t booking, int64_t after, int64_t limit,
	struct arena *arena, struct log_line **ret, size_t *ret_count)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	struct log_line *lines;
	size_t n = 0;
	int r = db_read(botd_of(call)->db, who, botd_deadline(call), &res,
		"SELECT n, at, level, text FROM jobs.lines WHERE job_id = $1 AND n > $2 ORDER BY n LIMIT $3",
		DB_INT(booking), DB_INT(after), DB_INT(limit));

	if (r < 0)
		return r;
	lines = arena_array(arena, (size_t)db_rows(res), sizeof(*lines));
	while (db_next(res))
		lines[n++] = (struct log_line){ .n = row_int(res, "n"),
			.at_ms = row_time(res, "at"),
			.level = arena_strdup(arena, row_words(res, "level")),
			.text = arena_strdup(arena, row_words(res, "text")) };
	*ret = lines;
	*ret_count = n;
	return 0;
}

int booking_log(struct call *call, const struct booking_log_params *params, struct booking_log_result *result)
{
	struct booking_info *booking;
	size_t count = 0;
	int r = booking_find(call, booking_reader(call), params->id, &booking);

	if (r == 0) /* one more than is told, to know whether there is one */
		r = lines_read(call, booking_reader(call), params->id, params->after, PAGE + 1, call->arena,
			&result->lines, &count);
	if (r < 0)
		return r;
	result->more = count > PAGE;
	result->lines_count = count > PAGE ? PAGE : count;
	return 0;
}
