#include "botd/job.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "botd/outcome.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"

#define WRITE_MS 3000 /* one try of a write */
#define PAUSE_MS 100  /* between two tries while the database is away */

#define LINE_SIZE   2049 /* of a line of the log */

/* Written instead of what the database has refused, so it is of plain characters and short. */
#define UNWRITABLE "Stead's database did not take what was to be written; the administrator finds the cause in the journal."

static struct job *job_new(struct db *db, const struct db_result *row, int64_t lease_ms, int64_t asked_at)
{
	struct arena *arena = arena_new(0);
	struct job *j = arena_alloc(arena, sizeof(*j));

	*j = (struct job){ .arena = arena,
		.db = db,
		.id = row_int(row, "id"),
		.user = row_int(row, "user_id"),
		.token = row_int(row, "attempt"),
		.site = arena_strdup(arena, row_words(row, "site")),
		.action = arena_strdup(arena, row_words(row, "action")),
		.inputs = json_loads(row_words(row, "inputs"), 0, NULL),
		.failures = row_int(row, "failures"),
		.intended = row_bool(row, "intended"),
		.again = row_bool(row, "again"),
		.vanished = row_bool(row, "vanished"),
		.looks = row_int(row, "looks"),
		.look_end = asked_at + row_int(row, "look_ms"),
		.lease_ms = lease_ms,
		.lease_end = asked_at + lease_ms };
	words_set(j->seen.answer, sizeof(j->seen.answer), "%s", row_words(row, "answer"));
	if (!j->inputs)
		j->inputs = json_object();
	return j;
}

struct job *job_free(struct job *j)
{
	while (j) {
		struct job *older = j->older;

		json_decref(j->inputs);
		arena_free(j->arena);
		j = older;
	}
	return NULL;
}



static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t write_deadline(const struct job *j)
{
	return deadline_min(deadline_in(WRITE_MS), j->lease_end);
}

/* True when r is worth another try and there is lease left for it; waits a little then. Else *ret is what r means. */
static bool queue_again(struct job *j, int r, enum job_result *ret)
{
	*ret = r == 0 ? JOB_OK : r == -ECANCELED ? JOB_INTERRUPTED : JOB_LOST;
	if (r == 0 || r == -ECANCELED || r == -ESTALE)
		return false;
	if (!db_may_pass(r)) {
		log_error("booking %lld: the database refused a write: %s", (long long)j->id, db_error(j->db)->text);
		*ret = JOB_REFUSED;
		return false;
	}
	if (loop_now() + PAUSE_MS >= j->lease_end) {
		log_warning("booking %lld: the database was away until the lease had run out; it is taken up again later",
			(long long)j->id);
		return false;
	}
	if (fiber_sleep_until(deadline_in(PAUSE_MS)) == 0)
		return true;
	*ret = JOB_INTERRUPTED;
	return false;
}

/*
 * A write that changes one row, or none when the lease is lost. The same again does no harm. Where it says whether the job is still
 * wanted, that is the answer.
 */
static enum job_result write_row(struct job *j, const char *sql, const struct db_arg *args, size_t n)
{
	enum job_result result;
	int r;

	do {
		CLEANUP(db_result_freep) struct db_result *res = NULL;

		r = db_run(j->db, DB_USER(j->user), write_deadline(j), false, &res, sql, args, n);
		if (r == 0 && db_changed(res) == 0)
			r = -ESTALE;
		else if (r == 0 && db_next(res) && row_bool(res, "cancel"))
			return JOB_UNWANTED;
	} while (queue_again(j, r, &result));
	return result;
}

#define write_job(j, sql, ...) write_row(j, sql, DB_ARGS(__VA_ARGS__), DB_COUNT(__VA_ARGS__))

#define MINE "WHERE id = $1 AND attempt = $2 AND state = 'running'"

/* What is of the booking is changed while nobody else can take the job. */
#define OF_MINE "WITH j AS (SELECT id FROM jobs.jobs " MINE " FOR UPDATE) "

/*
 * What is of a booking that was claimed ($1, $2: number and token; $3: whoever had it before went away in the middle), whose lease
 * begins anew ($4: in ms). Why one is tried again stays there to be read.
 */
