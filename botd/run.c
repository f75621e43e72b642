#include "botd/run_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "botd/state.h"
#include "common/random_name.h"
#include "botd/outage.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/pause.h"
#include "common/words.h"
#include "proto/sessiond.h"

#define LEASE_MS      12000 /* of the session; a crashed botd's is free after this long */
#define BEAT_MS       3000  /* between two beats of the lease, and for one */
#define CALL_MS       15000
#define OPEN_MS       150000 /* a browser starts, the state is restored, the probe answers twice, what is left is captured */
#define AT_ONCE_MS    500   /* who is not there refuses faster */
#define CLOSE_MS      40000 /* what it holds is captured, perhaps after one more probe */
#define STORE_MS      20000
#define SAVE_MS       300000 /* the vault or the database may be away */
#define SAVE_STOP_MS  10000  /* while botd stops (TimeoutStopSec=) */
#define SAVE_PAUSE_MS 2000   /* at most, between two tries of a save */

const struct recipe *run_recipe(const struct run *r)
{
	return r->recipe;
}

const char *run_account(const struct run *r)
{
	return r->account;
}

bool run_pageless(const struct run *r)
{
	return r->pageless;
}

const struct reply *run_reply(const struct run *r)
{
	return &r->reply;
}

bool run_broken(const struct run *r)
{
	return r->broken;
}

bool run_is_of(const struct run *r, int64_t user, const char *site)
{
	return r->acting.user == user && strcmp(r->recipe->name, site) == 0;
}

static struct call *run_new_call(struct run *r, int64_t ms)
{
	return call_new(r->botd, &r->acting, deadline_in(ms));
}

struct call *run_call(struct run *r)
{
	return call_new(r->botd, &r->acting, NEVER);
}

/*
 * In words for the person. What another daemon may have done before it was lost is none of the person's, who would take it
 * for the booking; whether that may have been sent is said apart (job_intend()).
 */
static const char *why_refused(struct call *call, int e)
{
	enum error_code code = e == REFUSED ? call->refusal.code : error_from_errno(e);

	if (code == ERR_maybe_done || code == ERR_timed_out)
		return "A part of Stead stopped in the middle of this, or did not answer in time.";
	return call_why(call, e);
}

int run_refused(struct call *call, int e, struct ending *end)
{
	if (e == -ECANCELED) {
		ending_set(end, ENDING_INTERRUPTED, "It was interrupted.");
		return e;
	}
	if (e == REFUSED && call->refusal.code == ERR_needs_sign_in)
		return ending_set(end, ENDING_SIGN_IN, "%s", call->refusal.message);
	if (e == REFUSED && (call->refusal.code == ERR_busy || call->refusal.code == ERR_database_down))
		return ending_set(end, ENDING_BUSY, "%s", call->refusal.message);
	return ending_set(end, ENDING_AGAIN, "%s", why_refused(call, e));
}

static void run_release_lease(struct run *r, int64_t token)
{
	CLEANUP(call_freep) struct call *call = run_new_call(r, CALL_MS / 3);
	struct session_release_params params = { .site = r->recipe->name, .token = token };
	struct session_release_result result;

	call_session_release(call, r->botd->vault, &params, &result);
}

/* The vault's own word that the lease is another's, or that the session is none any more; not that it had no time for us. */
static bool is_anothers(const struct call *call)
{
	return (call->refusal.code == ERR_busy || call->refusal.code == ERR_needs_sign_in) &&
		strcmp(call->refusal.field, "site") == 0;
}

/* Somebody else has the lease, or has had it in between: then it has just been taken anew, and is given back. */
static void run_renew_lease(struct run *r)
{
	CLEANUP(call_freep) struct call *call = run_new_call(r, BEAT_MS);
	struct session_lease_params params = { .site = r->recipe->name, .holder = r->holder, .ms = LEASE_MS };
	struct session_lease_result result;
	int e = call_session_lease(call, r->botd->vault, &params, &result);
	bool between = e == 0 && result.token != r->token;

	if (!between && !(e == REFUSED && is_anothers(call)))
		return;
	r->lost = r->broken = true;
	log_warning("the lease on the session of user %lld for %s was lost, so what its browser holds may be outdated and is not kept",
		(long long)r->acting.user, r->recipe->name);
	if (between)
		run_release_lease(r, result.token);
}

