#include "botd/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "botd/state.h"
#include "botd/doing.h"
#include "botd/put_off.h"
#include "botd/job.h"
#include "botd/run.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/latch.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/pause.h"
#include "common/words.h"
#include "proto/sessiond.h"

#define DB_MS         5000
#define SHOW_MS       5000
#define BUSY_MS       2000  /* before what is not free is asked for again */
#define AWAIT_MS      1500  /* for a browser of the same session that is being closed, before it counts as not free */
#define LONGEST_MS    60000 /* pause between two tries */
#define LONG_STEP_MS  3000  /* after this the log says what is being waited for */
#define LEAST_BATCH   3     /* jobs that a browser does before it is closed for somebody else's */

struct worker {
	struct botd *botd;
	struct fiber *fiber; /* NULL until it runs */
	struct claim claim; /* what it began with */
	struct job *job; /* the present one, and behind it the older ones of this run */
	struct run *run; /* NULL: there is none */
	struct progress progress;
	struct latch ended; /* the worker waits for its run's end */
	bool done;          /* the run's fiber has no more to do */
	bool leaving;       /* it claims no more, so the worker is free soon */
	enum job_result beaten; /* what a beat has found, for which the run was cancelled */
	bool hurried;           /* the next beat is due at once */
	LIST_ENTRY(worker) link;
};

static const struct botd_settings *worker_settings(struct worker *w)
{
	return w->botd->settings;
}

static int64_t pause_ms(struct worker *w, int64_t failures)
{
	return pause_after(worker_settings(w)->retry_ms, failures, LONGEST_MS);
}

static enum job_result try_again(struct worker *w, struct job *j, const struct ending *e, struct job **ret_next)
{
	if (j->failures + 1 < worker_settings(w)->tries)
		return job_requeue(j, pause_ms(w, j->failures), true, e->reason);
	return job_give_up(j, words_new(j->arena, JOB_REASON, "Given up after %lld tries; the last one: %s",
		(long long)j->failures + 1, BRIEF(900, e->reason)), ret_next);
}

/*
 * It may have been sent, so it is looked for, with growing pauses, for as long as the recipe says; an outage of the site's ends
 * that, too, for its person is to know. Looks that came to nothing through a fault of ours tell nothing of the site; so many
 * in a row must they be as tries of anything else.
 */
static enum job_result worker_look_again(struct worker *w, struct job *j, const struct ending *e, struct job **ret_next)
{
	bool failed = e->kind != ENDING_LOOK && e->kind != ENDING_DOWN;
	int64_t pause = pause_ms(w, j->looks);

	if (e->kind == ENDING_DOWN)
		words_set(j->seen.list_trouble, sizeof(j->seen.list_trouble), "%s", e->reason);
	if (failed && (loop_now() < j->look_end || j->failures + 1 < worker_settings(w)->tries))
		return job_requeue(j, pause_ms(w, j->failures), true, e->reason);
	if (!failed && loop_now() < j->look_end)
		return job_look(j, e->retry_ms > pause ? e->retry_ms : pause, e->reason);
	return job_finish(j, "unconfirmed", words_new(j->arena, JOB_REASON, "%s%s",
		e->kind == ENDING_LOOK ? "" : "It may have been sent, and could not be looked for: ", e->reason), ret_next);
}

static enum job_result unable(struct job *j, const struct ending *e, struct job **ret_next)
{
	return job_give_up(j, words_new(j->arena, JOB_REASON, "%s%s",
		j->intended ? "It may have been sent, and cannot be looked for: " : "", e->reason), ret_next);
}

/*
 * A site says for a moment that nobody is signed in, or says so to the person of one page; the probe of a fresh browser tells.
 * Once for nothing; a site that always says so, although its probe does not, must not be asked for ever.
 */
static enum job_result worker_doubt(struct worker *w, struct job *j, const struct ending *e)
{
	held_add(&w->botd->doubted, j->id);
	return job_put_off(j, 0, true, words_new(j->arena, JOB_REASON, "%s It is looked at again with a fresh browser.",
		BRIEF(900, e->reason)));
}

