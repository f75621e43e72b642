/* What a person does with a booking: withdraws it, queues it again, has it looked for, says whether it happened. */
#include <string.h>

#include "botd/booking.h"
#include "botd/outcome.h"
#include "botd/state.h"
#include "common/cleanup.h"

/* Once it was changed, a database that is lost before it is read has not done nothing. */
static int read_changed(struct call *call, struct db_who who, int64_t id, bool made, struct booking_info **ret)
{
	int r = booking_find(call, who, id, ret);

	if (r >= 0 || r == REFUSED || r == -ECANCELED || !made)
		return r;
	return call_refuse(call, ERR_maybe_done, NULL,
		"The database was lost just as booking %lld had been changed; look at it before you repeat this.", (long long)id);
}

/*
 * A change to one booking that is in one of the states which sql names, with a line in its log; then the booking as it is. 0 when
 * it was made, 1 when not.
 */
#define change(call_, id_, ret_, sql_, ...) change_row(call_, id_, ret_, sql_, DB_ARGS(__VA_ARGS__), DB_COUNT(__VA_ARGS__))

static int change_row(struct call *call, int64_t id, struct booking_info **ret, const char *sql, const struct db_arg *args,
	size_t n)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	struct db_who who;
	bool made;
	int r = booking_owner(call, id, &who);

	if (r == 0)
		r = db_run(botd_of(call)->db, who, botd_deadline(call), false, &res, sql, args, n);
	if (r < 0)
		return r;
	made = db_changed(res) == 1;
	r = read_changed(call, who, id, made, ret);
	return r < 0 ? r : !made;
}

/*
 * The booking and its job, if they are in a state that where_ names; what is set of each of them, and the line that says so, of the
 * columns that both then have.
 */
#define CHANGE(where_, job_, booking_, line_)                                                      \
	"WITH x AS (SELECT b.id, b.intent_at, j.state AS was, coalesce(j.finished_at, j.created_at) AS ended_at FROM " BOOKING_TABLES " WHERE b.id = $1 AND " where_ \
	" FOR UPDATE OF j, b), "                                                                   \
	"j AS (UPDATE jobs.jobs j SET " job_ ", last_line = j.last_line + 1 FROM x WHERE j.id = x.id " \
	"RETURNING j.id, j.user_id, j.attempt, j.last_line, j.outcome, j.cancel), "                          \
	"b AS (UPDATE jobs.bookings b SET " booking_ " FROM x WHERE b.id = x.id) "                 \
	"INSERT INTO jobs.lines (job_id, n, user_id, attempt, level, text) "                       \
	"SELECT id, last_line, user_id, attempt, 'info', " line_ " FROM j"

#define WELL   "('booked', 'waitlisted', 'already_booked')"
#define QUEUED "('scheduled', 'behind', 'queued')"

/*
 * It may have been sent, and nothing has settled what came of it: what is settled has ended well or has no intent_at any more.
 * A row whose looks nobody is at just now.
 */
#define UNSETTLED                                                                                  \
	"(j.state = 'done' AND (j.outcome = 'unconfirmed' OR b.intent_at IS NOT NULL AND j.outcome NOT IN " WELL ") OR " \
	"(j.state IN " QUEUED " OR j.state = 'waiting') AND b.intent_at IS NOT NULL AND NOT b.again)"

/* What may have been sent cannot be withdrawn; it is looked for no more. What is under way is withdrawn by whoever has it. */
#define CANCEL                                                                                     \
	CHANGE("(j.state IN " QUEUED " OR j.state = 'waiting' OR j.state = 'running' AND b.intent_at IS NULL AND NOT j.cancel)", \
		"state = CASE WHEN x.was = 'running' THEN x.was WHEN x.intent_at IS NULL THEN 'cancelled' ELSE 'done' END, " \
		"cancel = x.was = 'running', "                                                     \
		"outcome = CASE WHEN x.intent_at IS NOT NULL THEN 'unconfirmed' END, "             \
		"reason = CASE WHEN x.intent_at IS NOT NULL THEN 'It may have been sent, and is looked for no more.' " \
		"WHEN x.was = 'running' THEN 'It is being withdrawn.' END, "                       \
		"finished_at = CASE WHEN x.was <> 'running' THEN clock_timestamp() END", "told = b.told",                                \
		"CASE WHEN cancel THEN 'To be withdrawn.' WHEN outcome IS NULL THEN 'Withdrawn.' ELSE 'It is looked for no more.' END")

/* $2: also one that may have been sent. What waits for a sign-in to be looked for still is only looked for. */
#define RETRY                                                                                      \
	CHANGE("(j.state IN ('cancelled', 'waiting') OR (j.state = 'done' AND j.outcome NOT IN " WELL ")) AND " \
		"($2 OR j.state = 'waiting' OR b.intent_at IS NULL AND j.outcome IS DISTINCT FROM 'unconfirmed')", \
		"state = 'queued', outcome = NULL, reason = NULL, finished_at = NULL, failures = 0, due_at = clock_timestamp()", \
		"told = false, again = b.again OR (b.intent_at IS NOT NULL AND x.was <> 'waiting'), looks = 0, picture = false", \
		"'Queued again.'")

