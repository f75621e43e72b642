/* What a run's browser holds, once whoever works on it has left it and what it has let go is over. */
#include <errno.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "streamd/browser/act.h"
#include "streamd/browser/fetches.h"
#include "streamd/run/runs_inside.h"
#include "streamd/session/capture.h"

#define CAPTURE_MS 60000

/* What a capture could not take along; NULL if that is nothing, or the same that was missing in what the browser was given. */
static const char *left_out(struct run *run, struct call *call, const struct state *state)
{
	char now[RUN_MOST_REASON], before[RUN_MOST_REASON];

	if (!state_left_out(state, now, sizeof(now)))
		return NULL;
	state_left_out(run->state, before, sizeof(before));
	return strcmp(now, before) == 0 ? NULL : arena_strdup(call->arena, now);
}

static const char *why_not_captured(struct run *run, struct call *call, int r)
{
	if (!run->browser)
		return "The browser had not been to the site yet.";
	if (browser_ended(run->browser))
		return arena_strdup(call->arena, browser_ended(run->browser));
	if (r == -E2BIG)
		return "The site keeps more in the browser than Stead can take along (64 MiB).";
	return arena_printf(call->arena, "The browser did not give out what it holds: %s", call_why(call, r));
}

/*
 * What the browser holds, and what of that could not be had, which is never silent. The network is cut from here on. What tabs have
 * each of their own counts as the one in front has it, which the run has last been at; another may hold what that has spent.
 */
void run_take_state(struct run *run, struct call *call, int *ret, const char **ret_left_out)
{
	int64_t deadline = deadline_min(call->deadline - RUN_ANSWER_MS, deadline_in(CAPTURE_MS));
	struct state *state = NULL;
	int r = !run->browser || browser_ended(run->browser) ? -ENODATA : 0;

	if (r == 0)
		r = page_await_fetched(target_ref_of(browser_front(run->browser)));
	if (r == 0)
		r = browser_set_network(run->browser, call, false);
	if (r == 0) {
		act_leave(browser_act(run->browser));
		r = capture_whole(run->browser, target_ref_of(browser_front(run->browser)), run->recipe, run->state, deadline,
			&state);
	}
	if (r == 0 && !state_equal(state, run->state)) /* else there is nothing to tell */
		r = state_memfd(state, ret);
	*ret_left_out = r == 0 ? left_out(run, call, state) : why_not_captured(run, call, r);
	if (*ret_left_out)
		log_warning("a browser at %s is ended without %s: %s", run->recipe->name,
			r == 0 ? "all that it holds" : "what it holds", *ret_left_out);
	state_free(state);
}

/* A step may still be under way when whoever asked for it has given up; it is cut short. */
static void wait_left(struct run *run)
{
	fiber_cancel(run->visitor);
	LATCH_AWAIT(&run->left, !run->visitor);
}

/* What has been let go is waited for as long as the call allows; what has not never leaves, until the page has been left. */
static void end_act(struct run *run, const struct call *call)
{
	struct act *act = run->browser ? browser_act(run->browser) : NULL;

	if (act_is_open(act))
		act_await_over(act, deadline_min(call->deadline - RUN_CLOSE_SPARE_MS, deadline_in(RUN_OPEN_MS)));
	if (act_is_open(act))
		act_leave(act);
	else
		act_stop(act);
}

void run_quieten(struct run *run, const struct call *call)
{
	event_del(run->idle);
	wait_left(run);
	end_act(run, call);
}