/* What was remembered of it is of no more use. */
static void worker_forget(struct worker *w, const struct job *j)
{
	held_remove(&w->botd->doubted, j->id);
	put_off_over(w->botd, j);
}

/* Writes how the attempt ended. *ret_next: the next job of this run, claimed with it. */
static enum job_result worker_settle(struct worker *w, struct job *j, const struct ending *e, struct job **ret_next)
{
	if (e->kind == ENDING_DONE || e->kind == ENDING_SIGN_IN || e->kind == ENDING_UNWANTED)
		worker_forget(w, j);
	if (e->kind == ENDING_EXPIRED && !held_has(&w->botd->doubted, j->id))
		return worker_doubt(w, j, e);
	switch (e->kind) {
	case ENDING_DONE: return job_finish(j, e->outcome, *e->reason ? e->reason : NULL, ret_next);
	case ENDING_SIGN_IN: return job_park(j, e->version, e->reason, ret_next);
	case ENDING_DOWN: return j->intended ? worker_look_again(w, j, e, ret_next) : put_off(w->botd, j, e, ret_next);
	case ENDING_BUSY: return job_wait(j, BUSY_MS, e->reason);
	case ENDING_UNWANTED: return job_withdraw(j, ret_next);
	case ENDING_LOST: return JOB_LOST;
	case ENDING_INTERRUPTED: return job_requeue(j, 0, false, e->reason);
	case ENDING_UNABLE: return unable(j, e, ret_next);
	case ENDING_NONE:
	case ENDING_EXPIRED:
	case ENDING_LOOK:
	case ENDING_AGAIN:
	case ENDING_REFUSED: break;
	}
	return j->intended ? worker_look_again(w, j, e, ret_next) : try_again(w, j, e, ret_next);
}

/*
 * A sign-in that was saved while this job still used the session before it has been told of already, to nobody: the job
 * waited for nothing then. One that is saved from now on finds it waiting.
 */
static void resume_if_newer(struct worker *w, struct job *j, int64_t version)
{
	const struct acting owner = { .user = j->user, .name = "botd", .scopes = SCOPES_PERSON };
	CLEANUP(call_freep) struct call *call = call_new(w->botd, &owner, deadline_in(SHOW_MS));
	const struct session_show_params params = { .site = j->site };
	struct session_show_result kept;
	int64_t count = 0;

	if (call_session_show(call, w->botd->vault, &params, &kept) < 0)
		return; /* when the vault is back it tells of every session that works */
	if (!kept.health || strcmp(kept.health, "working") != 0 || kept.version == version)
		return;
	if (job_resume_all(w->botd->db, j->user, j->site, kept.version, deadline_in(DB_MS), &count) == 0 && count)
		queue_wake(&w->botd->queue);
}

/* The run was cancelled because of what a beat has found: that, and not the cancelling, is what has ended the attempt. */
static void look_why_cancelled(struct worker *w, struct ending *e)
{
	if (e->kind == ENDING_INTERRUPTED && w->beaten != JOB_OK)
		ending_written(e, w->beaten);
}

/* What has ended an attempt without a word in its log is said by the next one. */
static void remember_cut(struct botd *b, const struct job *j, enum job_result r)
{
	if (r == JOB_OK)
		held_remove(&b->cut_off, j->id);
	else if (b->database_away || r == JOB_REFUSED)
		held_add(&b->cut_off, j->id);
}

static void say_settled(const struct job *j, const struct ending *e, enum job_result r)
{
	switch (r) {
	case JOB_OK:
		log_info("booking %lld (%s): %s%s%s", (long long)j->id, j->site, e->kind == ENDING_DONE ? e->outcome : "not ended",
			*e->reason ? ": " : "", e->reason);
		break;
	case JOB_LOST:
		log_notice("booking %lld: its lease was lost; what has become of it is found out anew", (long long)j->id);
		break;
	case JOB_INTERRUPTED: break; /* not while shielded */
	case JOB_UNWANTED: break;    /* an end does not ask */
	case JOB_REFUSED:
		log_error("booking %lld: the database does not take how it has ended (%s%s%s); it is looked at again when its "
			"lease has run out", (long long)j->id, e->kind == ENDING_DONE ? e->outcome : "not ended",
			*e->reason ? ": " : "", e->reason);
		break;
	}
}

