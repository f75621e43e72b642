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

#define MOST_AT_ONCE 1000 /* ends, or beats, in one statement */

/* Columns of a batch, each an array as PostgreSQL writes it. */
struct batch {
	struct bytes ids, tokens, outcomes, delays, counted;
	struct task *tasks[MOST_AT_ONCE]; /* NULL: it has been found */
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

static void put_word(struct bytes *b, const char *word)
{
	bytes_puts(b, b->n ? "," : "{");
	bytes_puts(b, word);
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
	put_word(&b->outcomes, t->end.outcome ?: "NULL");
	put_number(&b->delays, t->end.delay_ms);
	put_word(&b->counted, t->end.counted ? "t" : "f");
	b->tasks[b->n++] = t;
}

/* Those in that state, as many as go into one. */
static void batch_fill(struct batch *b, struct queue *q, int state)
{
	struct task *t;

	TAILQ_FOREACH (t, &q->tasks, link)
		if ((int)t->state == state && b->n < MOST_AT_ONCE)
			batch_add(b, t);
}

static void task_is(struct task *t, int state)
{
	t->state = state;
	if (state == TASK_LOST)
		fiber_cancel(t->fiber);
	latch_wake(&t->moved, 0);
}

/* Rows mostly come back in the order in which they were sent. */
static struct task *batch_take(struct batch *b, int64_t id)
{
	for (size_t i = 0; i < b->n; i++) {
		size_t at = (b->next + i) % b->n;

		if (b->tasks[at] && b->tasks[at]->claim.id == id) {
			b->next = at + 1;
			return TAKE(b->tasks[at]);
		}
	}
	return NULL;
}

/* Those whose rows came back are as said; each is found once. */
static void batch_are(struct batch *b, struct db_result *res, int state)
{
	while (db_next(res)) {
		struct task *t = batch_take(b, row_int(res, "id"));

		if (t)
			task_is(t, state);
	}
}

/* An end that may have been written, by a COMMIT that was not answered, is looked for before its lease counts as lost. */
static int look_for_ends(struct queue *q, struct batch *b, int64_t deadline)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	bool doubted = false;
	int r;

	for (size_t i = 0; i < b->n; i++)
		doubted |= b->tasks[i] && b->tasks[i]->in_doubt;
	if (!doubted)
		return 0;
	r = db_read(q->db, DB_ROLE("stead_claimer"), deadline, &res,
		"SELECT j.id FROM unnest($1::bigint[], $2::bigint[]) e (id, token) JOIN jobs.jobs j ON j.id = e.id AND j.attempt = e.token "
		"WHERE j.state <> 'running'", DB_TEXT(b->ids.p), DB_TEXT(b->tokens.p));
	if (r == 0)
		batch_are(b, res, TASK_WRITTEN);
	return r;
}

static void batch_doubt(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		b->tasks[i]->in_doubt = true;
}

/* The database has answered, and has none of these. */
static void batch_lost(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->tasks[i])
			task_is(b->tasks[i], TASK_LOST);
}

static int write_ends(struct queue *q, struct batch *b, int64_t deadline)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_query(q->db, DB_ROLE("stead_claimer"), deadline, &res,
		"UPDATE jobs.jobs j SET outcome = e.outcome, lease_until = NULL, due_at = clock_timestamp() + e.delay * interval '1 ms', "
		"state = CASE WHEN e.outcome IS NOT NULL THEN 'done' WHEN e.delay > 0 THEN 'scheduled' ELSE 'queued' END, "
		"failures = CASE WHEN e.counted THEN j.failures + 1 WHEN e.outcome IS NOT NULL THEN 0 ELSE j.failures END, "
		"finished_at = CASE WHEN e.outcome IS NOT NULL THEN clock_timestamp() END "
		"FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::boolean[]) e (id, token, outcome, delay, counted) "
		"WHERE j.id = e.id AND j.attempt = e.token AND j.state = 'running' RETURNING j.id",
		DB_TEXT(put_close(&b->ids)), DB_TEXT(put_close(&b->tokens)), DB_TEXT(put_close(&b->outcomes)),
		DB_TEXT(put_close(&b->delays)), DB_TEXT(put_close(&b->counted)));

	if (r == -EINPROGRESS)
		batch_doubt(b);
	if (r < 0)
		return r;
	batch_are(b, res, TASK_WRITTEN);
	return look_for_ends(q, b, deadline);
}

int tasks_write_ends(struct queue *q, int64_t deadline)
{
	int r = 0;

	while (r == 0) {
		CLEANUP(batch_end) struct batch b = { 0 };

		batch_fill(&b, q, TASK_ENDING);
		if (b.n == 0)
			break;
		r = write_ends(q, &b, deadline);
		if (r == 0)
			batch_lost(&b);
	}
	return r;
}

int tasks_beat(struct queue *q, int64_t deadline)
{
	CLEANUP(batch_end) struct batch b = { 0 };
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int64_t lease_end = loop_now() + q->lease_ms;
	int r;

	batch_fill(&b, q, TASK_RUNS);
	if (b.n == 0)
		return 0;
	r = db_query(q->db, DB_ROLE("stead_claimer"), deadline, &res,
		"UPDATE jobs.jobs j SET lease_until = clock_timestamp() + $3 * interval '1 ms' "
		"FROM unnest($1::bigint[], $2::bigint[]) e (id, token) WHERE j.id = e.id AND j.attempt = e.token AND j.state = 'running' "
		"RETURNING j.id", DB_TEXT(put_close(&b.ids)), DB_TEXT(put_close(&b.tokens)), DB_INT(q->lease_ms));
	if (r < 0)
		return r;
	while (db_next(res)) {
		struct task *t = batch_take(&b, row_int(res, "id"));

		if (t)
			t->claim.lease_end = lease_end;
	}
	for (size_t i = 0; i < b.n; i++)
		if (b.tasks[i] && b.tasks[i]->state == TASK_RUNS) /* it may have ended meanwhile */
			task_is(b.tasks[i], TASK_LOST);
	return 0;
}

void tasks_expire(struct queue *q)
{
	struct task *t;

	TAILQ_FOREACH (t, &q->tasks, link)
		if ((t->state == TASK_RUNS || t->state == TASK_ENDING) && loop_now() >= t->claim.lease_end)
			task_is(t, TASK_LOST);
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

static void await_written(struct task *t)
{
	if (t->state == TASK_RUNS)
		t->state = TASK_ENDING;
	queue_wake(t->queue);
	LATCH_AWAIT(&t->moved, t->state != TASK_ENDING);
}

static void task_run(void *arg)
{
	struct task *t = arg;
	struct queue *q = t->queue;

	t->fiber = fiber_self();
	if (q->stopping)
		fiber_cancel(t->fiber);
	q->kinds[t->claim.wish].run(q->owner, t);
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
	TAILQ_INSERT_TAIL(&q->tasks, t, link);
	fiber_start("task", task_run, t, NULL);
}
