/*
 * Runs that nobody closes: whoever opened them has ended without a word, or streamd itself ends. What their browsers hold may be
 * the only state that the site still takes, so it goes to the vault from here, beside what was proved: as of the session's number
 * and version that the browser was given, so what was saved since, or kept in the place of one that was forgotten, stays.
 *
 * Without a lease, for streamd may have none: whoever has it asks for run_clear before the session is fetched.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/hex.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/pause.h"
#include "common/random_name.h"
#include "proto/sessiond.h"
#include "streamd/browser/act.h"
#include "streamd/run/runs_inside.h"

#define AWAY_MS      40000  /* as for run_close */
#define AWAY_STOP_MS 22000  /* the same while streamd stops */
#define STORE_MS     10000
#define SAVE_MS      300000 /* the vault or its database may be away; or until streamd has no more time */
#define LONGEST_MS   2000
#define NAME_BYTES   16
#define STOP_MS      30000 /* for what is closed and put away while streamd stops (TimeoutStopSec=) */

static struct call *run_left_new_call(struct run *run, int64_t ms)
{
	const struct acting owner = { .user = run->user, .name = "streamd", .scopes = SCOPES_PERSON };

	return call_new(run->runs->daemon, &owner, deadline_in(ms));
}

/* One try: whether there is to be another. */
static bool run_left_store_once(struct run *run, const struct session_store_params *params, bool first, bool last)
{
	CLEANUP(call_freep) struct call *call = run_left_new_call(run, STORE_MS);
	struct session_store_result result;
	int r = call_session_store(call, run->runs->daemon->sessiond, params, &result);
	bool again = r == REFUSED && !last && error_may_pass(call->refusal.code);

	if (r == REFUSED && call->refusal.code == ERR_conflict)
		log_info("what a browser at %s held, which nobody has closed, is not kept: %s", run->recipe->name, call_cause(call, r));
	else if (r < 0 && !again)
		log_warning("what a browser at %s held, which nobody has closed, was not saved, so what the site has rotated is lost: %s",
			run->recipe->name, call_cause(call, r));
	else if (again && first)
		log_notice("what a browser at %s held, which nobody has closed, is not saved yet, and is offered to the vault again: %s",
			run->recipe->name, call_cause(call, r));
	return again;
}

static void run_left_store(struct run *run, int state)
{
	int64_t end = deadline_in(SAVE_MS), pause = 50;
	char save[HEX_SIZE(NAME_BYTES)];
	const struct session_store_params params = { .save = save, .site = run->recipe->name, .account = run->account,
		.replaces = run->version, .session = run->session, .state = state };
	bool first = true;

	random_name(save, NAME_BYTES);
	while (run_left_store_once(run, &params, first, fiber_cancelled() || loop_now() + pause >= end)) {
		first = false;
		fiber_sleep_until(deadline_in(pause));
		pause = pause_longer(pause, LONGEST_MS);
	}
}

static void put_away(void *arg)
{
	struct run *run = arg;
	struct runs *runs = run->runs;
	CLEANUP(call_freep) struct call *call = run_left_new_call(run, runs->stopping ? AWAY_STOP_MS : AWAY_MS);
	const char *left_out;
	struct visit v;

	run_visit_begin(runs, &v);
	run_quieten(run, call);
	if (run->handed < 0)
		run_take_state(run, call, &run->handed, &left_out);
	run_close_browser(run);
	if (run->handed >= 0)
		run_left_store(run, run->handed);
	run_free(run);
	run_visit_end(runs, &v);
}

void run_put_away(struct run *run)
{
	run->ending = true;
	event_del(run->idle);
	fiber_start("run left", put_away, run, NULL);
}

void run_on_idle(evutil_socket_t, short, void *arg)
{
	struct run *run = arg;

	if (run->ending)
		return;
	if (run->browser && act_is_open(browser_act(run->browser)) && loop_now() - run->acted_at < RUN_OPEN_MS) {
		run_arm_idle(run);
		return;
	}
	log_notice("a run at %s was left by whoever opened it; what its browser held is saved", run->recipe->name);
	run_put_away(run);
}

static void await_ends(struct runs *r, int64_t deadline)
{
	if (!LIST_EMPTY(&r->visits) || !TAILQ_EMPTY(&r->list))
		latch_wait(&r->emptied, deadline);
}

/* What is open is put away, and what is being closed, or saved by whoever has closed it, has its time. */
static void end_all(struct runs *r)
{
	struct run *run;
	struct visit *v;

	TAILQ_FOREACH (run, &r->list, link)
		if (run->handed >= 0 && !run->visitor && !run->ending)
			run_arm_idle(run);
		else if (!run->ending)
			run_put_away(run);
	await_ends(r, deadline_in(STOP_MS));
	LIST_FOREACH (v, &r->visits, link)
		fiber_cancel(v->fiber);
	await_ends(r, NEVER);
}

struct runs *runs_free(struct runs *r)
{
	if (!r)
		return NULL;
	r->stopping = true;
	fiber_shield();
	end_all(r);
	fiber_unshield();
	r->daemon->runs = NULL;
	free(r);
	return NULL;
}

static struct run *run_at(struct runs *runs, int64_t user, const char *site)
{
	struct run *run;

	TAILQ_FOREACH (run, &runs->list, link)
		if (run->user == user && strcmp(run->recipe->name, site) == 0)
			return run;
	return NULL;
}

int run_clear(struct call *call, const struct run_clear_params *params, struct run_clear_result *)
{
	struct streamd *d = call->daemon;
	struct run *run;
	int r = 0;

	while (r == 0 && d->runs && (run = run_at(d->runs, call->acting.user, params->site))) {
		if (!run->ending) {
			log_notice("a run at %s was left by whoever opened it; what its browser holds is saved", run->recipe->name);
			run_put_away(run);
		}
		r = run_await_gone(run, call->deadline - RUN_ANSWER_MS);
	}
	if (r == -ETIMEDOUT)
		return call_refuse(call, ERR_busy, "site", "What an earlier browser at the site held is still being saved; try again in a moment.");
	return r;
}
