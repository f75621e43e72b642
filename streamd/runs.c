#include "streamd/runs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#include <event2/event.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "streamd/capture.h"
#include "streamd/clip.h"
#include "streamd/handlers.h"
#include "streamd/proof.h"
#include "streamd/run_step.h"
#include "streamd/streamd.h"

#define CAPTURE_MS  60000
#define MOST_REASON 1024

struct run {
	struct runs *runs;
	char id[33];
	int64_t user;
	const struct recipe *recipe;
	struct state *state; /* what its browser was given */
	struct browser *browser;
	struct fiber *visitor; /* who works on it, or NULL */
	struct wait *left;     /* run_close waits for the visitor to be gone */
	struct event *idle;
	bool ending;  /* nobody may begin to work on it */
	bool expired; /* a step has seen that nobody is signed in */
	char said[2048];    /* what the page's dialogs said since the last answer */
	char refused[1024]; /* hosts that were refused since then */
	TAILQ_ENTRY(run) link;
};

/* A fiber inside one of the handlers here. */
struct visit {
	struct fiber *fiber;
	LIST_ENTRY(visit) link;
};

struct runs {
	struct streamd *daemon;
	TAILQ_HEAD(, run) list;
	LIST_HEAD(, visit) visits;
	size_t opening;
	struct wait *emptied; /* runs_free() waits for the visits to end */
	bool stopping;
};

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

struct runs *runs_new(struct streamd *d)
{
	struct runs *r = must(calloc(1, sizeof(*r)));

	r->daemon = d;
	TAILQ_INIT(&r->list);
	LIST_INIT(&r->visits);
	return r;
}

static void visit_begin(struct runs *runs, struct visit *v)
{
	v->fiber = fiber_self();
	LIST_INSERT_HEAD(&runs->visits, v, link);
}

static void visit_end(struct runs *runs, struct visit *v)
{
	LIST_REMOVE(v, link);
	if (LIST_EMPTY(&runs->visits) && runs->emptied)
		wait_wake(runs->emptied, 0);
}

size_t runs_count(const struct runs *r)
{
	const struct run *run;
	size_t n = r ? r->opening : 0;

	if (r)
		TAILQ_FOREACH (run, &r->list, link)
			n++;
	return n;
}

/* Waits until its browser is gone. */
static void run_end(struct run *run)
{
	TAILQ_REMOVE(&run->runs->list, run, link);
	browser_close(run->browser);
	state_free(run->state);
	event_free(run->idle);
	free(run);
}

struct runs *runs_free(struct runs *r)
{
	struct wait wait = { 0 };
	struct visit *v;

	if (!r)
		return NULL;
	r->stopping = true;
	r->daemon->runs = NULL; /* no call finds the way here any more */
	LIST_FOREACH (v, &r->visits, link)
		fiber_cancel(v->fiber);
	fiber_shield();
	r->emptied = &wait;
	if (!LIST_EMPTY(&r->visits))
		wait_for(&wait, NEVER);
	while (!TAILQ_EMPTY(&r->list))
		run_end(TAILQ_FIRST(&r->list));
	fiber_unshield();
	free(r);
	return NULL;
}

static void close_idle(void *arg)
{
	struct run *run = arg;
	struct runs *runs = run->runs;
	struct visit v;

	visit_begin(runs, &v);
	log_warning("a run at %s was left without a step for %lld s; its browser is ended", run->recipe->name,
		(long long)runs->daemon->settings.run_idle_s);
	run_end(run);
	visit_end(runs, &v);
}

static void on_idle(evutil_socket_t fd, short what, void *arg)
{
	struct run *run = arg;

	(void)fd, (void)what;
	if (run->ending || run->runs->stopping)
		return;
	run->ending = true;
	fiber_start("run idle", close_idle, run, NULL);
}

static void add_words(char *to, size_t size, const char *before, const char *text, const char *after)
{
	size_t n = strlen(to);

	snprintf(to + n, size - n, "%s%s%s%s", n ? " " : "", before, text, after);
}