/*
 * Settled even if this fiber has been cancelled; the writes end with the lease at the latest. The next job of the same
 * person and site, claimed along with it if there is one and more is wanted; else NULL.
 */
static struct job *settle_present(struct worker *w, struct ending *e, bool more)
{
	struct job *j = w->job, *next = NULL;
	enum job_result r;

	fiber_shield();
	look_why_cancelled(w, e);
	r = worker_settle(w, j, e, more ? &next : NULL);
	if (r == JOB_OK && e->kind == ENDING_SIGN_IN)
		resume_if_newer(w, j, e->version);
	fiber_unshield();
	remember_cut(w->botd, j, r);
	say_settled(j, e, r);
	if (next) {
		next->older = j;
		w->job = next;
	}
	return next;
}

/* Workers that have not given up their place; one that is leaving will in a moment. */
static int64_t at_work(const struct botd *b, bool leaving_too)
{
	const struct worker *w;
	int64_t n = 0;

	LIST_FOREACH (w, &b->workers.list, link)
		n += leaving_too || !w->leaving;
	return n;
}

/*
 * Whether somebody else's job would be kept waiting by another one in this browser: all workers are busy, and this one
 * has done a few, so that two persons with many bookings each do not open a browser for every single one.
 */
static bool must_yield(struct worker *w, int64_t done)
{
	bool others = false;

	if (done < LEAST_BATCH)
		return false;
	if (at_work(w->botd, false) < worker_settings(w)->workers)
		return false;
	return claim_others_wait(w->botd->db, KIND_BOOKING, deadline_in(DB_MS), &others) == 0 && others;
}

static enum job_result say_going_on(struct worker *w, struct job *j)
{
	if (put_off_was(w->botd, j))
		return put_off_past(w->botd, j, run_recipe(w->run)->title, PLACE_PROBE);
	return job_start(j, "Going on in the browser that is open already.");
}

/* Job after job in one browser, until it is broken, has had its share, or there is no other job. */
static void do_batch(struct worker *w)
{
	CLEANUP(listing_free) struct listing known = { 0 };
	struct job *j = w->job;

	for (int64_t n = 1; j; n++) {
		struct ending end = { 0 };
		enum job_result r = n > 1 ? say_going_on(w, j) : JOB_OK;
		bool more;

		if (r == JOB_OK)
			job_do(w->botd, j, w->run, &known, &w->progress, &end);
		else
			ending_written(&end, r);
		more = n < worker_settings(w)->batch && !run_pageless(w->run) && !run_broken(w->run) &&
		       !fiber_cancelled() && end.kind == ENDING_DONE;
		w->leaving = more && must_yield(w, n);
		j = settle_present(w, &end, more && !w->leaving);
	}
	w->leaving = true;
}

/* Another worker's run with the same session: on this host we need not find out by asking. */
static bool session_in_use(struct worker *w)
{
	const struct worker *o;

	if (closings_have(&w->botd->closings, w->job->user, w->job->site))
		return true;
	LIST_FOREACH (o, &w->botd->workers.list, link) {
		if (o != w && o->run && o->job->user == w->job->user && strcmp(o->job->site, w->job->site) == 0)
			return true;
	}
	return false;
}

/* While another browser with this session is closed and the session saved; that may take longer than a worker should wait. */
static int await_others(struct worker *w, struct ending *end)
{
	int64_t deadline = deadline_in(AWAIT_MS);
	CLEANUP(watcher_freep) struct watcher *closed = watcher_new(w->botd->closed, NULL);
	int r = 0;

	while (r == 0 && session_in_use(w))
		r = watcher_wait(closed, deadline);
	if (r == -ETIMEDOUT)
		ending_set(end, ENDING_BUSY, "The browser that has used your session before this is still being closed.");
	else if (r < 0)
		ending_written(end, JOB_INTERRUPTED);
	return r;
}

