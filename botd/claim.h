/* What the two ways to claim a job share: any that is due (claim.c), and the next one of a run (queue.c). */
#pragma once

#include "botd/queue.h"

#define JOB_COLUMNS                                                                                \
	"b.id, b.user_id, b.site, b.action, b.inputs, b.attempt, b.failures, b.again, b.looks, "   \
	"b.intent_at IS NOT NULL AND NOT b.again AS intended, b.answer, "                          \
	"coalesce((extract(epoch FROM b.look_until - clock_timestamp()) * 1000)::bigint, 0) AS look_ms, " \
	"next.state = 'running' AS vanished"

/*
 * What makes a job of a row b that can be claimed: $1 is the lease in ms. One that is running had a lease that ran out. Why
 * one is tried again stays there to be read.
 */
#define CLAIM_SET                                                                                  \
	"state = 'running', attempt = b.attempt + 1, step = NULL, steps = NULL, "                  \
	"reason = CASE WHEN b.state = 'running' THEN 'A part of Stead stopped in the middle of it.' " \
	"WHEN b.failures > 0 OR b.intent_at IS NOT NULL AND NOT b.again THEN b.reason END, "       \
	"looks = b.looks + (b.intent_at IS NOT NULL AND NOT b.again)::integer, "                   \
	"failures = b.failures + (b.state = 'running')::integer, "                                 \
	"due_at = clock_timestamp() + $1 * interval '1 ms'"

/* Notes whose turn it was; claimed_ holds the row. */
#define CLAIM_TURN(claimed_)                                                                       \
	"turn AS (INSERT INTO jobs.turns (user_id, site, served_at) "                              \
	"SELECT user_id, site, clock_timestamp() FROM " claimed_ " "                               \
	"ON CONFLICT (user_id, site) DO UPDATE SET served_at = excluded.served_at) "

/* row: of JOB_COLUMNS; asked_at: monotonic ms of before it was claimed. */
struct job *job_new(struct db *db, const struct db_result *row, int64_t lease_ms, int64_t asked_at);