/* As long as the run lasts, and while its browser is closed and its session saved. */
static void keep_lease(void *arg)
{
	struct run *r = arg;

	while (!r->releasing && !r->lost) {
		latch_wait(&r->pause, deadline_in(BEAT_MS));
		if (!r->releasing)
			run_renew_lease(r);
	}
}

static int take_lease(struct run *r, struct ending *end)
{
	CLEANUP(call_freep) struct call *call = run_new_call(r, CALL_MS);
	struct session_lease_params params = { .site = r->recipe->name, .holder = r->holder, .ms = LEASE_MS };
	struct session_lease_result result;
	int e = call_session_lease(call, r->botd->vault, &params, &result);

	/* The vault is away; a lease that was perhaps given is this run's own: nothing has been tried. */
	if (e == REFUSED && (call->refusal.code == ERR_unavailable || call->refusal.code == ERR_maybe_done))
		return ending_set(end, ENDING_BUSY, "%s", why_refused(call, e));
	if (e == REFUSED && call->refusal.code == ERR_needs_sign_in)
		return ending_set(end, ENDING_SIGN_IN, "There is no session for %s yet; sign in to it first.", r->recipe->title);
	if (e == REFUSED && call->refusal.code == ERR_busy && call->refusal.retry_ms)
		return ending_set(end, ENDING_BUSY,
			"Your session for %s is in use. This goes on by itself, in %lld s at the latest.",
			r->recipe->title, (long long)(call->refusal.retry_ms + 999) / 1000);
	if (e < 0)
		return run_refused(call, e, end);
	r->token = result.token;
	r->session = result.session;
	r->kept = result.version;
	r->leased = true;
	fiber_start("session lease", keep_lease, r, &r->keeper);
	return 0;
}

/* A beat that is still under way would take the lease anew, so it is waited for. */
static void give_lease_back(struct run *r)
{
	if (!r->leased)
		return;
	r->leased = false;
	r->releasing = true;
	latch_wake(&r->pause, 0);
	fiber_join(&r->keeper);
	run_release_lease(r, r->token);
}

/* 0 only when the vault has it: a job may wait for a sign-in only if the person is told. */
static int report(struct run *r, const char *health, const char *reason, struct ending *end)
{
	CLEANUP(call_freep) struct call *call = run_new_call(r, CALL_MS);
	struct session_report_params params = { .site = r->recipe->name, .version = r->tried, .health = health,
		.reason = reason };
	struct session_report_result result;
	int e = call_session_report(call, r->botd->vault, &params, &result);

	return e < 0 ? run_refused(call, e, end) : 0;
}

void run_remark(struct run *r, const char *health, const char *reason)
{
	struct ending unused = { 0 };

	if (report(r, health, reason, &unused) < 0)
		log_debug("the vault does not hear that the session of user %lld for %s is %s: %s", (long long)r->acting.user,
			r->recipe->name, health, unused.reason);
}

/*
 * The site has just shown that it works. settles: and the browser has held the state that was tried, as it is, to the end, so
 * that one stays. A state that was only tried may be spent: by the very visit with which the site showed it.
 */
static void remark_works(struct run *r, bool settles)
{
	CLEANUP(call_freep) struct call *call = run_new_call(r, CALL_MS);
	struct session_report_params params = { .site = r->recipe->name, .version = r->tried, .health = "working",
		.proved_at_ms = wall_now(), .settles = settles };
	struct session_report_result result;
	int e = call_session_report(call, r->botd->vault, &params, &result);

	if (e < 0 && e != -ECANCELED)
		log_warning("the vault does not hear that the session of user %lld for %s works: %s", (long long)r->acting.user,
			r->recipe->name, call_cause(call, e));
}

