#include "botd/queue.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"

#define WRITE_MS 3000 /* one try of a write */
#define PAUSE_MS 100  /* between two tries while the database is away */

#define JOB_COLUMNS                                                                                \
	"b.id, b.user_id, b.site, b.action, b.inputs, b.attempt, b.failures, "                     \
	"b.intent_at IS NOT NULL AS intended"

/* What makes a job of a row that can be claimed: $1 is the lease in ms. */
#define CLAIM_SET                                                                                  \
	"state = 'running', reason = NULL, attempt = b.attempt + 1, "                              \
	"due_at = clock_timestamp() + $1 * interval '1 ms'"

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static struct job *job_new(struct db *db, const struct db_result *res, int64_t lease_ms, int64_t asked_at)
{
	struct job *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	*j = (struct job){ .db = db,
		.id = db_int(res, 0, "id"),
		.user = db_int(res, 0, "user_id"),
		.token = db_int(res, 0, "attempt"),
		.failures = db_int(res, 0, "failures"),
		.intended = db_bool(res, 0, "intended"),
		.lease_ms = lease_ms,
		.lease_end = asked_at + lease_ms };
	snprintf(j->site, sizeof(j->site), "%s", db_text(res, 0, "site"));
	snprintf(j->action, sizeof(j->action), "%s", db_text(res, 0, "action"));
	j->inputs = json_loads(db_text(res, 0, "inputs"), 0, NULL);
	if (!j->inputs)
		j->inputs = json_object();
	return j;
}

struct job *job_free(struct job *j)
{
	while (j) {
		struct job *older = j->older;

		json_decref(j->inputs);
		free(j);
		j = older;
	}
	return NULL;
}

/*
 * Without the CTE the planner may lock and update more than one row. A person's jobs at a site go one after another
 * (bookings_one_run), so those beside a running one are passed over; an expired lease is claimed like any due job.
 */
int queue_claim(struct db *db, int64_t lease_ms, int64_t deadline, struct job **ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int64_t asked_at = loop_now();
	int r = db_query(db, DB_ROLE("stead_claimer"), deadline, &res,
		"WITH next AS (SELECT id FROM jobs.bookings b "
		"WHERE state IN ('queued', 'running') AND due_at <= now() "
		"AND NOT EXISTS (SELECT FROM jobs.bookings o WHERE o.user_id = b.user_id AND o.site = b.site "
		"AND o.state = 'running' AND o.id <> b.id) "
		"ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) "
		"UPDATE jobs.bookings b SET " CLAIM_SET " FROM next WHERE b.id = next.id RETURNING " JOB_COLUMNS,
		DB_INT(lease_ms));

	if (r == -EEXIST) /* another worker took one of the same person and site in this very moment */
		return -ENOENT;
	if (r < 0)
		return r;
	if (db_rows(res) == 0)
		return -ENOENT;
	*ret = job_new(db, res, lease_ms, asked_at);
	return 0;
}

int queue_next_due(struct db *db, int64_t deadline, int64_t *ret_ms)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(db, DB_ROLE("stead_claimer"), deadline, &res,
		"SELECT (extract(epoch FROM due_at - clock_timestamp()) * 1000)::bigint AS ms FROM jobs.bookings "
		"WHERE state IN ('queued', 'running') AND due_at > now() ORDER BY due_at, id LIMIT 1");

	if (r < 0)
		return r;
	if (db_rows(res) == 0)
		return -ENOENT;
	*ret_ms = db_int(res, 0, "ms");
	return 0;
}

/* The database was away, or may have been: another try can help. */
static bool passes(int r)
{
	return r == -ENOTCONN || r == -EINPROGRESS || r == -EBUSY || r == -EDEADLK || r == -ETIMEDOUT;
}

static int64_t write_deadline(const struct job *j)
{
	return deadline_min(deadline_in(WRITE_MS), j->lease_end);
}