#define BEGIN_BOOKING                                                                              \
	"WITH mine AS (SELECT id FROM jobs.jobs " MINE " FOR UPDATE), "                            \
	"b AS (UPDATE jobs.bookings b SET step = NULL, steps = NULL, "                             \
	"looks = b.looks + (b.intent_at IS NOT NULL AND NOT b.again)::integer FROM mine WHERE b.id = mine.id RETURNING b.*) " \
	"UPDATE jobs.jobs j SET lease_until = clock_timestamp() + $4 * interval '1 ms', reason = CASE WHEN $3 THEN 'A part of Stead stopped in the middle of it.' " \
	"WHEN j.failures > 0 OR b.intent_at IS NOT NULL AND NOT b.again THEN j.reason END "        \
	"FROM b WHERE j.id = b.id "                                                                \
	"RETURNING j.id, j.user_id, j.attempt, j.failures, b.site, b.action, b.inputs, b.again, b.looks, " \
	"b.intent_at IS NOT NULL AND NOT b.again AS intended, b.answer, $3 AS vanished, "          \
	"coalesce((extract(epoch FROM b.look_until - clock_timestamp()) * 1000)::bigint, 0) AS look_ms"

int job_begin(struct db *db, const struct claim *c, int64_t lease_ms, struct job **ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int64_t asked_at;
	int r;

	fiber_shield();
	do {
		asked_at = loop_now();
		r = db_query(db, DB_USER(c->user), c->lease_end, &res, BEGIN_BOOKING, DB_INT(c->id), DB_INT(c->token),
			DB_BOOL(c->vanished), DB_INT(lease_ms));
	} while (db_may_pass(r) && loop_now() + PAUSE_MS < c->lease_end && fiber_sleep_until(deadline_in(PAUSE_MS)) == 0);
	fiber_unshield();
	if (r < 0)
		return r;
	if (!db_next(res))
		return -ENOENT;
	*ret = job_new(db, res, lease_ms, asked_at);
	return 0;
}

enum job_result job_beat(struct job *j)
{
	int64_t asked_at = loop_now();
	enum job_result r = write_job(j, "UPDATE jobs.jobs SET lease_until = clock_timestamp() + $3 * interval '1 ms' " MINE " RETURNING cancel",
		DB_INT(j->id), DB_INT(j->token), DB_INT(j->lease_ms));

	if (r == JOB_OK || r == JOB_UNWANTED)
		j->lease_end = most(j->lease_end, asked_at + j->lease_ms);
	return r;
}

enum job_result job_intend(struct job *j)
{
	int64_t asked_at = loop_now();
	enum job_result r = write_job(j,
		"WITH j AS (UPDATE jobs.jobs SET lease_until = clock_timestamp() + $3 * interval '1 ms' " MINE " RETURNING id, cancel), "
		"b AS (UPDATE jobs.bookings b SET intent_at = clock_timestamp(), again = false, looks = 0, "
		"look_until = clock_timestamp() + $4 * interval '1 ms', answer = NULL, list_read_at = NULL, list_trouble = NULL "
		"FROM j WHERE b.id = j.id AND NOT j.cancel) SELECT cancel FROM j",
		DB_INT(j->id), DB_INT(j->token), DB_INT(j->lease_ms), DB_INT(j->answer_ms + j->look_ms));

	if (r != JOB_OK)
		return r;
	j->lease_end = most(j->lease_end, asked_at + j->lease_ms);
	j->look_end = asked_at + j->answer_ms + j->look_ms;
	j->looks = 0;
	j->intended = true;
	return JOB_OK;
}

enum job_result job_look_after(struct job *j, int64_t ms)
{
	int64_t asked_at = loop_now();
	enum job_result r = write_job(j,
		OF_MINE "UPDATE jobs.bookings b SET look_until = clock_timestamp() + $3 * interval '1 ms' FROM j WHERE b.id = j.id",
		DB_INT(j->id), DB_INT(j->token), DB_INT(ms + j->look_ms));

	if (r == JOB_OK)
		j->look_end = asked_at + ms + j->look_ms;
	return r;
}

enum job_result job_unintend(struct job *j)
{
	enum job_result r = write_job(j,
		OF_MINE "UPDATE jobs.bookings b SET intent_at = CASE WHEN $3 THEN intent_at END, again = $3 FROM j WHERE b.id = j.id",
		DB_INT(j->id), DB_INT(j->token), DB_BOOL(j->again));

	if (r == JOB_OK)
		j->intended = false;
	return r;
}

/*
 * The number is taken from the job's row, whose lock keeps the others waiting: no gap, no number twice. A line whose COMMIT was
 * not answered is looked for before it is written again.
 */