/* Neither state is of any use. */
static int has_ended(struct run *r, const char *health, const char *reason, struct ending *end)
{
	if (report(r, health, reason, end) < 0)
		return -ENOENT;
	end->version = r->kept;
	return ending_set(end, ENDING_SIGN_IN, "%s", reason);
}

static int look_at_health(struct run *r, const char *health, struct ending *end)
{
	if (strcmp(health, "needs_sign_in") == 0 || strcmp(health, "wrong_account") == 0 || strcmp(health, "not_portable") == 0) {
		end->version = r->kept;
		return ending_set(end, ENDING_SIGN_IN, "%s asks for you again; sign in on the dashboard.", r->recipe->title);
	}
	return 0;
}

/* which: NULL for the newest. A token that is used once more may end the session, so where the recipe says so none is. */
static int fetch(struct run *r, const char *which, struct ending *end)
{
	struct session_fetch_params params = { .site = r->recipe->name, .which = which };
	struct session_fetch_result result;
	int e;

	r->fetched = call_new(r->botd, &r->acting, deadline_in(CALL_MS));
	e = call_session_fetch(r->fetched, r->botd->vault, &params, &result);
	if (e < 0) {
		e = run_refused(r->fetched, e, end);
		end->version = r->kept;
		return e;
	}
	r->tried = result.version;
	r->kept = result.version > r->kept ? result.version : r->kept; /* somebody has just signed in */
	r->older = result.other && strcmp(result.which, "newest") == 0 && !r->recipe->session.reuse_ends;
	r->state = result.state;
	exact_set(r->account, sizeof(r->account), "%s", result.account);
	return look_at_health(r, result.health, end);
}

static int broken_unless(struct run *r, int e)
{
	r->broken |= e < 0;
	return e;
}

/*
 * A daemon of ours that is away is waited for; one that goes away with this run in hand counts against it. Unless it was
 * refused, streamd may have a browser for us, which run_end() asks for.
 */
static int refused_open(struct run *r, struct call *call, int e, int64_t began, struct ending *end)
{
	enum error_code code = e == REFUSED ? call->refusal.code : error_from_errno(e);

	if (e == REFUSED && code != ERR_maybe_done && code != ERR_timed_out)
		*r->id = '\0';
	e = run_refused(call, e, end);
	if (code == ERR_unavailable && loop_now() - began < AT_ONCE_MS)
		end->kind = ENDING_BUSY;
	return e;
}

/*
 * What an earlier run has left in a browser, for botd ended in its middle, is newer than what the vault keeps; so it goes there
 * before the session is fetched. It cannot be anybody's who still uses it, for the lease is ours.
 */
static int clear_left(struct run *r, struct ending *end)
{
	CLEANUP(call_freep) struct call *call = run_new_call(r, CLOSE_MS);
	const struct run_clear_params params = { .site = r->recipe->name };
	struct run_clear_result result;
	int64_t began = loop_now();
	int e = call_run_clear(call, r->botd->screen, &params, &result);

	return e < 0 ? refused_open(r, call, e, began, end) : 0;
}

int run_fetch(struct run *r, struct ending *end)
{
	int e = take_lease(r, end);

	if (e == 0)
		e = clear_left(r, end);
	return broken_unless(r, e < 0 ? e : fetch(r, NULL, end));
}

int run_fetch_proved(struct run *r, struct ending *end)
{
	r->broken = r->lost;
	return broken_unless(r, fetch(r, "proved", end));
}

/* Until it hears this streamd keeps what it has handed out, so that nothing is lost with us. */
static void say_kept(struct run *r)
{
	CLEANUP(call_freep) struct call *call = run_new_call(r, CALL_MS / 3);
	const struct run_close_params params = { .run = r->id, .discard = true };
	struct run_close_result result;

	call_run_close(call, r->botd->screen, &params, &result);
}

