/* A run's end: what its browser holds, and whether that has been proved once more. */
#include <errno.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"
#include "streamd/browser/act.h"
#include "streamd/browser/farewell.h"
#include "streamd/run/runs_inside.h"
#include "streamd/session/capture.h"
#include "streamd/session/proof.h"

#define CAPTURE_MS     60000
#define PROVE_MS       10000 /* for the probe before the end */
#define CLOSE_SPARE_MS 15000 /* of the time for run_close, for what follows the answer */

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
	int r = !run->browser || browser_ended(run->browser) ? -ENODATA : browser_set_network(run->browser, call, false);

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

/*
 * Asks the site's probe once more, so that what is captured then has been proved since its last visit. NULL when it could not
 * be asked.
 */
static const char *prove_again(struct run *run, struct call *call)
{
	int64_t deadline = deadline_min(deadline_in(PROVE_MS), call->deadline - RUN_ANSWER_MS);
	struct target *page = run->opened && !browser_ended(run->browser) ? browser_front(run->browser) : NULL;
	struct target_ref ref = target_ref_of(page);
	struct probed seen;
	int r = page && !run->expired ? 0 : -ENODATA;

	if (r == 0)
		r = page_leave_act(ref, run->recipe->session.farewell, deadline);
	if (r == 0)
		r = probe(ref, run->recipe, deadline, &seen);
	if (r < 0)
		return NULL;
	if (seen.verdict == VERDICT_IN && strcmp(seen.account, run->account) != 0)
		seen.verdict = VERDICT_INCONCLUSIVE; /* it is looked at with two looks when it is used again */
	if (seen.verdict != VERDICT_IN)
		log_info("after a run at %s: %s", run->recipe->name, seen.why);
	return verdict_word(seen.verdict);
}

/* What has been let go is waited for as long as the call allows; what has not never leaves, until the page has been left. */
static void end_act(struct run *run, const struct call *call)
{
	struct act *act = run->browser ? browser_act(run->browser) : NULL;

	if (act_is_open(act))
		act_await_over(act, deadline_min(call->deadline - CLOSE_SPARE_MS, deadline_in(RUN_OPEN_MS)));
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

/* Its end is on its way already, as nobody had asked for it so far or streamd stops: what it holds goes to the vault by that. */
static int await_end(struct call *call, struct run *run)
{
	int r = run_await_gone(run, call->deadline - RUN_ANSWER_MS);

	return r == -ETIMEDOUT ? call_refuse(call, ERR_busy, "run", "What this run's browser holds is still being saved.") : r;
}

/* What it held is nobody's to lose: it goes when that is known to be kept, was not to be, or is what the vault has. */
static void leave_closed(struct run *run, bool discard)
{
	bool heard = !fiber_cancelled() && !run->awaited_by;

	if (discard || (heard && run->handed < 0)) {
		run_free(run);
	} else if (!heard) {
		run_put_away(run);
	} else {
		run->ending = false;
		run_leave(run);
	}
}

int run_close(struct call *call, const struct run_close_params *params, struct run_close_result *result)
{
	struct run *run = run_find(call, params->run);
	struct runs *runs;
	struct visit v;

	result->state = -1;
	if (!run)
		return REFUSED;
	if (run->ending)
		return await_end(call, run);
	runs = run->runs;
	run->ending = true;
	run_visit_begin(runs, &v);
	run_quieten(run, call);
	if (params->prove && !params->discard && loop_now() + PROVE_MS < call->deadline - CLOSE_SPARE_MS)
		result->verdict = prove_again(run, call);
	if (!params->discard && run->handed < 0)
		run_take_state(run, call, &result->state, &result->left_out);
	if (result->state >= 0 && !fiber_cancelled())
		run_hand_out(run, result->state);
	leave_closed(run, params->discard);
	run_visit_end(runs, &v);
	return fiber_cancelled() ? -ECANCELED : 0;
}