/* Its leases ran out time and again: whatever it is that ends every attempt, it must not go on for ever. */
static int check_tries(struct worker *w, struct ending *end)
{
	if (w->job->failures < worker_settings(w)->tries || (w->job->intended && loop_now() < w->job->look_end))
		return 0;
	w->job->failures--; /* this claim was no try */
	return ending_set(end, ENDING_AGAIN, "Stead's worker ended without a word.");
}

/* Another booking has found the site not well; this one asks it no sooner. */
static int check_outage(struct worker *w, const struct recipe *recipe, struct ending *end)
{
	return put_off_left_ms(w->botd, w->job) == 0 ? 0 : ending_set(end, ENDING_DOWN, "%s is not well just now.", recipe->title);
}

/* What the log says before the browser is there; of one that is tried again and again only that it works again. */
static int say_opening(struct worker *w, const struct recipe *recipe, struct ending *end)
{
	enum job_result r = JOB_OK;

	if (held_has(&w->botd->cut_off, w->job->id))
		r = job_line(w->job, "warning", "The database was lost, and is back; %s",
			w->job->intended ? "what may have been sent is looked for." : "starting over.");
	if (r == JOB_OK && !put_off_was(w->botd, w->job))
		r = run_pageless(w->run) ? job_start(w->job, "Asking %s with your session.", recipe->title) :
			job_start(w->job, "Opening a browser with your session for %s.", recipe->title);
	return ending_written(end, r);
}

/* With the newest state, and where that is none any more with the one that was last proved, before anybody is told. */
static int worker_open_browser(struct worker *w, const struct recipe *recipe, struct ending *end)
{
	int r = say_opening(w, recipe, end);

	if (r == 0)
		r = run_open(w->run, end);
	if (r == -EAGAIN) {
		r = ending_written(end, job_line(w->job, "info",
			"%s does not take the newest state of your session any more; the one that was last proved is tried.", recipe->title));
		if (r == 0)
			r = run_fetch_proved(w->run, end);
		if (r == 0)
			r = run_open(w->run, end);
	}
	return r < 0 ? r : ending_written(end, put_off_past(w->botd, w->job, recipe->title, PLACE_PROBE));
}

/* Whoever reads the log sees it begin again, and would not know why. */
static int say_vanished(struct worker *w, struct ending *end)
{
	if (!w->job->vanished || held_has(&w->botd->cut_off, w->job->id))
		return 0;
	return ending_written(end, job_line(w->job, "warning", "A part of Stead stopped in the middle of it; %s",
		w->job->intended ? "what may have been sent is looked for." : "starting over."));
}

static int open_run(struct worker *w, struct ending *end)
{
	CLEANUP(recipe_unrefp) const struct recipe *recipe = recipe_ref(recipe_find(w->botd->recipes, w->job->site));
	const struct recipe_action *action;
	int r = check_tries(w, end);

	if (r == 0 && !recipe)
		r = ending_set(end, ENDING_UNABLE, "There is no recipe \"%s\" any more; an administrator can put it back.", w->job->site);
	if (r == 0)
		r = check_outage(w, recipe, end);
	if (r == 0)
		r = say_vanished(w, end);
	if (r == 0)
		r = await_others(w, end);
	if (r < 0)
		return r;
	action = recipe_action_find(recipe, w->job->action);
	w->run = run_new(w->botd, w->job->user, recipe, action && recipe_action_pageless(recipe, action));
	r = run_fetch(w->run, end);
	return r < 0 ? r : worker_open_browser(w, recipe, end);
}