#define WRITE_LINE                                                                                 \
	"WITH j AS (UPDATE jobs.jobs SET last_line = last_line + 1 " MINE                          \
	" AND NOT ($5 AND EXISTS (SELECT FROM jobs.lines WHERE job_id = $1 AND n = last_line "     \
	"AND attempt = $2 AND text = $4)) RETURNING id, user_id, attempt, last_line), "            \
	"b AS (UPDATE jobs.bookings b SET starts = b.starts + $6::integer, step = coalesce(nullif($7, 0), b.step), " \
	"steps = coalesce(nullif($8, 0), b.steps) FROM j WHERE b.id = j.id AND ($6 <> 0 OR $7 <> 0)) " \
	"INSERT INTO jobs.lines (job_id, n, user_id, attempt, level, text) "                       \
	"SELECT id, last_line, user_id, attempt, $3, $4 FROM j"

enum job_result job_write_line(struct job *j, const struct line_facts *f, const char *level, const char *format, ...)
{
	enum job_result result;
	char text[LINE_SIZE];
	bool doubt = false;
	va_list args;
	int r;

	va_start(args, format);
	words_set_v(text, sizeof(text), format, args);
	va_end(args);
	do {
		CLEANUP(db_result_freep) struct db_result *res = NULL;

		r = db_query(j->db, DB_USER(j->user), write_deadline(j), &res, WRITE_LINE, DB_INT(j->id),
			DB_INT(j->token), DB_TEXT(level), DB_TEXT(text), DB_BOOL(doubt), DB_INT(f->start && !j->intended),
			DB_INT((int64_t)f->step), DB_INT((int64_t)f->steps));
		if (r == 0 && db_changed(res) == 0 && doubt)
			return job_beat(j); /* it was kept, or the lease is lost: this tells */
		if (r == 0 && db_changed(res) == 0)
			r = -ESTALE;
		doubt |= r == -EINPROGRESS;
	} while (queue_again(j, r, &result));
	return result;
}

enum job_result job_picture(struct job *j, const void *sealed, size_t size)
{
	return write_job(j,
		"WITH j AS (SELECT id, user_id, attempt FROM jobs.jobs " MINE " FOR UPDATE), "
		"b AS (UPDATE jobs.bookings b SET picture = true FROM j WHERE b.id = j.id) "
		"INSERT INTO jobs.pictures (job_id, user_id, attempt, sealed) SELECT id, user_id, attempt, $3 FROM j "
		"ON CONFLICT (job_id) DO UPDATE SET attempt = excluded.attempt, at = now(), sealed = excluded.sealed, jpeg = NULL",
		DB_INT(j->id), DB_INT(j->token), DB_BYTES(sealed, size));
}

/* The last write about a job: its new state, why, and what the line that says so begins with, before the reason; NULL: no line. */
struct ending_write {
	const char *state, *outcome, *reason, *level, *line;
	int64_t version; /* needs_sign_in; -1: none */
	int64_t delay_ms;
	bool counted, told; /* told: the site's list has answered, so what failed before is over */
	bool waits;         /* nothing has been tried: why it is tried again stays */
};

static struct db_arg text_or_null(const char *s)
{
	return *s ? DB_TEXT(s) : DB_NULL;
}

/* An end that settles what was sent: nothing came of it. Not so if one that was sent before is in doubt still. */
#define INTENT_AT_END                                                                              \
	"CASE WHEN $3 <> 'done' OR b.again OR $4 IN ('booked', 'waitlisted', 'already_booked', 'unconfirmed') THEN b.intent_at END"

