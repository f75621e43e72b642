#include "botd/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "botd/state.h"
#include "botd/name.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "proto/sessiond.h"
#include "recipe/template.h"

#define LEASE_MS      12000 /* of the session; a crashed botd's is free after this long */
#define CALL_MS       15000
#define OPEN_MS       90000 /* a browser starts, the state is restored, the probe answers */
#define AT_ONCE_MS    500   /* who is not there refuses faster */
#define STEP_SPARE_MS 10000 /* beyond a step's own timeout */
#define CLOSE_MS      20000

struct run {
	struct botd *botd;
	const struct recipe *recipe;
	struct acting acting;
	char holder[64];
	char id[65]; /* streamd's name of it; "" while there is none */
	char account[257];
	int64_t token, version;
	struct call *fetched; /* owns state until the browser has it; else NULL */
	int state;
	bool leased, broken;
	bool beating;            /* run_beat() is under way */
	struct wait *beat_ended; /* run_end() waits for that */
};

const struct recipe *run_recipe(const struct run *r)
{
	return r->recipe;
}

const char *run_account(const struct run *r)
{
	return r->account;
}

bool run_broken(const struct run *r)
{
	return r->broken;
}

void run_break(struct run *r)
{
	r->broken = true;
}

static struct call *new_call(struct run *r, int64_t ms)
{
	return call_new(r->botd, &r->acting, deadline_in(ms));
}

struct call *run_call(struct run *r)
{
	return call_new(r->botd, &r->acting, NEVER);
}

/* What a refused call to another daemon means for the job. */
static int refused(struct call *call, int e, struct ending *end)
{
	if (e == -ECANCELED) {
		ending_set(end, ENDING_LOST, "It was interrupted.");
		return e;
	}
	if (e == REFUSED && call->refusal.code == ERR_needs_sign_in)
		ending_set(end, ENDING_SIGN_IN, "%s", call->refusal.message);
	else if (e == REFUSED && (call->refusal.code == ERR_busy || call->refusal.code == ERR_database_down))
		ending_set(end, ENDING_BUSY, "%s", call->refusal.message);
	else
		ending_set(end, ENDING_AGAIN, "%s", call_why(call, e));
	return -ENOENT;
}

static int take_lease(struct run *r, struct ending *end)
{
	CLEANUP(call_freep) struct call *call = new_call(r, CALL_MS);
	struct session_lease_params params = { .site = r->recipe->name, .holder = r->holder, .ms = LEASE_MS };
	struct session_lease_result result;
	int e = call_session_lease(call, r->botd->vault, &params, &result);

	if (e == REFUSED && call->refusal.code == ERR_unavailable) { /* the vault is away: nothing has been tried */
		ending_set(end, ENDING_BUSY, "%s", call->refusal.message);
		return -ENOENT;
	}
	if (e == REFUSED && call->refusal.code == ERR_needs_sign_in) {
		ending_set(end, ENDING_SIGN_IN,
			"There is no session for %s yet; sign in to it first.",
			r->recipe->title);
		return -ENOENT;
	}
	if (e < 0)
		return refused(call, e, end);
	r->token = result.token;
	r->version = result.version;
	r->leased = true;
	return 0;
}

static void beat(struct run *r)
{
	CLEANUP(call_freep) struct call *call = new_call(r, CALL_MS / 3);
	struct session_lease_params params = { .site = r->recipe->name, .holder = r->holder, .ms = LEASE_MS };
	struct session_lease_result result;

	if (call_session_lease(call, r->botd->vault, &params, &result) == 0 && result.token != r->token)
		run_break(r); /* somebody else has had it in between: what we hold may be outdated */
}

void run_beat(struct run *r)
{
	if (!r->leased)
		return;
	r->beating = true;
	beat(r);
	r->beating = false;
	if (r->beat_ended)
		wait_wake(r->beat_ended, 0);
}

