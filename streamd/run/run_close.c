/* A run's end: what its browser holds, and whether that has been proved once more. */
#include <errno.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "streamd/browser/farewell.h"
#include "streamd/run/runs_inside.h"
#include "streamd/session/probe.h"

#define PROVE_MS 10000 /* for the probe before the end */

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
	if (params->prove && !params->discard && loop_now() + PROVE_MS < call->deadline - RUN_CLOSE_SPARE_MS)
		result->verdict = prove_again(run, call);
	if (!params->discard && run->handed < 0)
		run_take_state(run, call, &result->state, &result->left_out);
	if (result->state >= 0 && !fiber_cancelled())
		run_hand_out(run, result->state);
	leave_closed(run, params->discard);
	run_visit_end(runs, &v);
	return fiber_cancelled() ? -ECANCELED : 0;
}