/* True when r is worth another try and there is lease left for it; waits a little then. */
static bool again(struct job *j, int *r)
{
	if (*r == 0 || *r == -ESTALE || *r == -ECANCELED)
		return false;
	if (!passes(*r)) {
		log_error("booking %lld: the database refused a write: %s", (long long)j->id, db_error(j->db)->text);
		*r = -ESTALE;
		return false;
	}
	if (loop_now() + PAUSE_MS >= j->lease_end) {
		log_warning("booking %lld: the database was away until the lease had run out; it is taken up again later",
			(long long)j->id);
		*r = -ESTALE;
		return false;
	}
	*r = fiber_sleep_until(deadline_in(PAUSE_MS));
	return *r == 0;
}

/* A write that changes one row, or none when the lease is lost. The same again does no harm. */
static int write_row(struct job *j, const char *sql, const struct db_arg *args, size_t n)
{
	int r;

	do {
		CLEANUP(db_result_freep) struct db_result *res = NULL;

		r = db_run(j->db, DB_USER(j->user), write_deadline(j), false, &res, sql, args, n);
		if (r == 0 && db_changed(res) == 0)
			r = -ESTALE;
	} while (again(j, &r));
	return r;
}

#define write_job(j, sql, ...) write_row(j, sql, DB_ARGS(__VA_ARGS__), DB_COUNT(__VA_ARGS__))

#define MINE "WHERE id = $1 AND attempt = $2 AND state = 'running'"

int job_beat(struct job *j)
{
	int64_t asked_at = loop_now();
	int r = write_job(j, "UPDATE jobs.bookings SET due_at = clock_timestamp() + $3 * interval '1 ms' " MINE,
		DB_INT(j->id), DB_INT(j->token), DB_INT(j->lease_ms));

	if (r == 0)
		j->lease_end = most(j->lease_end, asked_at + j->lease_ms);
	return r;
}

int job_intend(struct job *j)
{
	int64_t asked_at = loop_now();
	int r = write_job(j,
		"UPDATE jobs.bookings SET intent_at = clock_timestamp(), "
		"due_at = clock_timestamp() + $3 * interval '1 ms' " MINE,
		DB_INT(j->id), DB_INT(j->token), DB_INT(j->lease_ms));

	if (r < 0)
		return r;
	j->lease_end = most(j->lease_end, asked_at + j->lease_ms);
	j->intended = true;
	return 0;
}

/*
 * The number is taken from the booking's row, whose lock keeps the others waiting: no gap, no number twice. A line
 * whose COMMIT was not answered is looked for before it is written again.
 */
#define WRITE_LINE                                                                                 \
	"WITH b AS (UPDATE jobs.bookings SET last_line = last_line + 1, starts = starts + $6::integer " MINE \
	" AND NOT ($5 AND EXISTS (SELECT FROM jobs.lines WHERE booking_id = $1 AND n = last_line " \
	"AND attempt = $2 AND text = $4)) RETURNING id, user_id, attempt, last_line) "             \
	"INSERT INTO jobs.lines (booking_id, n, user_id, attempt, level, text) "                   \
	"SELECT id, last_line, user_id, attempt, $3, $4 FROM b"

static int write_line(struct job *j, const char *level, const char *text, bool start)
{
	bool doubt = false;
	int r;

	do {
		CLEANUP(db_result_freep) struct db_result *res = NULL;

		r = db_query(j->db, DB_USER(j->user), write_deadline(j), &res, WRITE_LINE, DB_INT(j->id),
			DB_INT(j->token), DB_TEXT(level), DB_TEXT(text), DB_BOOL(doubt), DB_INT(start));
		if (r == 0 && db_changed(res) == 0 && doubt)
			return job_beat(j); /* it was kept, or the lease is lost: this tells */
		if (r == 0 && db_changed(res) == 0)
			r = -ESTALE;
		doubt |= r == -EINPROGRESS;
	} while (again(j, &r));
	return r;
}

/* Cuts at most bytes, between two characters of UTF-8. */
static void cut(char *text, size_t size)
{
	size_t n = strnlen(text, size);

	if (n < size - 1)
		return;
	while (n > 0 && ((unsigned char)text[n - 1] & 0xc0) == 0x80)
		n--;
	if (n > 0)
		text[n - 1] = '\0';
}

