/*
 * The queue: which booking a worker has, and everything it may write about it. The rows of jobs.bookings are the queue
 * itself; so there is nothing to lose between the two.
 *
 * Every write names the job's token, which a later lease makes invalid: a worker that slept through its lease can
 * write nothing. Writes wait for a database that is away, but never past the lease. They return 0, -ESTALE (the lease
 * is lost: stop, and write no more) or -ECANCELED.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "db/db.h"

struct job {
	struct job *older; /* of the same run; the worker frees them all together */
	struct db *db;
	int64_t id, user, token, failures;
	char site[65], action[65];
	json_t *inputs;
	bool intended;     /* the act may have been sent, in this attempt or an earlier one */
	bool ended;        /* the last write has been made, or is being made */
	int64_t lease_ms;  /* how long a lease is */
	int64_t lease_end; /* monotonic ms, reckoned from before it was asked for */
};

/* Claims the next job that is due. -ENOENT: none is; a negative errno of db/error.h. */
int queue_claim(struct db *db, int64_t lease_ms, int64_t deadline, struct job **ret);

/* How many ms until the next job is due; -ENOENT when none waits. */
int queue_next_due(struct db *db, int64_t deadline, int64_t *ret_ms);

/* Takes NULL, returns NULL; frees the older ones too. */
struct job *job_free(struct job *j);

/* Prolongs the lease. */
int job_beat(struct job *j);

/* Writes a line of its log, cut to 2048 bytes. level is info, warning or error. */
int job_line(struct job *j, const char *level, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The line that says that it is being started now, which counts. */
int job_start(struct job *j, const char *line);

/* Committed before the act is sent; prolongs the lease too. */
int job_intend(struct job *j);

/* Keeps the picture of the page, a JPEG. */
int job_picture(struct job *j, const void *jpeg, size_t size);

/*
 * The end: done with outcome and, unless all is said by it, a reason. The same transaction claims the next job of this
 * person at this site, if ret_next is not NULL and one is due: *ret_next is NULL otherwise.
 */
int job_finish(struct job *j, const char *outcome, const char *reason, struct job **ret_next);

/* Waits for the person to sign in again; version is that of the session which has ended, 0 if there was none. */
int job_park(struct job *j, int64_t version, const char *reason, struct job **ret_next);

/* Back to the queue, to be claimed again in delay_ms. counted: it counts as one of its tries. */
int job_requeue(struct job *j, int64_t delay_ms, bool counted, const char *reason);

/* The same without a line: nothing has been tried, for what it takes is not free. */
int job_wait(struct job *j, int64_t delay_ms, const char *reason);

/* A session of user at site works again, as version: what waits for it goes on. How many do goes to ret_count. */
int queue_resume(struct db *db, int64_t user, const char *site, int64_t version, int64_t deadline, int64_t *ret_count);
