/* Reading bookings. */
#include "botd/booking.h"

#include <stdlib.h>
#include <string.h>

#include "botd/state.h"
#include "common/cleanup.h"
#include "common/words.h"

#define PAGE        100
#define MOST_REASON 1024 /* bytes of it that are told: proto/botd.def */

/* NULL for NULL. */
static const char *text(struct call *call, const struct db_result *row, const char *column)
{
	return arena_strdup(call->arena, row_text(row, column));
}

void booking_read(struct call *call, const struct db_result *row, struct booking_info *ret)
{
	*ret = (struct booking_info){ .id = row_int(row, "id"),
		.site = text(call, row, "site"),
		.action = text(call, row, "action"),
		.title = text(call, row, "title"),
		.inputs = json_loads(row_words(row, "inputs"), 0, NULL),
		.state = text(call, row, "state"),
		.outcome = text(call, row, "outcome"),
		.reason = row_null(row, "reason") ? NULL : words_new(call->arena, MOST_REASON, "%s", row_words(row, "reason")),
		.step = row_int(row, "step"),
		.steps = row_int(row, "steps"),
		.sent_at_ms = row_time(row, "intent_at"),
		.answer = text(call, row, "answer"),
		.list_read_at_ms = row_time(row, "list_read_at"),
		.list_trouble = text(call, row, "list_trouble"),
		.next_look_at_ms = row_time(row, "next_look_at"),
		.told = row_bool(row, "told"),
		.attempts = row_int(row, "starts"),
		.created_at_ms = row_time(row, "created_at"),
		.finished_at_ms = row_time(row, "finished_at"),
		.picture = row_bool(row, "picture"),
		.plan = row_int(row, "plan"),
		.user = call->role == ROLE_CONTROL ? row_int(row, "user_id") : 0 };
	if (!ret->inputs)
		ret->inputs = json_object();
	call_keep(call, ret->inputs);
}

struct db_who booking_reader(const struct call *call)
{
	return call->role == ROLE_CONTROL ? DB_ROLE("stead_operator") : DB_USER(call->acting.user);
}

int booking_refuse(struct call *call, int64_t id)
{
	return call_refuse(call, ERR_not_found, "id", "There is no booking %lld%s.", (long long)id,
		call->role == ROLE_CONTROL ? "" : ", or it is not yours");
}

int booking_owner(struct call *call, int64_t id, struct db_who *ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r;

	if (call->role != ROLE_CONTROL) {
		*ret = DB_USER(call->acting.user);
		return 0;
	}
	r = db_read(botd_of(call)->db, DB_ROLE("stead_operator"), botd_deadline(call), &res,
		"SELECT user_id FROM jobs.bookings WHERE id = $1", DB_INT(id));
	if (r < 0)
		return r;
	if (!db_next(res))
		return booking_refuse(call, id);
	*ret = DB_USER(row_int(res, "user_id"));
	return 0;
}

int booking_find(struct call *call, struct db_who who, int64_t id, struct booking_info **ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(botd_of(call)->db, who, botd_deadline(call), &res,
		"SELECT " BOOKING_COLUMNS " FROM " BOOKING_TABLES " WHERE b.id = $1", DB_INT(id));

	if (r < 0)
		return r;
	if (!db_next(res))
		return booking_refuse(call, id);
	*ret = arena_alloc(call->arena, sizeof(**ret));
	booking_read(call, res, *ret);
	return 0;
}

int booking_show(struct call *call, const struct booking_show_params *params, struct booking_show_result *result)
{
	return booking_find(call, booking_reader(call), params->id, &result->booking);
}

int booking_list(struct call *call, const struct booking_list_params *params, struct booking_list_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int64_t before = params->before ? params->before : INT64_MAX, limit = params->limit ? params->limit : PAGE;
	int r;

	if (call->role == ROLE_CONTROL)
		r = db_read(botd_of(call)->db, booking_reader(call), botd_deadline(call), &res,
			"SELECT " BOOKING_COLUMNS " FROM " BOOKING_TABLES " WHERE b.id < $1 ORDER BY b.id DESC LIMIT $2",
			DB_INT(before), DB_INT(limit));
	else
		r = db_read(botd_of(call)->db, booking_reader(call), botd_deadline(call), &res,
			"SELECT " BOOKING_COLUMNS " FROM " BOOKING_TABLES " WHERE b.user_id = $3 AND b.id < $1 "
			"ORDER BY b.id DESC LIMIT $2", DB_INT(before), DB_INT(limit), DB_INT(call->acting.user));
	if (r < 0)
		return r;
	result->bookings = arena_array(call->arena, (size_t)db_rows(res), sizeof(*result->bookings));
	while (db_next(res))
		booking_read(call, res, &result->bookings[result->bookings_count++]);
	return 0;
}
