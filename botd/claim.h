/* How a job is taken up: any whose turn it is (claim.c), or the next one of a run (queue.c). */
#pragma once

#include "botd/queue.h"

/* What job_begin() needs of a row of jobs.jobs, called j, that has just been claimed. */
#define CLAIM_COLUMNS "j.id, j.user_id, j.attempt, j.failures"

/* What makes a claimed row of one: $1 is the lease in ms. */
#define CLAIM_SET                                                                                  \
	"state = 'running', attempt = j.attempt + 1, lease_until = clock_timestamp() + $1 * interval '1 ms'"

/*
 * What is of the booking, for which it also says why it is tried again; under the person's own identity, in the transaction that
 * has claimed it or in another one soon after ($1, $2: number and token; $3: whoever had it before went away in the middle).
 */
extern const char claim_begin_sql[];

/* row: what that returned; asked_at: monotonic ms of before it was claimed. */
struct job *job_new(struct db *db, const struct db_result *row, int64_t lease_ms, int64_t asked_at);