int job_line(struct job *j, const char *level, const char *format, ...)
{
	char text[2049];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	cut(text, sizeof(text));
	return write_line(j, level, text, false);
}

int job_start(struct job *j, const char *line)
{
	return write_line(j, "info", line, true);
}

int job_picture(struct job *j, const void *jpeg, size_t size)
{
	return write_job(j,
		"WITH b AS (UPDATE jobs.bookings SET picture = true " MINE " RETURNING id, user_id, attempt) "
		"INSERT INTO jobs.pictures (booking_id, user_id, attempt, jpeg) SELECT id, user_id, attempt, $3 FROM b "
		"ON CONFLICT (booking_id) DO UPDATE SET attempt = excluded.attempt, at = now(), jpeg = excluded.jpeg",
		DB_INT(j->id), DB_INT(j->token), DB_BYTES(jpeg, size));
}

/* The last write about a job: its new state, and the line that says so. */
struct ending_write {
	const char *state, *outcome, *reason, *level, *line; /* no line: "" */
	int64_t version; /* needs_sign_in; -1: none */
	int64_t delay_ms;
	bool counted;
};

static int end_row(struct job *j, struct db_tx *tx, const struct ending_write *e)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = tx_query(tx, &res,
		"WITH b AS (UPDATE jobs.bookings SET state = $3, outcome = $4, reason = $5, "
		"last_line = last_line + ($10 <> '')::int, session_version = $6, "
		"due_at = clock_timestamp() + $7 * interval '1 ms', "
		"failures = CASE WHEN $3 <> 'queued' THEN 0 WHEN $8 THEN failures + 1 ELSE failures END, "
		"finished_at = CASE WHEN $3 = 'done' THEN clock_timestamp() END " MINE
		" RETURNING id, user_id, attempt, last_line) "
		", n AS (INSERT INTO jobs.lines (booking_id, n, user_id, attempt, level, text) "
		"SELECT id, last_line, user_id, attempt, $9, $10 FROM b WHERE $10 <> '') SELECT id FROM b",
		DB_INT(j->id), DB_INT(j->token), DB_TEXT(e->state), DB_TEXT(e->outcome), DB_TEXT(e->reason),
		e->version < 0 ? DB_NULL : DB_INT(e->version), DB_INT(e->delay_ms), DB_BOOL(e->counted),
		DB_TEXT(e->level), DB_TEXT(e->line));

	if (r < 0)
		return r;
	return db_rows(res) == 1 ? 0 : -ESTALE;
}

static int claim_after(struct job *j, struct db_tx *tx, struct db_result **ret)
{
	return tx_query(tx, ret,
		"WITH next AS (SELECT id FROM jobs.bookings WHERE user_id = $2 AND site = $3 AND state = 'queued' "
		"AND due_at <= now() ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) "
		"UPDATE jobs.bookings b SET " CLAIM_SET " FROM next WHERE b.id = next.id RETURNING " JOB_COLUMNS,
		DB_INT(j->lease_ms), DB_INT(j->user), DB_TEXT(j->site));
}

static int end_once(struct job *j, const struct ending_write *e, struct job **ret_next)
{
	CLEANUP(tx_freep) struct db_tx *tx = NULL;
	CLEANUP(db_result_freep) struct db_result *next = NULL;
	int64_t asked_at = loop_now();
	int r = db_begin(j->db, DB_USER(j->user), write_deadline(j), &tx);

	if (r == 0)
		r = end_row(j, tx, e);
	if (r == 0 && ret_next)
		r = claim_after(j, tx, &next);
	if (r == 0)
		r = db_commit(&tx);
	if (r == 0 && db_rows(next) > 0)
		*ret_next = job_new(j->db, next, j->lease_ms, asked_at);
	return r;
}

