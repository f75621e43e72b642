#include "botd/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"

#define MOST_AT_ONCE 256 /* ends, or beats, in one statement: each may take a lock of its lane */

/* Some tasks, as columns: arrays as PostgreSQL writes them. Across a wait they are numbers, for any may end meanwhile. */
struct batch {
	struct bytes ids, tokens, outcomes, delays, counted;
	struct batch_row {
		uint64_t number;
		int64_t id, token;
		bool found; /* the database has said it of that one */
		bool unwanted;
	} rows[MOST_AT_ONCE];
	size_t n, next;
};

static void batch_end(struct batch *b)
{
	bytes_free(&b->ids);
	bytes_free(&b->tokens);
	bytes_free(&b->outcomes);
	bytes_free(&b->delays);
	bytes_free(&b->counted);
}

static void put_number(struct bytes *b, int64_t n)
{
	char text[24];

	exact_must(text, sizeof(text), "%s%lld", b->n ? "," : "{", (long long)n);
	bytes_puts(b, text);
}

/* Quoted as PostgreSQL's arrays are; NULL for NULL. */
static void put_word(struct bytes *b, const char *word)
{
	bytes_puts(b, b->n ? "," : "{");
	bytes_puts(b, word ? "\"" : "NULL");
	for (; word && *word; word++) {
		if (*word == '"' || *word == '\\')
			bytes_puts(b, "\\");
		bytes_put(b, word, 1);
	}
	bytes_puts(b, word ? "\"" : "");
}

static const char *put_close(struct bytes *b)
{
	bytes_put(b, "}", 2); /* with its NUL */
	return b->p;
}

static void batch_add(struct batch *b, struct task *t)
{
	put_number(&b->ids, t->claim.id);
	put_number(&b->tokens, t->claim.token);
	put_word(&b->outcomes, t->end.outcome);
	put_number(&b->delays, t->end.delay_ms);
	put_word(&b->counted, t->end.counted ? "t" : "f");
	b->rows[b->n++] = (struct batch_row){ .number = t->number, .id = t->claim.id, .token = t->claim.token };
}

/* Those whose lease is kept, or (ending) whose end is to be written, behind a number; most at most. */
static void batch_fill(struct batch *b, struct queue *q, bool ending, uint64_t after, size_t most)
{
	struct task *t;

	TAILQ_FOREACH (t, &q->tasks, link)
		if ((t->state == TASK_ENDING || (!ending && t->state == TASK_RUNS)) && t->number > after && b->n < most)
			batch_add(b, t);
}

/* The tasks of a batch that are still there, one after another; both are in order. */
static struct task *batch_next(struct batch *b, struct queue *q, struct task *t, struct batch_row **ret)
{
	for (t = t ? TAILQ_NEXT(t, link) : TAILQ_FIRST(&q->tasks); t; t = TAILQ_NEXT(t, link)) {
		while (b->next < b->n && b->rows[b->next].number < t->number)
			b->next++;
		if (b->next < b->n && b->rows[b->next].number == t->number) {
			*ret = &b->rows[b->next];
			return t;
		}
	}
	return NULL;
}

#define BATCH_FOREACH(t_, row_, b_, q_)                                                            \
	for ((b_)->next = 0, (t_) = batch_next(b_, q_, NULL, &(row_)); (t_); (t_) = batch_next(b_, q_, t_, &(row_)))

/* Rows mostly come back in the order in which they were sent. */
static void batch_found(struct batch *b, struct db_result *res)
{
	size_t at = 0;

	while (db_next(res)) {
		int64_t id = row_int(res, "id"), token = row_int(res, "attempt");

		for (size_t i = 0; i < b->n; i++, at = (at + 1) % b->n) {
			if (b->rows[at].id == id && b->rows[at].token == token) {
				b->rows[at].found = true;
				b->rows[at].unwanted = row_bool(res, "cancel");
				break;
			}
		}
	}
}

static void task_is(struct task *t, int state)
{
	t->state = state;
	if (state == TASK_LOST)
		fiber_cancel(t->fiber);
	latch_wake(&t->moved, 0);
}

/* Those that end and are not found, although their end may have been written by a COMMIT that was not answered. */
static bool batch_doubted(struct batch *b, struct queue *q)
{
	struct batch_row *row;
	struct task *t;
	bool doubted = false;

	BATCH_FOREACH (t, row, b, q)
		doubted |= t->in_doubt && !row->found;
	return doubted;
}

