/*
 * A job that books: everything that whoever has it may write about it.
 *
 * Every write names the job's token, which a later lease makes invalid: a worker that slept through its lease can
 * write nothing. Writes wait for a database that is away, but never past the lease.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "botd/claim.h"
#include "common/arena.h"

#define JOB_REASON 1024 /* bytes of a reason, as proto/botd.def hands it out */

/* What came of a write. Each way to fail asks for something else, so none may be taken for another. */
enum job_result {
	JOB_OK,
	JOB_LOST,        /* the lease is another's, or has run out while the database was away: stop, and write no more */
	JOB_INTERRUPTED, /* this fiber was cancelled first: the job is still ours, to be given back */
	JOB_UNWANTED,    /* its person does not want it any more, and it is not too late: the job is still ours, to be withdrawn */
	JOB_REFUSED,     /* the database answered, and did not take it: the job is still ours, the same again is no use */
};

/* What has been seen of an act that may have been sent, in words for its person; kept by the last write. */
struct job_seen {
	char answer[512];       /* what the site answered to it; "": that is not known */
	bool lacking;           /* the site's own list was read, and it does not stand there */
	char list_trouble[512]; /* else why the list could not be read; "": it was not tried */
};

struct job {
	struct arena *arena; /* it lies there itself, and what is said of it may */
	struct job *older; /* of the same run; the worker frees them all together */
	struct db *db;
	int64_t id, user, token;
	int64_t failures;  /* tries that count, those among them whose lease ran out */
	const char *site, *action;
	json_t *inputs;
	bool intended;     /* the act may have been sent: this job only looks for it, whatever happens */
	bool vanished;     /* whoever had it before went away in the middle */
	bool again;        /* it may have been sent before, and its person wants it sent all the same */
	int64_t looks;     /* claims that only looked, this one among them */
	int64_t answer_ms; /* how long the site may take to answer what is sent; set it before job_intend() */
	int64_t look_ms;   /* how long it is looked for then; this, too */
	int64_t look_end;  /* intended: monotonic ms; a look after this is the last one */
	struct job_seen seen; /* its answer as last kept */
	bool ended;        /* the last write has been made, or is being made */
	int64_t lease_ms;  /* how long a lease is */
	int64_t lease_end; /* monotonic ms, reckoned from before it was asked for */
};

/*
 * Takes up a booking that was claimed: what is of it, under its person's own identity. Waits for a database that is away, as
 * long as the lease lasts, and is not cut short: what is given back by nobody looks as if whoever had it had gone. 0; -ENOENT: it
 * was removed, or the lease has run out already; or a negative errno of db/error.h.
 */
int job_begin(struct db *db, const struct claim *c, int64_t lease_ms, struct job **ret);

/* Takes NULL, returns NULL; frees the older ones too. */
struct job *job_free(struct job *j);

/* Prolongs the lease. JOB_UNWANTED: that, too, and nothing has been sent. */
enum job_result job_beat(struct job *j);

/* What a line of its log says beside its words. */
struct line_facts {
	bool start;         /* it is being started now; that counts as a try, a look does not */
	size_t step, steps; /* which of its steps comes now; 0: it is not about a step */
};

/* Writes a line of its log, cut to 2048 bytes. level is info, warning or error. */
enum job_result job_write_line(struct job *j, const struct line_facts *f, const char *level, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#define job_line(j_, ...)  job_write_line(j_, &(struct line_facts){ 0 }, __VA_ARGS__)
#define job_start(j_, ...) job_write_line(j_, &(struct line_facts){ .start = true }, "info", __VA_ARGS__)

/*
 * Committed before the act is sent; prolongs the lease too. From here on nobody sends it again but at its person's word: not
 * after a crash, a lost lease, a refused write, in another botd, or with other settings. The time for looking begins once the
 * site may have taken what it may to answer, or when job_look_after() says. JOB_UNWANTED: it is not intended, and must not be sent.
 */
enum job_result job_intend(struct job *j);

/* The time for looking begins in so many ms, now with 0: what the site takes to answer, or not to, is none of it. */
enum job_result job_look_after(struct job *j, int64_t ms);

/* Takes that back: what was to be sent is known not to have left, in this attempt; an earlier one is as it was (again). */
enum job_result job_unintend(struct job *j);

/* Keeps the picture of the page, as the vault has sealed it (picture.h). */
enum job_result job_picture(struct job *j, const void *sealed, size_t size);

/*
 * The last write, of which there are five kinds below. The database may refuse the words (they are cut to 1024 bytes, but
 * it has the last word): then the same is written with a fixed sentence, and then without a line in the log. JOB_REFUSED
 * means that not even that was taken; the lease then runs out, and the next claim counts it.
 */

/*
 * The end: done with outcome and, unless all is said by it, a reason. The same transaction claims the next job of this
 * person at this site, if ret_next is not NULL and one is due: *ret_next is NULL otherwise.
 */
enum job_result job_finish(struct job *j, const char *outcome, const char *reason, struct job **ret_next);

/* The same of one that cannot be done any more: failed, or unconfirmed where this or an earlier act may have been sent. */
enum job_result job_give_up(struct job *j, const char *reason, struct job **ret_next);

/* Its person does not want it any more, and nothing has been sent. */
enum job_result job_withdraw(struct job *j, struct job **ret_next);

/* Waits for the person to sign in again; version is that of the session which has ended, 0 if there was none. */
enum job_result job_park(struct job *j, int64_t version, const char *reason, struct job **ret_next);

/* Back to the queue, to be claimed again in delay_ms. counted: it counts as one of its tries. */
enum job_result job_requeue(struct job *j, int64_t delay_ms, bool counted, const char *reason);

/* The same for one that is intended, after a look that the site's list has answered: whatever failed before is over. */
enum job_result job_look(struct job *j, int64_t delay_ms, const char *reason);

/* The same, for what is nobody's fault: uncounted, and told in these words; tell: in the log, too. */
enum job_result job_put_off(struct job *j, int64_t delay_ms, bool tell, const char *reason);

/* The same without a line: nothing has been tried, for what it takes is not free. */
enum job_result job_wait(struct job *j, int64_t delay_ms, const char *reason);

/* A session of user at site works again, as version: what waits for it goes on. How many do goes to ret_count. */
int job_resume_all(struct db *db, int64_t user, const char *site, int64_t version, int64_t deadline, int64_t *ret_count);
