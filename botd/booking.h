/* Bookings as callers see them. */
#pragma once

#include "botd/handlers.h"
#include "db/db.h"
#include "proto/call.h"

/* Where a booking b stands whose job is j. */
#define BOOKING_STATE                                                                              \
	"CASE WHEN j.state = 'waiting' THEN 'needs_sign_in' WHEN j.state IN ('done', 'cancelled') THEN j.state " \
	"WHEN j.cancel THEN 'cancelling' WHEN b.intent_at IS NOT NULL AND NOT b.again THEN 'sent' " \
	"WHEN j.state = 'running' THEN 'running' ELSE 'queued' END"

/* The columns that booking_read() reads, and the tables that they are of: b the booking's, j its job's. */
#define BOOKING_COLUMNS                                                                            \
	"b.id, b.user_id, b.site, b.action, b.title, b.inputs, j.outcome, b.step, b.steps, "        \
	"CASE WHEN j.state IN ('scheduled', 'behind', 'queued') AND EXISTS (SELECT FROM jobs.queues q WHERE q.name = j.queue AND q.paused) " \
	"THEN 'An administrator has paused the work at this site; it goes on by itself after that.' ELSE j.reason END AS reason, " \
	BOOKING_STATE " AS state, "                                                                \
	"b.intent_at, b.answer, b.list_read_at, b.list_trouble, b.told, "                          \
	"CASE WHEN j.state IN ('scheduled', 'behind', 'queued') AND b.intent_at IS NOT NULL AND NOT b.again THEN j.due_at END " \
	"AS next_look_at, b.starts, j.created_at, j.finished_at, b.picture, "                      \
	"(SELECT r.plan_id FROM jobs.plan_runs r WHERE r.job_id = b.id LIMIT 1) AS plan"
#define BOOKING_TABLES "jobs.bookings b JOIN jobs.jobs j ON j.id = b.id"

/* Fills *ret from a row; what it points to belongs to the call. */
void booking_read(struct call *call, const struct db_result *row, struct booking_info *ret);

/* Who a call reads as: the person, or for steadctl the operator, who sees everybody's. */
struct db_who booking_reader(const struct call *call);

/*
 * Who a call changes the booking as: the person, or for steadctl whoever's it is. 0, REFUSED (not found), or a negative
 * errno.
 */
int booking_owner(struct call *call, int64_t id, struct db_who *ret);

/* The booking, in the call's arena. 0, REFUSED when there is none or it is not theirs, or a negative errno. */
int booking_find(struct call *call, struct db_who who, int64_t id, struct booking_info **ret);

/* ERR_not_found for a booking. */
int booking_refuse(struct call *call, int64_t id);