/* A dialog stands in the way of everything, so it is put away at once; a page that asks to be left may be. */
static void on_dialog(void *owner, struct target *page, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct run *run = owner;
	bool leaving = cbor_text_is(cbor_get(params, "type"), "beforeunload");
	const char *message;

	if (!params)
		return;
	cdp_send(browser_cdp(page->browser), page->session, "Page.handleJavaScriptDialog", CDP_BOOL("accept", leaving));
	message = clip(arena, cbor_get_utf8(arena, params, "message"), 512);
	if (message && !leaving)
		add_words(run->said, sizeof(run->said), "The page said: \"", message, "\"");
}

static void on_host_refused(void *owner, const char *host, const char *why)
{
	struct run *run = owner;

	(void)why;
	add_words(run->refused, sizeof(run->refused), "The recipe does not allow ", host, ", which the page wanted.");
}

static const struct browser_events run_events = { .dialog = on_dialog, .host_refused = on_host_refused };

static void make_name(char out[33])
{
	uint8_t bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		abort();
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static struct run *run_new(struct runs *runs, int64_t user, const struct recipe *recipe, struct state *state)
{
	struct run *run = must(calloc(1, sizeof(*run)));

	run->runs = runs;
	run->user = user;
	run->recipe = recipe;
	run->state = state;
	run->idle = must(event_new(loop_base(), -1, 0, on_idle, run));
	make_name(run->id);
	return run;
}

static void arm_idle(struct run *run)
{
	struct timeval tv = { .tv_sec = run->runs->daemon->settings.run_idle_s };

	event_add(run->idle, &tv);
}

/* Tells the caller whose session it is; run (taken over) lives on only when it is the right one's. */
static void settle_open(struct call *call, struct run *run, const struct proof *proof, struct run_open_result *result)
{
	struct runs *runs = run->runs;

	TAILQ_INSERT_TAIL(&runs->list, run, link);
	result->verdict = verdict_word(proof->verdict);
	if (proof->verdict == VERDICT_IN) {
		result->run = arena_strdup(call->arena, run->id);
		arm_idle(run);
		return;
	}
	result->reason = clip(call->arena, proof->why, MOST_REASON);
	run_end(run);
}

static int open_browser(struct call *call, struct runs *runs, const struct run_open_params *params,
	const struct recipe *recipe, struct state *state, struct run_open_result *result)
{
	struct run *run = run_new(runs, call->acting.user, recipe, state);
	struct proof proof = { 0 };
	struct visit v;
	int r;

	visit_begin(runs, &v);
	runs->opening++;
	r = proof_open(call, &runs->daemon->settings, recipe, state, params->account, &run_events, run, &proof,
		&run->browser);
	runs->opening--;
	streamd_note_start(runs->daemon, call, r);
	if (r == 0 && runs->stopping)
		r = -ECANCELED;
	if (r == 0) {
		settle_open(call, run, &proof, result);
	} else {
		TAILQ_INSERT_TAIL(&runs->list, run, link);
		run_end(run);
	}
	proof_clear(&proof);
	visit_end(runs, &v);
	return r;
}

int run_open(struct call *call, const struct run_open_params *params, struct run_open_result *result)
{
	struct streamd *d = call->daemon;
	const struct recipe *recipe = streamd_recipe(d, call, params->site);
	struct state *state;
	char why[256];

	if (!recipe)
		return REFUSED;
	if (!d->runs)
		return call_refuse(call, ERR_unavailable, NULL, "streamd is stopping; try again in a moment.");
	if (runs_count(d->runs) >= (size_t)d->settings.most_runs)
		return call_refuse(call, ERR_busy, NULL,
			"All %lld browsers for bots are in use; try again in a moment, or raise most_runs in streamd's settings.",
			(long long)d->settings.most_runs);
	if (state_read_memfd(params->state, &state, why, sizeof(why)) < 0)
		return call_refuse(call, ERR_invalid, "state", "The captured session cannot be read: %s.", why);
	return open_browser(call, d->runs, params, recipe, state, result);
}

/* The caller's run of that name, or NULL after refusing. */
static struct run *find_run(struct call *call, const char *id)
{
	struct streamd *d = call->daemon;
	struct run *run;

	if (d->runs)
		TAILQ_FOREACH (run, &d->runs->list, link)
			if (run->user == call->acting.user && strcmp(run->id, id) == 0 && !run->ending)
				return run;
	call_refuse(call, ERR_not_found, "run",
		"There is no such run; one that gets no step for %lld s is ended. Open another.",
		(long long)d->settings.run_idle_s);
	return NULL;
}

/* Appends what the page's dialogs said and which hosts were refused, and forgets both. */
static const char *with_events(struct run *run, struct arena *arena, const char *reason)
{
	const char *all = reason ? reason : "";

	if (reason && run->refused[0])
		all = arena_printf(arena, "%s %s", all, run->refused);
	if (run->said[0])
		all = arena_printf(arena, "%s%s%s", all, *all ? " " : "", run->said);
	run->said[0] = '\0';
	run->refused[0] = '\0';
	return clip(arena, all, MOST_REASON);
}

static void answer_step(struct run *run, struct call *call, const struct step_result *from, struct run_step_result *to)
{
	const char *events = with_events(run, call->arena, from->reason);

	to->result = step_end_word(from->end);
	to->reason = from->end == STEP_END_DONE ? NULL : events;
	to->text = from->text || from->end != STEP_END_DONE ? from->text : events;
	to->rows = from->rows;
	to->rows_count = from->row_count;
	to->picture = from->picture;
	if (from->end == STEP_END_EXPIRED)
		run->expired = true;
}

static void leave(struct run *run)
{
	run->visitor = NULL;
	if (run->left)
		wait_wake(run->left, 0);
	else if (!run->ending)
		arm_idle(run);
}

int run_step(struct call *call, const struct run_step_params *params, struct run_step_result *result)
{
	struct run *run = find_run(call, params->run);
	struct step_result done;
	struct step step;
	struct visit v;
	char why[512];
	int r;

	result->picture = -1;
	if (!run)
		return REFUSED;
	if (run->visitor)
		return call_refuse(call, ERR_busy, "run", "A step of this run is still under way; wait for its answer.");
	if (step_parse(call->arena, params->step, &step, why, sizeof(why)) < 0)
		return call_refuse(call, ERR_invalid, "step", "%s", why);
	event_del(run->idle);
	run->visitor = fiber_self();
	visit_begin(run->runs, &v);
	r = run_step_carry_out(run->browser, run->recipe, &step, call->arena, &done);
	if (r == 0)
		answer_step(run, call, &done, result);
	visit_end(run->runs, &v);
	leave(run);
	return r;
}

/* A step may still be under way when whoever asked for it has given up; it is cut short. */
static void wait_left(struct run *run)
{
	struct wait wait = { 0 };

	if (!run->visitor)
		return;
	run->left = &wait;
	fiber_cancel(run->visitor);
	fiber_shield();
	wait_for(&wait, NEVER);
	fiber_unshield();
	run->left = NULL;
}

/* The session as it is now. One that has expired would only replace a better one. */
static int take_state(struct run *run, struct call *call, int *ret)
{
	struct state *state = NULL;
	int r = browser_ended(run->browser) || run->expired ? -ENODATA : 0;

	if (r == 0)
		r = browser_set_network(run->browser, call, false);
	if (r == 0)
		r = capture_whole(run->browser, run->recipe, run->state,
			deadline_min(call->deadline, deadline_in(CAPTURE_MS)), &state);
	if (r == 0)
		r = state_memfd(state, ret);
	state_free(state);
	return r;
}

int run_close(struct call *call, const struct run_close_params *params, struct run_close_result *result)
{
	struct run *run = find_run(call, params->run);
	struct runs *runs;
	struct visit v;
	int r;

	result->state = -1;
	if (!run)
		return REFUSED;
	runs = run->runs;
	run->ending = true;
	event_del(run->idle);
	visit_begin(runs, &v);
	wait_left(run);
	r = params->discard ? 0 : take_state(run, call, &result->state);
	if (r < 0 && r != -ENODATA && r != -ECANCELED)
		log_warning("the session of a run at %s could not be captured again: %s", run->recipe->name,
			call_why(call, r));
	run_end(run);
	visit_end(runs, &v);
	return fiber_cancelled() ? -ECANCELED : 0;
}
