/* Reading bookings. */
#include "botd/booking.h"

#include <stdlib.h>
#include <string.h>

#include "botd/state.h"
#include "common/cleanup.h"

#define PAGE 100

static const char *text(struct call *call, const struct db_result *res, int row, const char *column)
{
	return arena_strdup(call->arena, db_text(res, row, column));
}

void booking_read(struct call *call, const struct db_result *res, int row, struct booking_info *ret)
{
	*ret = (struct booking_info){ .id = db_int(res, row, "id"),
		.site = text(call, res, row, "site"),
		.action = text(call, res, row, "action"),
		.title = text(call, res, row, "title"),
		.inputs = json_loads(db_text(res, row, "inputs"), 0, NULL),
		.state = text(call, res, row, "state"),
		.outcome = text(call, res, row, "outcome"),
		.reason = text(call, res, row, "reason"),
		.attempts = db_int(res, row, "starts"),
		.created_at_ms = db_time(res, row, "created_at"),
		.finished_at_ms = db_null(res, row, "finished_at") ? 0 : db_time(res, row, "finished_at"),
		.picture = db_bool(res, row, "picture"),
		.user = call->role == ROLE_CONTROL ? db_int(res, row, "user_id") : 0 };
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
	return call_refuse(call, ERR_not_found, "id", "There is no booking %lld, or it is not yours.", (long long)id);
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
	if (db_rows(res) == 0)
		return booking_refuse(call, id);
	*ret = DB_USER(db_int(res, 0, "user_id"));
	return 0;
}

int booking_find(struct call *call, struct db_who who, int64_t id, struct booking_info **ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(botd_of(call)->db, who, botd_deadline(call), &res,
		"SELECT " BOOKING_COLUMNS " FROM jobs.bookings b WHERE b.id = $1", DB_INT(id));

	if (r < 0)
		return r;
	if (db_rows(res) == 0)
		return booking_refuse(call, id);
	*ret = arena_alloc(call->arena, sizeof(**ret));
	booking_read(call, res, 0, *ret);
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
			"SELECT " BOOKING_COLUMNS " FROM jobs.bookings b WHERE b.id < $1 ORDER BY b.id DESC LIMIT $2",
			DB_INT(before), DB_INT(limit));
	else
		r = db_read(botd_of(call)->db, booking_reader(call), botd_deadline(call), &res,
			"SELECT " BOOKING_COLUMNS " FROM jobs.bookings b WHERE b.user_id = $3 AND b.id < $1 "
			"ORDER BY b.id DESC LIMIT $2", DB_INT(before), DB_INT(limit), DB_INT(call->acting.user));
	if (r < 0)
		return r;
	result->bookings_count = (size_t)db_rows(res);
	result->bookings = arena_array(call->arena, result->bookings_count, sizeof(*result->bookings));
	for (int i = 0; i < db_rows(res); i++)
		booking_read(call, res, i, &result->bookings[i]);
	return 0;
}