/* One try: whether it may be kept at another. */
static bool run_store_once(struct run *r, const struct session_store_params *params, bool first, bool last)
{
	CLEANUP(call_freep) struct call *call = run_new_call(r, STORE_MS);
	struct session_store_result result;
	int e = call_session_store(call, r->botd->vault, params, &result);
	bool again = e < 0 && !last && error_may_pass(e == REFUSED ? call->refusal.code : error_from_errno(e));

	if (e == 0) {
		r->kept = r->tried = result.version;
		if (*r->id)
			say_kept(r);
	} else if (!again)
		log_warning("the session of user %lld for %s was not saved after a run, so unless streamd can save it what the site has "
			"rotated is lost: %s", (long long)r->acting.user, r->recipe->name, call_cause(call, e));
	else if (first)
		log_notice("the session of user %lld for %s is not saved yet, and is offered to the vault again: %s",
			(long long)r->acting.user, r->recipe->name, call_cause(call, e));
	return again;
}

/*
 * What the vault does not take now is offered again until it does, for it may be the only state that the site still takes: under
 * its name, which makes that safe, and with the lease beaten meanwhile. proved_at_ms: 0 puts it beside what was proved.
 */
static void run_store(struct run *r, int state, int64_t proved_at_ms)
{
	int64_t began = loop_now(), pause = 50;
	bool first = true;
	char save[64];
	struct session_store_params params = { .site = r->recipe->name, .account = r->account, .save = save,
		.replaces = r->kept, .token = r->token, .proved_at_ms = proved_at_ms, .state = state };

	random_name_after(save, sizeof(save), "save");
	while (run_store_once(r, &params, first, loop_now() + pause >= began + (r->botd->stopping ? SAVE_STOP_MS : SAVE_MS))) {
		first = false;
		fiber_sleep_until(deadline_in(pause));
		pause = pause_longer(pause, SAVE_PAUSE_MS);
	}
}

/* What a browser that is of no more use has left. It may be the only state that the site still takes. */
static void run_keep(struct run *r, int state, const char *left_out)
{
	if (left_out)
		log_warning("of the session of user %lld for %s not all was kept: %s", (long long)r->acting.user, r->recipe->name,
			left_out);
	if (state < 0)
		return;
	fiber_shield();
	run_store(r, state, 0);
	fiber_unshield();
}

/* Two looks agree that nobody is signed in, so what this browser holds is worth nothing. */
static int judge_out(struct run *r, const struct run_open_result *result, const char *reason, struct ending *end)
{
	if (r->older)
		return -EAGAIN;
	return has_ended(r, result->shown_account ? "wrong_account" : "needs_sign_in", reason, end);
}

static int run_judge(struct run *r, const struct run_open_result *result, struct ending *end)
{
	const char *reason = result->reason ? result->reason : "The site's probe gave no reason.";

	if (strcmp(result->verdict, "in") == 0) {
		remark_works(r, false);
		return 0;
	}
	r->direct = direct_free(r->direct);
	if (strcmp(result->verdict, "out") != 0)
		run_keep(r, result->state, result->left_out);
	*r->id = '\0';
	if (strcmp(result->verdict, "out") == 0)
		return judge_out(r, result, reason, end);
	if (strcmp(result->verdict, "down") == 0) {
		run_remark(r, "site_down", reason);
		end->place = PLACE_PROBE;
		end->retry_ms = result->retry_ms;
		return ending_set(end, ENDING_DOWN, "%s", reason);
	}
	run_remark(r, "unproved", reason);
	return ending_set(end, ENDING_AGAIN, "It is not clear whether the session for %s still works: %s", r->recipe->title, reason);
}

static int open_browser(struct run *r, struct ending *end)
{
	CLEANUP(call_freep) struct call *call = run_new_call(r, OPEN_MS);
	struct run_open_params params = { .run = r->id, .site = r->recipe->name, .account = r->account,
		.session = r->session, .version = r->kept, .state = r->state };
	struct run_open_result result;
	int64_t began = loop_now();
	int e;

	random_name_after(r->id, sizeof(r->id), "run");
	e = call_run_open(call, r->botd->screen, &params, &result);
	r->fetched = call_free(r->fetched); /* and with it our copy of the state */
	return broken_unless(r, e < 0 ? refused_open(r, call, e, began, end) : run_judge(r, &result, end));
}