static int end_row(struct job *j, struct db_tx *tx, const struct ending_write *e)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = tx_query(tx, &res,
		"WITH j AS (UPDATE jobs.jobs SET state = CASE WHEN cancel AND $3 <> 'done' THEN 'cancelled' ELSE $3 END, cancel = false, "
		"outcome = $4, lease_until = NULL, "
		"reason = CASE WHEN $15 AND failures > 0 THEN coalesce(reason, $5) ELSE $5 END, "
		"last_line = last_line + ($10 <> '')::int, due_at = clock_timestamp() + $7 * interval '1 ms', "
		"failures = CASE WHEN $3 IN ('done', 'waiting') OR $11 THEN 0 WHEN $8 THEN failures + 1 ELSE failures END, "
		"finished_at = CASE WHEN $3 IN ('done', 'cancelled') OR cancel THEN clock_timestamp() END " MINE
		" RETURNING id, user_id, attempt, last_line), "
		"b AS (UPDATE jobs.bookings b SET session_version = $6, "
		"intent_at = " INTENT_AT_END ", step = NULL, steps = NULL, answer = coalesce($12, b.answer), "
		"list_read_at = CASE WHEN $13 THEN clock_timestamp() ELSE b.list_read_at END, "
		"list_trouble = CASE WHEN NOT $13 THEN coalesce($14, b.list_trouble) END FROM j WHERE b.id = j.id), "
		"n AS (INSERT INTO jobs.lines (job_id, n, user_id, attempt, level, text) "
		"SELECT id, last_line, user_id, attempt, $9, $10 FROM j WHERE $10 <> '') SELECT id FROM j",
		DB_INT(j->id), DB_INT(j->token), DB_TEXT(e->state), DB_TEXT(e->outcome), DB_TEXT(e->reason),
		e->version < 0 ? DB_NULL : DB_INT(e->version), DB_INT(e->delay_ms), DB_BOOL(e->counted),
		DB_TEXT(e->level), DB_TEXT(e->line), DB_BOOL(e->told), text_or_null(j->seen.answer), DB_BOOL(j->seen.lacking),
		text_or_null(j->seen.list_trouble), DB_BOOL(e->waits));

	if (r < 0)
		return r;
	return db_next(res) ? 0 : -ESTALE;
}

/* The next one of its lane has moved up with that, and nobody else has seen it yet. */
static int claim_after(struct job *j, struct db_tx *tx, struct db_result **ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = tx_query(tx, &res, "UPDATE jobs.jobs j SET " CLAIM_SET ", "
		"worker = (SELECT worker FROM jobs.jobs WHERE id = $4) WHERE user_id = $2 AND lane = $3 AND state = 'queued' "
		"AND kind = 'booking' AND NOT EXISTS (SELECT FROM jobs.queues q WHERE q.name = j.queue AND q.paused) RETURNING j.id, j.attempt",
		DB_INT(j->lease_ms), DB_INT(j->user), DB_TEXT(j->site), DB_INT(j->id));

	if (r < 0 || !db_next(res))
		return r;
	return tx_query(tx, ret, BEGIN_BOOKING, DB_INT(row_int(res, "id")), DB_INT(row_int(res, "attempt")), DB_BOOL(false),
		DB_INT(j->lease_ms));
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
	if (r == 0 && db_next(next))
		*ret_next = job_new(j->db, next, j->lease_ms, asked_at);
	return r;
}

/* After a COMMIT that was not answered: 0 when the job has ended as was meant, -ESTALE when others have it. */
static int ended_as(struct job *j)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(j->db, DB_USER(j->user), write_deadline(j), &res,
		"SELECT state <> 'running' AND attempt = $2 AS ended, state = 'running' AND attempt = $2 AS mine "
		"FROM jobs.jobs WHERE id = $1", DB_INT(j->id), DB_INT(j->token));

	if (r < 0)
		return r;
	if (!db_next(res))
		return -ESTALE;
	if (row_bool(res, "ended"))
		return 0;
	return row_bool(res, "mine") ? -EAGAIN : -ESTALE;
}

/* A next job that was perhaps claimed is left to its lease: it is claimed again when that has run out. */
static enum job_result end_as(struct job *j, const struct ending_write *e, struct job **ret_next)
{
	enum job_result result;
	bool doubt = false;
	int r;

	do {
		r = doubt ? ended_as(j) : -EAGAIN;
		if (r == -EAGAIN)
			r = end_once(j, e, ret_next);
		doubt |= r == -EINPROGRESS;
	} while (queue_again(j, r, &result));
	return result;
}

/* With less and less of what may have been refused: the next job, the words, the line of the log. */
static enum job_result queue_end(struct job *j, const struct ending_write *e, struct job **ret_next)
{
	char reason[JOB_REASON + 1], line[LINE_SIZE] = "";
	struct ending_write w = *e;
	enum job_result r;

	words_set(reason, sizeof(reason), "%s", e->reason ? e->reason : "");
	if (e->line)
		words_set(line, sizeof(line), "%s%s", e->line, reason);
	w.reason = *reason ? reason : NULL;
	w.line = line;
	j->ended = true;
	if (ret_next)
		*ret_next = NULL;
	r = end_as(j, &w, ret_next);
	if (r == JOB_REFUSED && ret_next)
		r = end_as(j, &w, NULL);
	if (r != JOB_REFUSED)
		return r;
	w.reason = UNWRITABLE;
	w.line = e->line ? UNWRITABLE : "";
	*j->seen.answer = *j->seen.list_trouble = '\0';
	r = end_as(j, &w, NULL);
	if (r != JOB_REFUSED || !e->line)
		return r;
	w.line = "";
	return end_as(j, &w, NULL);
}