static int look_for_ends(struct queue *q, struct batch *b, int64_t deadline)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r;

	if (!batch_doubted(b, q))
		return 0;
	r = db_read(q->db, DB_ROLE("stead_claimer"), deadline, &res,
		"SELECT j.id, j.attempt, j.cancel FROM unnest($1::bigint[], $2::bigint[]) e (id, token) JOIN jobs.jobs j ON j.id = e.id AND j.attempt = e.token "
		"WHERE j.state <> 'running'", DB_TEXT(b->ids.p), DB_TEXT(b->tokens.p));
	if (r == 0)
		batch_found(b, res);
	return r;
}

static void batch_doubt(struct batch *b, struct queue *q)
{
	struct batch_row *row;
	struct task *t;

	BATCH_FOREACH (t, row, b, q)
		t->in_doubt = true;
}

static int write_ends(struct queue *q, struct batch *b, int64_t deadline)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_query(q->db, DB_ROLE("stead_claimer"), deadline, &res,
		"UPDATE jobs.jobs j SET outcome = e.outcome, lease_until = NULL, due_at = clock_timestamp() + e.delay * interval '1 ms', "
		"state = CASE WHEN e.outcome IS NOT NULL THEN 'done' WHEN j.cancel THEN 'cancelled' WHEN e.delay > 0 THEN 'scheduled' ELSE 'queued' END, cancel = false, "
		"failures = CASE WHEN e.counted THEN j.failures + 1 WHEN e.outcome IS NOT NULL THEN 0 ELSE j.failures END, "
		"finished_at = CASE WHEN e.outcome IS NOT NULL OR j.cancel THEN clock_timestamp() END "
		"FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::boolean[]) e (id, token, outcome, delay, counted) "
		"WHERE j.id = e.id AND j.attempt = e.token AND j.state = 'running' RETURNING j.id, j.attempt, j.cancel",
		DB_TEXT(put_close(&b->ids)), DB_TEXT(put_close(&b->tokens)), DB_TEXT(put_close(&b->outcomes)),
		DB_TEXT(put_close(&b->delays)), DB_TEXT(put_close(&b->counted)));

	if (r == -EINPROGRESS)
		batch_doubt(b, q);
	if (r < 0)
		return r;
	batch_found(b, res);
	return look_for_ends(q, b, deadline);
}

/* It would not be taken at another try either, so it is as if nobody had run it. */
static void say_refused(struct queue *q, struct batch *b)
{
	struct batch_row *row;
	struct task *t;

	log_error("job %lld: the database does not take how it has ended; it is run again when its lease has run out: %s",
		(long long)b->rows[0].id, db_error(q->db)->text);
	BATCH_FOREACH (t, row, b, q)
		task_is(t, TASK_LOST);
}

/* The database has answered: an end that it does not have came after another's lease. */
static void ends_are_written(struct queue *q, struct batch *b)
{
	struct batch_row *row;
	struct task *t;

	BATCH_FOREACH (t, row, b, q)
		if (t->state == TASK_ENDING)
			task_is(t, row->found ? TASK_WRITTEN : TASK_LOST);
}

/* most at most, of which there are half as many the next time when they are refused. -ENOENT: there is none. */
static int write_some_ends(struct queue *q, size_t *most, int64_t deadline)
{
	CLEANUP(batch_end) struct batch b = { 0 };
	int r;

	batch_fill(&b, q, true, 0, *most);
	if (b.n == 0)
		return -ENOENT;
	r = write_ends(q, &b, deadline);
	if (r == 0)
		ends_are_written(q, &b);
	else if (!db_may_pass(r) && b.n == 1)
		say_refused(q, &b);
	if (r == 0 || db_may_pass(r))
		return r;
	*most = b.n == 1 ? MOST_AT_ONCE : b.n / 2;
	return 0;
}

int tasks_write_ends(struct queue *q, int64_t deadline)
{
	size_t most = MOST_AT_ONCE;
	int r;

	while ((r = write_some_ends(q, &most, deadline)) == 0)
		;
	return r == -ENOENT ? 0 : r;
}

static void task_beaten(struct task *t, bool unwanted, int64_t lease_end)
{
	t->claim.lease_end = lease_end;
	if (unwanted && t->state == TASK_RUNS)
		fiber_cancel(t->fiber);
}