/* A beat that is still under way would take the lease anew. */
static void give_lease_back(struct run *r)
{
	CLEANUP(call_freep) struct call *call = new_call(r, CALL_MS / 3);
	struct session_release_params params = { .site = r->recipe->name, .token = r->token };
	struct session_release_result result;
	struct wait w = { 0 };

	if (!r->leased)
		return;
	r->leased = false;
	if (r->beating) {
		r->beat_ended = &w;
		wait_for(&w, NEVER);
		r->beat_ended = NULL;
	}
	call_session_release(call, r->botd->vault, &params, &result);
}

/* 0 only when the vault has it: a job may wait for a sign-in only if the person is told. */
static int report(struct run *r, const char *health, const char *reason, struct ending *end)
{
	CLEANUP(call_freep) struct call *call = new_call(r, CALL_MS);
	struct session_report_params params = { .site = r->recipe->name, .version = r->version, .health = health,
		.reason = reason };
	struct session_report_result result;
	int e = call_session_report(call, r->botd->vault, &params, &result);

	return e < 0 ? refused(call, e, end) : 0;
}

static int has_ended(struct run *r, const char *reason, struct ending *end)
{
	run_break(r);
	if (report(r, "needs_sign_in", reason, end) < 0)
		return -ENOENT;
	ending_set(end, ENDING_SIGN_IN, "%s", reason);
	end->version = r->version;
	return -ENOENT;
}

static int fetch(struct run *r, struct ending *end)
{
	struct session_fetch_params params = { .site = r->recipe->name };
	struct session_fetch_result result;
	int e = call_session_fetch(r->fetched, r->botd->vault, &params, &result);

	if (e < 0) {
		e = refused(r->fetched, e, end);
		end->version = r->version; /* the lease's */
		return e;
	}
	r->version = result.version;
	r->state = result.state;
	snprintf(r->account, sizeof(r->account), "%s", result.account);
	if (strcmp(result.health, "needs_sign_in") == 0) {
		ending_set(end, ENDING_SIGN_IN, "%s asks for you again; sign in on the dashboard.", r->recipe->title);
		end->version = r->version;
		return -ENOENT;
	}
	if (strcmp(result.health, "not_portable") == 0) {
		ending_done(end, "failed",
			"The session for %s works in the browser where it was made only, so no bot can use it.",
			r->recipe->title);
		return -ENOENT;
	}
	return 0;
}

static int judge(struct run *r, const struct run_open_result *result, struct ending *end)
{
	const char *reason = result->reason ? result->reason : "The site's probe gave no reason.";

	if (strcmp(result->verdict, "out") == 0)
		return has_ended(r, reason, end);
	if (strcmp(result->verdict, "in") == 0 && result->run) {
		snprintf(r->id, sizeof(r->id), "%s", result->run);
		return 0;
	}
	run_break(r);
	ending_set(end, ENDING_AGAIN, "It is not clear whether the session for %s still works: %s", r->recipe->title,
		reason);
	return -ENOENT;
}

int run_fetch(struct run *r, struct ending *end)
{
	int e = take_lease(r, end);

	if (e == 0) {
		r->fetched = call_new(r->botd, &r->acting, deadline_in(CALL_MS));
		e = fetch(r, end);
	}
	if (e < 0)
		run_break(r);
	return e;
}

/* A daemon of ours that is away is waited for; one that goes away with this run in hand counts against it. */
static int refused_open(struct run *r, struct call *call, int e, int64_t began, struct ending *end)
{
	run_break(r);
	refused(call, e, end);
	if (e == REFUSED && call->refusal.code == ERR_unavailable && loop_now() - began < AT_ONCE_MS)
		end->kind = ENDING_BUSY;
	return -ENOENT;
}

int run_open(struct run *r, struct ending *end)
{
	CLEANUP(call_freep) struct call *call = new_call(r, OPEN_MS);
	struct run_open_params params = { .site = r->recipe->name, .account = r->account, .state = r->state };
	struct run_open_result result;
	int64_t began = loop_now();
	int e = call_run_open(call, r->botd->screen, &params, &result);

	r->fetched = call_free(r->fetched); /* and with it our copy of the state */
	return e < 0 ? refused_open(r, call, e, began, end) : judge(r, &result, end);
}