enum job_result job_finish(struct job *j, const char *outcome, const char *reason, struct job **ret_next)
{
	char line[48];

	words_set(line, sizeof(line), "Ended as %s%s", outcome, reason && *reason ? ": " : ".");
	for (char *c = line; *c; c++)
		*c = *c == '_' ? ' ' : *c;
	return queue_end(j, &(struct ending_write){ .state = "done", .outcome = outcome, .reason = reason, .version = -1,
			.level = outcome_is_good(outcome) ? "info" : "error", .line = line }, ret_next);
}

enum job_result job_give_up(struct job *j, const char *reason, struct job **ret_next)
{
	return job_finish(j, j->intended || j->again ? "unconfirmed" : "failed", reason, ret_next);
}

enum job_result job_withdraw(struct job *j, struct job **ret_next)
{
	return queue_end(j, &(struct ending_write){ .state = "cancelled", .version = -1, .level = "info",
			.line = "Withdrawn." }, ret_next);
}

enum job_result job_park(struct job *j, int64_t version, const char *reason, struct job **ret_next)
{
	return queue_end(j, &(struct ending_write){ .state = "waiting", .reason = reason, .version = version,
			.level = "warning", .line = "Waits for you to sign in: " }, ret_next);
}

/* One that is tried again lines up once its time has come. */
static const char *later(int64_t delay_ms)
{
	return delay_ms > 0 ? "scheduled" : "queued";
}

enum job_result job_requeue(struct job *j, int64_t delay_ms, bool counted, const char *reason)
{
	char line[64];

	words_set(line, sizeof(line), "It is %s again in %lld s: ", j->intended ? "looked for" : "tried",
		(long long)((delay_ms + 999) / 1000));
	return queue_end(j, &(struct ending_write){ .state = later(delay_ms), .reason = reason, .version = -1, .level = "warning",
			.line = line, .delay_ms = delay_ms, .counted = counted }, NULL);
}

enum job_result job_look(struct job *j, int64_t delay_ms, const char *reason)
{
	char line[64];

	words_set(line, sizeof(line), "It is looked for again in %lld s: ", (long long)((delay_ms + 999) / 1000));
	return queue_end(j, &(struct ending_write){ .state = later(delay_ms), .reason = reason, .version = -1, .level = "info",
			.line = line, .delay_ms = delay_ms, .told = true }, NULL);
}

enum job_result job_put_off(struct job *j, int64_t delay_ms, bool tell, const char *reason)
{
	return queue_end(j, &(struct ending_write){ .state = later(delay_ms), .reason = reason, .version = -1, .level = "warning",
			.line = tell ? "" : NULL, .delay_ms = delay_ms }, NULL);
}

enum job_result job_wait(struct job *j, int64_t delay_ms, const char *reason)
{
	return queue_end(j, &(struct ending_write){ .state = later(delay_ms), .reason = reason, .version = -1, .level = "info",
			.delay_ms = delay_ms, .waits = true }, NULL);
}

int job_resume_all(struct db *db, int64_t user, const char *site, int64_t version, int64_t deadline, int64_t *ret_count)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_query(db, DB_USER(user), deadline, &res,
		/* all rows are locked before the first lines up, which locks their lane: as whoever changes one of them does */
		"WITH j AS (UPDATE jobs.jobs SET state = 'queued', reason = NULL, due_at = clock_timestamp(), last_line = last_line + 1 "
		"WHERE state = 'waiting' AND id = ANY (ARRAY(SELECT j.id FROM jobs.jobs j JOIN jobs.bookings b ON b.id = j.id "
		"WHERE j.user_id = $1 AND j.kind = 'booking' AND j.queue = $2 AND j.state = 'waiting' "
		"AND b.session_version IS DISTINCT FROM $3 ORDER BY j.id FOR UPDATE OF j)) RETURNING id, user_id, attempt, last_line) "
		"INSERT INTO jobs.lines (job_id, n, user_id, attempt, level, text) "
		"SELECT id, last_line, user_id, attempt, 'info', 'You have signed in again; it goes on.' FROM j",
		DB_INT(user), DB_TEXT(site), DB_INT(version));

	if (r < 0)
		return r;
	*ret_count = db_changed(res);
	return 0;
}
