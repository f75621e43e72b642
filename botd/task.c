#include "botd/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/hub.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"

#define MOST_AT_ONCE 1000 /* ends, or beats, in one statement */

/* Columns of a batch, each an array as PostgreSQL writes it. */
struct batch {
	struct bytes ids, tokens, outcomes, delays, counted;
	struct task *tasks[MOST_AT_ONCE];
	size_t n;
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
	latch_wake(&t->queue->moved, 0);
}

static struct task *batch_find(const struct batch *b, int64_t id)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->tasks[i] && b->tasks[i]->claim.id == id)
			return b->tasks[i];
	return NULL;
}
