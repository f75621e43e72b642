/* The connection that what acts goes over, alone. */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"
#include "proto/launcher.h"
#include "proto/peer.h"
#include "streamd/browser/act_inside.h"

#define ANSWER_MS    5000 /* for what the launcher answers at once */
#define READY_MS     10000
#define HANDSHAKE_MS 10000 /* that of a connection whose request has been taken back */
#define GRACE_MS     2000  /* from the end of the connection until a Chromium that runs has said so */
#define AWAKE_MS     500   /* what runs answers within */
#define GIVE_WAY_MS  2000  /* for the answer to what only may act, when something that does waits for it */

/* When the answer to what only may act is waited for no more, as something that does waits for it. */
static int64_t gives_way_at(const struct act *a)
{
	const struct asked *k;

	TAILQ_FOREACH (k, &a->kept, link)
		if (k->acts && !a->flying->acts && a->heard) /* else its connection is still to be made */
			return a->flown_at + GIVE_WAY_MS;
	return NEVER;
}

static enum line line_of(const char *state)
{
	if (strcmp(state, "over") == 0)
		return LINE_OVER;
	if (strcmp(state, "heard") == 0)
		return LINE_HEARD;
	return strcmp(state, "made") == 0 ? LINE_MADE : LINE_READY;
}

static void listen_to(void *arg)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, NEVER);
	struct act *a = arg;
	struct egress_alone_params params = { .host = a->flying->host.name, .port = a->flying->port };
	struct egress_alone_item item;
	struct peer_stream *stream = NULL;
	int r = open_egress_alone(call, browser_launcher(a->browser), &params, &stream);

	while (r == 0 && (r = peer_stream_next(stream, &item, NEVER)) == 0) {
		a->line = line_of(item.state);
		a->made |= a->line == LINE_MADE;
		a->heard |= a->line == LINE_HEARD;
		act_tell(a);
	}
	peer_stream_close(stream);
	if (r != -ECANCELED && a->line == LINE_NONE)
		words_set(a->why, sizeof(a->why), "No connection to %s of its own could be had: %s", a->flying->host.name,
			call_why(call, r));
	if (r != -ECANCELED)
		a->line = LINE_FAILED;
	act_tell(a);
}

int line_begin(struct act *a)
{
	int64_t deadline = deadline_in(READY_MS);
	int r = 0;

	a->line = LINE_NONE;
	a->made = a->heard = a->dropped = false;
	fiber_start("egress alone", listen_to, a, &a->listener);
	while (r == 0 && a->line == LINE_NONE)
		r = latch_wait(&a->work, deadline);
	if (r == -ETIMEDOUT)
		words_set(a->why, sizeof(a->why), "No connection to %s of its own could be had: its launcher has not answered within %d s.",
			a->flying->host.name, READY_MS / 1000);
	return r < 0 ? r : a->line == LINE_FAILED ? -ECONNRESET : 0;
}

void line_end(struct act *a)
{
	fiber_cancel(a->listener);
	fiber_join(&a->listener);
}

/*
 * Whether Chromium keeps up, which a starved one does not: it may still have to find out that the connection has ended, and would
 * then take another if there were one. The cookies are with its network process.
 */
static int is_awake(struct act *a, bool *ret)
{
	int64_t asked = loop_now();
	int r = cdp_call(browser_cdp(a->browser), "", "Storage.getCookies", NEVER, NULL);

	*ret = loop_now() - asked < AWAKE_MS;
	return r == -EREMOTE ? 0 : r;
}

/* Nothing but what is heard of it says that it has ended. */
static void line_drop(struct act *a)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(ANSWER_MS));
	struct egress_drop_params params;
	struct egress_drop_result result;
	int r = call_egress_drop(call, browser_launcher(a->browser), &params, &result);

	if (r < 0)
		log_debug("the connection to %s is not closed: %s", a->flying->host.name, call_why(call, r));
	else
		a->dropped = true;
}

/*
 * What its page has taken back may go on by itself over a connection that is still being made. When that is not made in time we
 * close it; until then, and as long as nobody knows that it is closed, its host stays shut.
 */
static int await_end_of_line(struct act *a)
{
	int64_t deadline = NEVER;
	int r = 0;

	while (r == 0 && !a->over && a->line < LINE_OVER && loop_now() < gives_way_at(a)) {
		bool doubtful = a->withdrawn && !a->heard && !a->flying->plain; /* plain HTTP has no handshake to be told by */
		deadline = !doubtful ? NEVER : deadline == NEVER ? deadline_in(HANDSHAKE_MS) : deadline;
		r = latch_wait(&a->work, deadline_min(deadline, gives_way_at(a)));
		if (r != -ETIMEDOUT)
			continue;
		r = 0;
		if (loop_now() < deadline)
			continue;
		deadline = NEVER;
		if (!a->over && !a->heard)
			line_drop(a);
	}
	return r;
}

/* An answer may be told of by the browser before the launcher has said whose it is. */
static int await_whose(struct act *a)
{
	int64_t deadline = deadline_in(GRACE_MS);
	int r = 0;

	while (r == 0 && a->flying->plain && a->status && a->line < LINE_HEARD)
		r = latch_wait(&a->work, deadline);
	return r;
}

/*
 * What the browser says of the end may be read before what the launcher has said of the connection, although that was first: so
 * nothing counts as never having left before the launcher has answered once more. If it does not, nobody knows.
 */
static int line_catch_up(struct act *a)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(ANSWER_MS));
	struct egress_told_params params;
	struct egress_told_result result;
	int r = call_egress_told(call, browser_launcher(a->browser), &params, &result);

	if (r == -ECANCELED)
		return r;
	a->heard |= r < 0;
	return fiber_yield(); /* to whoever listens */
}

int line_await_answer(struct act *a)
{
	int r = await_end_of_line(a);
	int64_t deadline = deadline_in(GRACE_MS);
	bool awake = false;

	if (r == 0 && loop_now() >= gives_way_at(a)) /* it may still be answered; it is not waited for */
		return 0;
	while (r == 0 && !a->over && !awake) {
		r = latch_wait(&a->work, deadline);
		if (r != -ETIMEDOUT)
			continue;
		r = is_awake(a, &awake);
		deadline = deadline_in(GRACE_MS);
	}
	if (r == 0)
		r = await_whose(a);
	if ((r == 0 || r == -ETIMEDOUT) && !line_may_have_carried(a))
		r = line_catch_up(a);
	return r == -ETIMEDOUT ? 0 : r;
}

bool line_was_heard(const struct act *a)
{
	return a->heard || !a->flying->plain;
}

/* Until the handshake has been answered no request can have left over https, and over plain HTTP until the connection is made. */
bool line_may_have_carried(const struct act *a)
{
	return a->heard || (a->flying->plain && (a->made || a->line == LINE_FAILED));
}

void line_share(struct act *a)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(ANSWER_MS));
	struct egress_share_params params;
	struct egress_share_result result;
	int r = call_egress_share(call, browser_launcher(a->browser), &params, &result);

	if (r < 0)
		log_debug("other requests wait for what is open: %s", call_why(call, r));
}