struct run *run_new(struct botd *b, int64_t user, const struct recipe *recipe)
{
	struct run *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->botd = b;
	r->recipe = recipe;
	r->acting = (struct acting){ .user = user, .name = "botd" };
	name_random(r->holder, sizeof(r->holder), "botd"); /* a lease of another run cannot be prolonged by it */
	return r;
}

/* The state that comes back is kept by call. */
static int close_browser(struct run *r, struct call *call, struct run_close_result *ret)
{
	struct run_close_params params = { .run = r->id, .discard = r->broken };
	int e = call_run_close(call, r->botd->screen, &params, ret);

	*r->id = '\0';
	return e;
}

static void store(struct run *r, int state)
{
	CLEANUP(call_freep) struct call *call = new_call(r, CLOSE_MS);
	struct session_store_params params = { .site = r->recipe->name,
		.account = r->account,
		.replaces = r->version,
		.token = r->token,
		.proved_at_ms = wall_now(),
		.state = state };
	struct session_store_result result;
	char save[64];
	int e;

	name_random(save, sizeof(save), "save");
	params.save = save;
	e = call_session_store(call, r->botd->vault, &params, &result);
	if (e == REFUSED && call->refusal.code != ERR_conflict) /* the name makes a second try safe */
		e = call_session_store(call, r->botd->vault, &params, &result);
	if (e < 0)
		log_warning("the session of user %lld for %s was not saved after a run, so what the site has rotated is lost: %s",
			(long long)r->acting.user, r->recipe->name, call_why(call, e));
}

static void close_and_store(struct run *r)
{
	CLEANUP(call_freep) struct call *call = new_call(r, CLOSE_MS);
	struct run_close_result closed = { .state = -1 };

	if (!*r->id || close_browser(r, call, &closed) < 0 || r->broken)
		return;
	if (closed.state >= 0)
		store(r, closed.state);
	else
		log_warning("the session of user %lld for %s could not be captured after a run",
			(long long)r->acting.user, r->recipe->name);
}

void run_end(struct run *r)
{
	fiber_shield();
	close_and_store(r);
	give_lease_back(r);
	fiber_unshield();
}

struct run *run_free(struct run *r)
{
	if (r)
		call_free(r->fetched);
	free(r);
	return NULL;
}

static enum step_result broken(struct run *r, struct call *call, int e, struct ending *end)
{
	run_break(r);
	refused(call, e, end);
	return end->kind == ENDING_LOST ? STEP_LOST : STEP_BROKEN;
}

enum step_result run_take_step(struct run *r, struct call *call, const struct step *step, const struct variables *v,
	struct run_step_result *ret, struct ending *end)
{
	struct run_step_params params = { .run = r->id };
	const char *reason;
	char why[1024];
	int e;

	if (step_fill(step, v, &params.step, why, sizeof(why)) < 0) {
		ending_done(end, "failed", "What was asked for does not fit the site's page: %s", why);
		return STEP_BROKEN;
	}
	call_keep(call, params.step);
	call->deadline = deadline_in(step_timeout_ms(step) + STEP_SPARE_MS);
	e = call_run_step(call, r->botd->screen, &params, ret);
	if (e < 0)
		return broken(r, call, e, end);
	reason = ret->reason ? ret->reason : "no reason was given";
	if (strcmp(ret->result, "done") == 0)
		return STEP_DONE;
	if (strcmp(ret->result, "missing") == 0)
		return STEP_MISSING;
	if (strcmp(ret->result, "expired") == 0) {
		has_ended(r, reason, end);
		return STEP_EXPIRED;
	}
	run_break(r);
	ending_set(end, ENDING_AGAIN, "The browser failed: %s", reason);
	return STEP_BROKEN;
}