/* One whose end is not there yet goes on being looked for; of all others this look is the last. */
#define LOOK                                                                                       \
	CHANGE("j.state <> 'waiting' AND " UNSETTLED,                                              \
		"state = CASE WHEN x.was = 'behind' THEN x.was ELSE 'queued' END, outcome = NULL, finished_at = NULL, failures = 0, " \
		"due_at = clock_timestamp()",                                                      \
		"again = false, intent_at = coalesce(b.intent_at, x.ended_at), "                   \
		"look_until = CASE WHEN x.was = 'done' THEN clock_timestamp() ELSE b.look_until END", \
		"'It is looked for once more.'")

#define SETTLE                                                                                     \
	CHANGE(UNSETTLED,                                                                          \
		"state = 'done', outcome = CASE WHEN $2 THEN 'booked' ELSE 'failed' END, reason = $3, finished_at = clock_timestamp()", \
		"told = true, again = false, intent_at = CASE WHEN $2 THEN b.intent_at END", "$3")

/* What is being read at this moment is settled by that. */
static int refuse_running(struct call *call, const struct booking_info *b)
{
	return call_refuse(call, ERR_conflict, "id", "Booking %lld is being looked for at this moment; its log shows what comes of it.",
		(long long)b->id);
}

static int refuse_cancel(struct call *call, const struct booking_info *b)
{
	if (strcmp(b->state, "cancelled") == 0 || strcmp(b->state, "cancelling") == 0)
		return 0; /* that is what was wanted */
	if (strcmp(b->state, "sent") == 0)
		return refuse_running(call, b);
	if (strcmp(b->state, "running") == 0)
		return call_refuse(call, ERR_conflict, "id",
			"Booking %lld is under way and can not be stopped safely; its log shows what comes of it.",
			(long long)b->id);
	return call_refuse(call, ERR_already, "id",
		"Booking %lld has ended already; to give up a place that is booked, use the site itself.", (long long)b->id);
}

int booking_cancel(struct call *call, const struct booking_cancel_params *params, struct booking_cancel_result *result)
{
	int r = change(call, params->id, &result->booking, CANCEL, DB_INT(params->id));

	return r <= 0 ? r : refuse_cancel(call, result->booking);
}

static int refuse_retry(struct call *call, const struct booking_info *b)
{
	bool done = strcmp(b->state, "done") == 0;

	if (done && outcome_is_good(b->outcome))
		return call_refuse(call, ERR_already, "id", "Booking %lld has ended well; there is nothing to try again.",
			(long long)b->id);
	if (done || strcmp(b->state, "cancelled") == 0)
		return call_refuse(call, ERR_conflict, "twice",
			"Booking %lld may have been made already. Look again, or say whether it happened; to send it again all the same, "
			"though it may then be booked twice, say so (steadctl booking retry %lld --twice).",
			(long long)b->id, (long long)b->id);
	return 0; /* it is queued or under way: that is what was wanted */
}

int booking_retry(struct call *call, const struct booking_retry_params *params, struct booking_retry_result *result)
{
	int r = change(call, params->id, &result->booking, RETRY, DB_INT(params->id), DB_BOOL(params->twice));

	return r <= 0 ? r : refuse_retry(call, result->booking);
}

static int refuse_look(struct call *call, const struct booking_info *b)
{
	if (strcmp(b->state, "sent") == 0)
		return 0; /* that is what was wanted */
	if (strcmp(b->state, "needs_sign_in") == 0)
		return call_refuse(call, ERR_needs_sign_in, "id",
			"Booking %lld waits for a sign-in to the site, without which its list can not be read; sign in, and it is looked for.",
			(long long)b->id);
	return call_refuse(call, ERR_already, "id",
		"There is nothing to look for: only a booking that may have been sent, and is not confirmed, is.");
}

int booking_look(struct call *call, const struct booking_look_params *params, struct booking_look_result *result)
{
	int r = change(call, params->id, &result->booking, LOOK, DB_INT(params->id));

	return r <= 0 ? r : refuse_look(call, result->booking);
}

static int refuse_settle(struct call *call, const struct booking_info *b, bool happened)
{
	if (b->told && b->outcome && (strcmp(b->outcome, "booked") == 0) == happened)
		return 0; /* that has been said already */
	if (strcmp(b->state, "sent") == 0)
		return refuse_running(call, b);
	return call_refuse(call, ERR_already, "id",
		"Of booking %lld nobody needs to say whether it happened: only of one that may have been sent, and is not confirmed.",
		(long long)b->id);
}

int booking_settle(struct call *call, const struct booking_settle_params *params, struct booking_settle_result *result)
{
	bool happened = strcmp(params->happened, "yes") == 0;
	const char *said = arena_printf(call->arena, "%s said that it %s.",
		call->role == ROLE_CONTROL ? "An administrator" : "You", happened ? "did happen" : "did not happen");
	int r = change(call, params->id, &result->booking, SETTLE, DB_INT(params->id), DB_BOOL(happened), DB_TEXT(said));

	return r <= 0 ? r : refuse_settle(call, result->booking, happened);
}