/* Of as many as go into one, behind *after, which moves on. */
static int beat_some(struct queue *q, uint64_t *after, int64_t deadline)
{
	CLEANUP(batch_end) struct batch b = { 0 };
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int64_t lease_end = loop_now() + q->lease_ms;
	struct batch_row *row;
	struct task *t;
	int r;

	batch_fill(&b, q, false, *after, MOST_AT_ONCE);
	if (b.n == 0)
		return -ENOENT;
	*after = b.rows[b.n - 1].number;
	r = db_query(q->db, DB_ROLE("stead_claimer"), deadline, &res,
		"UPDATE jobs.jobs j SET lease_until = clock_timestamp() + $3 * interval '1 ms' "
		"FROM unnest($1::bigint[], $2::bigint[]) e (id, token) WHERE j.id = e.id AND j.attempt = e.token AND j.state = 'running' "
		"RETURNING j.id, j.attempt, j.cancel", DB_TEXT(put_close(&b.ids)), DB_TEXT(put_close(&b.tokens)), DB_INT(q->lease_ms));
	if (r < 0)
		return r;
	batch_found(&b, res);
	BATCH_FOREACH (t, row, &b, q) {
		if (row->found)
			task_beaten(t, row->unwanted, lease_end);
		else if (t->state == TASK_RUNS) /* it may have ended meanwhile */
			task_is(t, TASK_LOST);
	}
	return 0;
}

int tasks_beat(struct queue *q, int64_t deadline)
{
	uint64_t after = 0;
	int r;

	while ((r = beat_some(q, &after, deadline)) == 0)
		;
	return r == -ENOENT ? 0 : r;
}

int64_t tasks_expire(struct queue *q)
{
	int64_t now = loop_now(), next = NEVER;
	struct task *t;

	TAILQ_FOREACH (t, &q->tasks, link) {
		if (t->state != TASK_RUNS && t->state != TASK_ENDING)
			continue;
		if (now >= t->claim.lease_end)
			task_is(t, TASK_LOST);
		else
			next = deadline_min(next, t->claim.lease_end);
	}
	return next;
}

int64_t tasks_running(const struct queue *q, size_t kind)
{
	const struct task *t;
	int64_t n = 0;

	TAILQ_FOREACH (t, &q->tasks, link)
		n += t->claim.wish == kind && t->state == TASK_RUNS;
	return n;
}

void tasks_cancel(struct queue *q)
{
	struct task *t;

	TAILQ_FOREACH (t, &q->tasks, link)
		fiber_cancel(t->fiber);
}

void tasks_hear(struct queue *q, int64_t job)
{
	struct task *t;

	TAILQ_FOREACH (t, &q->tasks, link)
		if (t->claim.id == job && t->state == TASK_RUNS)
			fiber_cancel(t->fiber);
}

static void await_written(struct task *t)
{
	if (t->state == TASK_RUNS)
		t->state = TASK_ENDING;
	queue_wake(t->queue);
	LATCH_AWAIT(&t->moved, t->state != TASK_ENDING);
}

/* Whatever it is that ends every attempt, it must not go on for ever. */
static void run_task(struct task *t)
{
	const struct kind *k = &t->queue->kinds[t->claim.wish];

	if (t->claim.unwanted)
		return;
	if (k->tries && t->claim.failures >= k->tries)
		t->end.outcome = "failed";
	else
		k->run(t->queue->owner, t);
}

static void task_run(void *arg)
{
	struct task *t = arg;
	struct queue *q = t->queue;

	t->fiber = fiber_self();
	if (q->stopping)
		fiber_cancel(t->fiber);
	if (t->state == TASK_RUNS)
		run_task(t);
	await_written(t);
	if (t->state == TASK_LOST)
		log_notice("job %lld: its lease was lost; what has become of it is found out anew", (long long)t->claim.id);
	TAILQ_REMOVE(&q->tasks, t, link);
	queue_wake(q);
	free(t);
}

void task_begin(struct queue *q, const struct claim *claim)
{
	struct task *t = must(calloc(1, sizeof(*t)));

	t->queue = q;
	t->claim = *claim;
	t->number = ++q->begun;
	TAILQ_INSERT_TAIL(&q->tasks, t, link);
	fiber_start("task", task_run, t, NULL);
}
