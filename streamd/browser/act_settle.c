/*
 * Whether a page has sent all that it wants to: many a page checks something, reads what that has made, and only then books. So it
 * has not as long as it reads what it has not read before; what it keeps asking for says nothing.
 */
#include <errno.h>

#include "common/loop.h"
#include "streamd/browser/act_inside.h"

#define READ_MS    10000 /* after what acts: for what is read then, for a page may read without end */
#define NOTHING_MS 3000  /* for what acts, as after a press, while all that it has come to is nothing, or could not leave */
#define MORE_MS    700   /* after input: for what follows on what that has sent */

/* Until when a later step's press, or what it wrote, may still have the page send what acts; 0: there was none. */
static int64_t input_settled_at(const struct act *a)
{
	if (!a->input_at)
		return 0;
	return a->noticed == a->input_noticed ? a->input_at + NOTHING_MS : a->changed + MORE_MS;
}

/* When it has settled, if nothing more comes. */
static int64_t settled_at(const struct act *a, int64_t settle_ms)
{
	int64_t quiet = (a->read_at > a->changed ? a->read_at : a->changed) + settle_ms;
	int64_t page = coming_first(a, false) ? a->changed + READ_MS : deadline_min(quiet, a->changed + READ_MS);
	int64_t input = input_settled_at(a);

	return settle_ms && page > input ? page : input;
}

static bool has_left(const struct act *a)
{
	return tally_has_left(&a->sure) || tally_has_left(&a->maybe) || a->socket || !(a->sure.unsent + a->maybe.unsent);
}

int act_await_noticed(struct act *a)
{
	int64_t deadline = a ? a->input_at + NOTHING_MS : 0;
	int r = a && a->gate != GATE_OFF ? 0 : -ETIMEDOUT;

	while (r == 0 && a->noticed == a->input_noticed)
		r = latch_wait(&a->news, deadline);
	return r;
}

int act_await_answer(struct act *a, int64_t settle_ms, int64_t deadline)
{
	int r = 0;

	while (r == 0 && loop_now() < deadline) {
		int64_t settled = settled_at(a, has_left(a) || settle_ms > NOTHING_MS ? settle_ms : NOTHING_MS);
		if (!act_is_open(a) && loop_now() >= settled)
			return 0;
		r = latch_wait(&a->news, deadline_min(deadline, deadline_min(coming_until(a), act_is_open(a) ? NEVER : settled)));
		if (r == -ETIMEDOUT)
			r = 0;
	}
	return r;
}
