/*
 * Claiming: the jobs whose turn it is, many at once, under a role that sees all persons' and may write lease, state and outcome
 * alone. What is claimed is run by whoever knows its kind.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/db.h"

/* What makes a claimed row of one, called j: $1 is the lease in ms. */
#define CLAIM_SET                                                                                  \
	"state = 'running', attempt = j.attempt + 1, lease_until = clock_timestamp() + $1 * interval '1 ms'"

/* So many jobs of a kind, at most. */
struct claim_wish {
	const char *kind;
	int64_t room;
};

/* A job that has been claimed. */
struct claim {
	int64_t id, user, token; /* token: every write names it, and a later lease makes it invalid */
	int64_t failures;        /* in a row, those among them whose lease ran out */
	size_t wish;             /* which of the wishes it fulfils */
	bool unwanted;           /* its person has withdrawn it, before whoever had it went away */
	bool vanished;           /* whoever had it before went away in the middle */
	int64_t lease_end;       /* monotonic ms, reckoned from before it was asked for */
};

/* Who claims. */
struct claimer {
	struct db *db;
	int64_t worker; /* botd/roster.h; 0: one that is not listed */
	int64_t lease_ms;
};

/*
 * Claims what there is of n wishes: in turn, those first whose lease ran out, which counts as a failure. claims has
 * room for all; how many there are goes to *ret_count. 0; -EAGAIN: none, for others were just taking what was due, so ask again in
 * a moment; -ENOENT: none is due; or a negative errno of db/error.h.
 */
int claim_jobs(const struct claimer *c, const struct claim_wish *wishes, size_t n, int64_t deadline,
	struct claim *claims, size_t *ret_count);

/* How many ms until there may be more; -ENOENT: nothing waits for its time. */
int claim_next_due(struct db *db, int64_t deadline, int64_t *ret_ms);

/* Whether there is a job of that kind that is due and that nobody is at. As claim_jobs(). */
int claim_others_wait(struct db *db, const char *kind, int64_t deadline, bool *ret);