static int open_direct(struct run *r, struct ending *end)
{
	struct run_open_result result = { .state = -1 };
	int e = direct_run_open(r, &result, end);

	r->fetched = call_free(r->fetched);
	e = broken_unless(r, e < 0 ? e : run_judge(r, &result, end));
	if (result.state >= 0)
		close(result.state);
	return e;
}

int run_open(struct run *r, struct ending *end)
{
	if (r->lost)
		return broken_unless(r, ending_set(end, ENDING_BUSY, "Another has taken the session for %s meanwhile.", r->recipe->title));
	return r->pageless ? open_direct(r, end) : open_browser(r, end);
}

struct run *run_new(struct botd *b, int64_t user, const struct recipe *recipe, bool pageless)
{
	struct run *r = must(calloc(1, sizeof(*r)));

	r->botd = b;
	r->pageless = pageless;
	r->recipe = recipe_ref(recipe);
	r->acting = (struct acting){ .user = user, .name = "botd", .scopes = SCOPES_PERSON };
	random_name_after(r->holder, sizeof(r->holder), "botd"); /* a lease of another run cannot be prolonged by it */
	return r;
}

/* The state that comes back is kept by call. A run that is broken is not worth a probe, and may not answer one. */
static int close_browser(struct run *r, struct call *call, bool hasty, struct run_close_result *ret)
{
	struct run_close_params params = { .run = r->id, .prove = !hasty && !r->broken, .discard = r->lost };

	return call_run_close(call, r->botd->screen, &params, ret);
}

static void say_not_closed(struct run *r, struct call *call, int e)
{
	if (e == REFUSED && (call->refusal.code == ERR_not_found || call->refusal.code == ERR_busy))
		log_debug("streamd has ended the browser of user %lld at %s, or is about to: %s", (long long)r->acting.user,
			r->recipe->name, call_cause(call, e));
	else
		log_warning("the browser of user %lld at %s was not closed in order, so unless streamd still has it what the site has "
			"rotated is lost: %s", (long long)r->acting.user, r->recipe->name, call_cause(call, e));
}

/* What was captured after a probe bears its time, unless something of it could not be: then the next use tells. */
static void close_and_store(struct run *r, bool hasty)
{
	CLEANUP(call_freep) struct call *call = run_new_call(r, CLOSE_MS);
	struct run_close_result closed = { .state = -1 };
	bool proved;
	int e;

	if (!*r->id)
		return;
	e = close_browser(r, call, hasty, &closed);
	if (e < 0) {
		say_not_closed(r, call, e);
		return;
	}
	proved = closed.verdict && strcmp(closed.verdict, "in") == 0 && !closed.left_out;
	if (!proved)
		run_keep(r, closed.state, closed.left_out);
	else if (closed.state >= 0)
		run_store(r, closed.state, wall_now());
	else
		remark_works(r, true);
}

/* What the site has set is the session from now on. */
static void store_direct(struct run *r, bool hasty)
{
	int64_t proved_at_ms = 0;
	int state = direct_run_close(r, !hasty && !r->broken, &proved_at_ms);

	if (state >= 0 && !r->lost)
		run_store(r, state, proved_at_ms);
	else if (state < 0 && !r->broken)
		remark_works(r, true);
	if (state >= 0)
		close(state);
	r->direct = direct_free(r->direct);
}

void run_end(struct run *r, bool hasty)
{
	fiber_shield();
	if (r->pageless && r->direct)
		store_direct(r, hasty);
	close_and_store(r, hasty);
	*r->id = '\0';
	give_lease_back(r);
	fiber_unshield();
}

struct run *run_free(struct run *r)
{
	if (!r)
		return NULL;
	call_free(r->fetched);
	direct_free(r->direct);
	reply_end(&r->reply);
	recipe_unref(r->recipe);
	free(r);
	return NULL;
}