/* The run's fiber: opens the browser, does the jobs; that it is closed is not waited for. */
static void run_jobs(void *arg)
{
	struct worker *w = arg;
	struct ending end = { 0 };

	if (open_run(w, &end) == 0)
		do_batch(w);
	else
		settle_present(w, &end, false);
	if (w->run)
		closing_start(w->botd, TAKE(w->run), fiber_cancelled());
	w->done = true;
	latch_wake(&w->ended, 0);
}

/* While a step takes long its log says so, once; not at every try while its site is not well. */
static void tell_long_step(struct worker *w, struct job *j)
{
	int64_t ms = w->progress.since ? loop_now() - w->progress.since : 0;

	if (ms < LONG_STEP_MS || w->progress.told || put_off_was(w->botd, j))
		return;
	w->progress.told = true;
	job_line(j, "info", "Still waiting (%lld s): %s.", (long long)(ms / 1000), w->progress.words);
}

/* Anything but JOB_OK: the lease cannot be kept, or the job is not wanted any more, and the run must end at once. */
static enum job_result worker_beat(struct worker *w)
{
	struct job *j = w->job;
	enum job_result r = j->ended ? JOB_OK : job_beat(j);

	if (r != JOB_OK && !j->ended) /* it may have ended while we asked */
		return r;
	if (!j->ended && w->job == j)
		tell_long_step(w, j);
	return JOB_OK;
}

/* Keeps the lease until the run has ended. */
static void attend(struct worker *w, struct fiber *run)
{
	while (!w->done) {
		int r = w->hurried ? -ETIMEDOUT : latch_wait(&w->ended, deadline_in(w->job->lease_ms / 4));

		w->hurried = false;
		if (r == -ETIMEDOUT)
			w->beaten = worker_beat(w);
		if (r == 0 || (r == -ETIMEDOUT && w->beaten == JOB_OK))
			continue;
		fiber_cancel(run);
		break;
	}
}

static void work_off(struct worker *w)
{
	struct fiber *run = NULL;

	w->done = w->leaving = false;
	w->beaten = JOB_OK;
	w->progress = (struct progress){ 0 };
	fiber_start("run", run_jobs, w, &run);
	attend(w, run);
	fiber_join(&run);
	w->job = job_free(w->job);
}

static void worker_work(void *arg)
{
	struct worker *w = arg;
	struct botd *b = w->botd;
	int r;

	w->fiber = fiber_self();
	if (b->stopping)
		fiber_cancel(w->fiber);
	r = job_begin(b->db, &w->claim, worker_settings(w)->lease_ms, &w->job);
	if (r == 0)
		work_off(w);
	else if (r != -ENOENT)
		log_warning("booking %lld cannot be begun; it is when its lease has run out: %s", (long long)w->claim.id, db_error(b->db)->text);
	LIST_REMOVE(w, link);
	hub_miss(b->closed); /* it has no run any more */
	queue_wake(&b->queue); /* there is room */
	latch_wake(&b->workers.emptied, 0);
	free(w);
}

int64_t workers_room(void *botd)
{
	const struct botd *b = botd;

	return b->settings->workers - at_work(b, true);
}

void worker_begin(void *botd, const struct claim *claim)
{
	struct worker *w = must(calloc(1, sizeof(*w)));
	struct botd *b = botd;

	w->botd = b;
	w->claim = *claim;
	w->hurried = claim->unwanted;
	LIST_INSERT_HEAD(&b->workers.list, w, link);
	fiber_start("worker", worker_work, w, NULL);
}

void workers_hear(struct botd *b, int64_t job)
{
	struct worker *w;

	LIST_FOREACH (w, &b->workers.list, link) {
		if (w->claim.id != job && !(w->job && w->job->id == job))
			continue;
		w->hurried = true;
		latch_wake(&w->ended, 0);
	}
}

void workers_stop(struct botd *b)
{
	struct worker *w;

	LIST_FOREACH (w, &b->workers.list, link)
		fiber_cancel(w->fiber);
	LATCH_AWAIT(&b->workers.emptied, LIST_EMPTY(&b->workers.list));
}