/* After a COMMIT that was not answered: 0 when the job has ended as was meant, -ESTALE when others have it. */
static int ended_as(struct job *j, const struct ending_write *e)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(j->db, DB_USER(j->user), write_deadline(j), &res,
		"SELECT state = $3 AND attempt = $2 AS ended, state = 'running' AND attempt = $2 AS mine "
		"FROM jobs.bookings WHERE id = $1", DB_INT(j->id), DB_INT(j->token), DB_TEXT(e->state));

	if (r < 0)
		return r;
	if (db_rows(res) == 1 && db_bool(res, 0, "ended"))
		return 0;
	return db_rows(res) == 1 && db_bool(res, 0, "mine") ? -EAGAIN : -ESTALE;
}

/* A next job that was perhaps claimed is left to its lease: it is claimed again when that has run out. */
static int end(struct job *j, const struct ending_write *e, struct job **ret_next)
{
	bool doubt = false;
	int r;

	j->ended = true;
	if (ret_next)
		*ret_next = NULL;
	do {
		r = doubt ? ended_as(j, e) : -EAGAIN;
		if (r == -EAGAIN)
			r = end_once(j, e, ret_next);
		doubt |= r == -EINPROGRESS;
	} while (again(j, &r));
	return r;
}

int job_finish(struct job *j, const char *outcome, const char *reason, struct job **ret_next)
{
	bool good = strcmp(outcome, "booked") == 0 || strcmp(outcome, "waitlisted") == 0 ||
		strcmp(outcome, "already_booked") == 0;
	char line[2049], words[32];

	snprintf(words, sizeof(words), "%s", outcome);
	for (char *c = words; *c; c++)
		*c = *c == '_' ? ' ' : *c;
	snprintf(line, sizeof(line), "Ended as %s%s%s", words, reason ? ": " : ".", reason ? reason : "");
	cut(line, sizeof(line));
	return end(j, &(struct ending_write){ .state = "done", .outcome = outcome, .reason = reason, .version = -1,
			.level = good ? "info" : "error", .line = line }, ret_next);
}

int job_park(struct job *j, int64_t version, const char *reason, struct job **ret_next)
{
	char line[2049];

	snprintf(line, sizeof(line), "Waits for you to sign in: %s", reason);
	cut(line, sizeof(line));
	return end(j, &(struct ending_write){ .state = "needs_sign_in", .reason = reason, .version = version,
			.level = "warning", .line = line }, ret_next);
}

int job_requeue(struct job *j, int64_t delay_ms, bool counted, const char *reason)
{
	char line[2049];

	snprintf(line, sizeof(line), "It is tried again in %lld s: %s", (long long)((delay_ms + 999) / 1000), reason);
	cut(line, sizeof(line));
	return end(j, &(struct ending_write){ .state = "queued", .reason = reason, .version = -1, .level = "warning",
			.line = line, .delay_ms = delay_ms, .counted = counted }, NULL);
}

int job_wait(struct job *j, int64_t delay_ms, const char *reason)
{
	return end(j, &(struct ending_write){ .state = "queued", .reason = reason, .version = -1, .level = "info",
			.line = "", .delay_ms = delay_ms }, NULL);
}

int queue_resume(struct db *db, int64_t user, const char *site, int64_t version, int64_t deadline, int64_t *ret_count)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_query(db, DB_USER(user), deadline, &res,
		"WITH b AS (UPDATE jobs.bookings SET state = 'queued', reason = NULL, due_at = clock_timestamp(), "
		"last_line = last_line + 1 WHERE user_id = $1 AND site = $2 AND state = 'needs_sign_in' "
		"AND session_version IS DISTINCT FROM $3 RETURNING id, user_id, attempt, last_line) "
		"INSERT INTO jobs.lines (booking_id, n, user_id, attempt, level, text) "
		"SELECT id, last_line, user_id, attempt, 'info', 'You have signed in again; it goes on.' FROM b",
		DB_INT(user), DB_TEXT(site), DB_INT(version));

	if (r < 0)
		return r;
	*ret_count = db_changed(res);
	return 0;
}
