/* Withdrawing a booking, and queueing one again. */
#include <string.h>

#include "botd/booking.h"
#include "botd/state.h"
#include "common/cleanup.h"

/* A change to one row in one of the states that sql names, with a line in its log. 1 when it was made, 0 when not. */
static int change(struct call *call, struct db_who who, const char *sql, int64_t id)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_query(botd_of(call)->db, who, botd_deadline(call), &res, sql, DB_INT(id));

	return r < 0 ? r : db_changed(res) == 1;
}

#define WITH_LINE(update_, line_)                                                                  \
	"WITH b AS (" update_ " RETURNING id, user_id, attempt, last_line) "                       \
	"INSERT INTO jobs.lines (booking_id, n, user_id, attempt, level, text) "                   \
	"SELECT id, last_line, user_id, attempt, 'info', " line_ " FROM b"

#define CANCEL                                                                                     \
	WITH_LINE("UPDATE jobs.bookings SET state = 'cancelled', finished_at = clock_timestamp(), " \
		  "last_line = last_line + 1, reason = CASE WHEN intent_at IS NOT NULL THEN "      \
		  "'It may have been sent before; look at your bookings at the site.' END "        \
		  "WHERE id = $1 AND state IN ('queued', 'needs_sign_in')", "'Withdrawn.'")

#define RETRY                                                                                      \
	WITH_LINE("UPDATE jobs.bookings SET state = 'queued', outcome = NULL, reason = NULL, "     \
		  "finished_at = NULL, failures = 0, due_at = clock_timestamp(), picture = false, " \
		  "last_line = last_line + 1 WHERE id = $1 AND (state IN ('cancelled', 'needs_sign_in') OR " \
		  "(state = 'done' AND outcome NOT IN ('booked', 'waitlisted', 'already_booked')))", \
		"'Queued again.'")

static int refuse_cancel(struct call *call, const struct booking_info *b)
{
	if (strcmp(b->state, "cancelled") == 0)
		return 0; /* that is what was wanted */
	if (strcmp(b->state, "running") == 0)
		return call_refuse(call, ERR_conflict, "id",
			"Booking %lld is under way and can not be stopped safely; its log shows what comes of it.",
			(long long)b->id);
	return call_refuse(call, ERR_already, "id",
		"Booking %lld has ended already; to give up a place that is booked, use the site itself.", (long long)b->id);
}

int booking_cancel(struct call *call, const struct booking_cancel_params *params, struct booking_cancel_result *result)
{
	struct db_who who;
	int made = 0, r = booking_owner(call, params->id, &who);

	if (r == 0)
		r = made = change(call, who, CANCEL, params->id);
	if (r >= 0)
		r = booking_find(call, who, params->id, &result->booking);
	return r < 0 || made ? r : refuse_cancel(call, result->booking);
}

static int refuse_retry(struct call *call, const struct booking_info *b)
{
	if (strcmp(b->state, "done") == 0)
		return call_refuse(call, ERR_already, "id", "Booking %lld has ended well; there is nothing to try again.",
			(long long)b->id);
	return 0; /* it is queued or under way: that is what was wanted */
}

int booking_retry(struct call *call, const struct booking_retry_params *params, struct booking_retry_result *result)
{
	struct db_who who;
	int made = 0, r = booking_owner(call, params->id, &who);

	if (r == 0)
		r = made = change(call, who, RETRY, params->id);
	if (r >= 0)
		r = booking_find(call, who, params->id, &result->booking);
	return r < 0 || made ? r : refuse_retry(call, result->booking);
}
