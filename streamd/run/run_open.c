/* A run's beginning: a fresh browser, a captured session in it, and whose the site says that is. */
#include <errno.h>

#include "common/cleanup.h"
#include "streamd/run/runs_inside.h"
#include "streamd/screen/screen.h"
#include "streamd/session/proof.h"

/* Tells the caller whose session it is. Only a run with the right one's lives on; of any other, what it holds is given back. */
static void settle_open(struct call *call, struct run *run, const struct proof *proof, struct run_open_result *result)
{
	result->verdict = verdict_word(proof->found.verdict);
	if (proof->found.verdict == VERDICT_IN && run->browser) {
		run->opened = run->untouched = true;
		run_leave(run);
		return;
	}
	result->reason = run_with_events(run, call->arena, proof->found.why);
	result->retry_ms = proof->found.retry_ms;
	if (proof->found.verdict == VERDICT_OUT && *proof->found.account)
		result->shown_account = arena_strdup(call->arena, proof->found.account);
	if (proof->visited)
		run_take_state(run, call, &result->state, &result->left_out);
	if (result->state >= 0 && proof->found.verdict != VERDICT_OUT && !fiber_cancelled() && !run->ending)
		run_hand_out(run, result->state);
	if (run->handed >= 0 || fiber_cancelled() || run->ending) /* or nobody hears that */
		run_leave(run);
	else
		run_free(run);
}

/*
 * It has failed, or the caller has given it up. What the browser holds then may be the only token that the site still takes:
 * it is kept for a while, for run_close to fetch.
 */
static void fail_open(struct run *run)
{
	if (run->browser || run->ending)
		run_leave(run);
	else
		run_free(run);
}

static int run_open_open_browser(struct call *call, struct runs *runs, const struct run_open_params *params,
	const struct recipe *recipe, struct state *state, struct run_open_result *result)
{
	struct run *run = run_new(runs, call->acting.user, params, recipe, state, run_on_idle);
	struct proof proof = { 0 };
	struct visit v;
	int r;

	run_visit_begin(runs, &v);
	run->visitor = v.fiber;
	r = proof_open(call, &runs->daemon->settings, recipe, state, params->account, &screen_watched_events, run->screen, &proof,
		&run->browser);
	streamd_note_start(runs->daemon, call, r);
	if (r == 0 && run->ending)
		r = -ECANCELED;
	if (r == 0)
		settle_open(call, run, &proof, result);
	else
		fail_open(run);
	proof_clear(&proof);
	run_visit_end(runs, &v);
	return r;
}

int run_open(struct call *call, const struct run_open_params *params, struct run_open_result *result)
{
	struct streamd *d = call->daemon;
	CLEANUP(recipe_unrefp) const struct recipe *recipe = streamd_recipe(d, call, params->site);
	struct state *state;
	char why[256];

	result->state = -1;
	if (!recipe)
		return REFUSED;
	if (!d->runs || d->runs->stopping)
		return call_refuse(call, ERR_unavailable, NULL, "streamd is stopping; try again in a moment.");
	if (runs_count(d->runs) >= (size_t)d->settings.most_runs)
		return call_refuse(call, ERR_busy, NULL,
			"All %lld browsers for bots are in use; try again in a moment, or raise most_runs in streamd's settings.",
			(long long)d->settings.most_runs);
	if (run_named(d->runs, call->acting.user, params->run))
		return call_refuse(call, ERR_invalid, "run", "There is a run of that name already; give each a fresh one.");
	if (state_read_memfd(params->state, &state, why, sizeof(why)) < 0)
		return call_refuse(call, ERR_invalid, "state", "%s", why);
	return run_open_open_browser(call, d->runs, params, recipe, state, result);
}
