#include "botd/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "botd/state.h"
#include "botd/doing.h"
#include "botd/queue.h"
#include "botd/run.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "proto/sessiond.h"

#define DB_MS         5000
#define SHOW_MS       5000
#define BUSY_MS       2000  /* before what is not free is asked for again */
#define LONGEST_MS    60000 /* pause between two tries */
#define LONG_STEP_MS  3000  /* after this the log says what is being waited for */
#define SPIN_MS       50    /* the least pause before a claim that found nothing is repeated by itself */

struct worker {
	struct botd *botd;
	struct fiber *fiber;
	unsigned number;
	struct job *job; /* the present one, and behind it the older ones of this run */
	struct run *run; /* NULL: there is none */
	struct progress progress;
	struct wait *ended; /* the worker waits for its run's end */
	bool done;          /* the run's fiber has no more to do */
};

static const struct botd_settings *settings(struct worker *w)
{
	return w->botd->settings;
}

static int64_t pause_ms(struct worker *w, int64_t failures)
{
	int64_t ms = settings(w)->retry_ms;

	for (int64_t i = 0; i < failures && ms < LONGEST_MS; i++)
		ms *= 2;
	return ms < LONGEST_MS ? ms : LONGEST_MS;
}

/* Another try, or the end of trying. An act that may have been sent is not called failed. */
static int try_again(struct worker *w, struct job *j, const struct ending *e, struct job **ret_next)
{
	char reason[1200];

	if (j->failures + 1 < settings(w)->tries)
		return job_requeue(j, pause_ms(w, j->failures), true, e->reason);
	snprintf(reason, sizeof(reason), "Given up after %lld tries; the last one: %s", (long long)j->failures + 1,
		e->reason);
	return job_finish(j, j->intended ? "unconfirmed" : "failed", reason, ret_next);
}

/* Writes how the attempt ended. *ret_next: the next job of this run, claimed with it. */
static int settle(struct worker *w, struct job *j, const struct ending *e, struct job **ret_next)
{
	switch (e->kind) {
	case ENDING_DONE: return job_finish(j, e->outcome, *e->reason ? e->reason : NULL, ret_next);
	case ENDING_SIGN_IN: return job_park(j, e->version, e->reason, ret_next);
	case ENDING_AGAIN: return try_again(w, j, e, ret_next);
	case ENDING_BUSY: return job_wait(j, BUSY_MS, e->reason);
	case ENDING_LOST:
	case ENDING_NONE: break;
	}
	/* Given back at once if it is still ours: this daemon ends. */
	return job_requeue(j, 0, false, "It was interrupted.");
}

/*
 * A sign-in that was saved while this job still used the session before it has been told of already, to nobody: the job
 * waited for nothing then. One that is saved from now on finds it waiting.
 */
static void resume_if_newer(struct worker *w, struct job *j, int64_t version)
{
	const struct acting owner = { .user = j->user, .name = "botd" };
	CLEANUP(call_freep) struct call *call = call_new(w->botd, &owner, deadline_in(SHOW_MS));
	const struct session_show_params params = { .site = j->site };
	struct session_show_result kept;
	int64_t count = 0;

	if (call_session_show(call, w->botd->vault, &params, &kept) < 0)
		return; /* when the vault is back it tells of every session that works */
	if (!kept.health || strcmp(kept.health, "healthy") != 0 || kept.version == version)
		return;
	if (queue_resume(w->botd->db, j->user, j->site, kept.version, deadline_in(DB_MS), &count) == 0 && count)
		bell_ring(w->botd->work, 0);
}

/*
 * Settled even if this fiber has been cancelled; the writes end with the lease at the latest. The next job of the same
 * person and site, claimed along with it if there is one and more is wanted; else NULL.
 */
static struct job *settle_present(struct worker *w, const struct ending *e, bool more)
{
	struct job *j = w->job, *next = NULL;
	int r;

	fiber_shield();
	r = settle(w, j, e, more ? &next : NULL);
	if (r == 0 && e->kind == ENDING_SIGN_IN)
		resume_if_newer(w, j, e->version);
	fiber_unshield();
	if (r == -ESTALE)
		log_notice("booking %lld: its lease was lost; what has become of it is found out anew", (long long)j->id);
	else
		log_info("booking %lld (%s): %s%s%s", (long long)j->id, j->site,
			e->kind == ENDING_DONE ? e->outcome : "not ended", *e->reason ? ": " : "", e->reason);
	if (next) {
		next->older = j;
		w->job = next;
	}
	return next;
}

/* Job after job in one browser, until it is broken, has had its share, or there is no other job. */
static void do_batch(struct worker *w)
{
	struct listing *known = listing_new();
	struct job *j = w->job;

	for (int64_t n = 1; j; n++) {
		struct ending end;
		bool more;

		if (n > 1 && job_start(j, "Going on in the browser that is open already.") < 0)
			end = (struct ending){ .kind = ENDING_LOST };
		else
			job_do(j, w->run, known, &w->progress, &end);
		more = n < settings(w)->batch && !run_broken(w->run) && !fiber_cancelled() && end.kind == ENDING_DONE;
		j = settle_present(w, &end, more);
	}
	listing_free(known);
}

/* Another worker's run with the same session: on this host we need not find out by asking. */
static bool session_in_use(struct worker *w)
{
	for (size_t i = 0; w->botd->workers[i]; i++) {
		const struct worker *o = w->botd->workers[i];

		if (o != w && o->run && o->job->user == w->job->user && strcmp(o->job->site, w->job->site) == 0)
			return true;
	}
	return false;
}

/* While another worker closes its browser and saves the session. */
static int await_others(struct worker *w)
{
	struct hearer hearer;
	int r = 0;

	bell_listen(w->botd->closed, &hearer, 0);
	while (r == 0 && session_in_use(w))
		r = bell_wait(&hearer, NEVER);
	bell_leave(&hearer);
	return r;
}

static int open_run(struct worker *w, struct ending *end)
{
	const struct recipe *recipe = recipe_find(w->botd->recipes, w->job->site);
	char line[256];
	int r;

	if (!recipe) {
		ending_done(end, "failed", "There is no recipe \"%s\" any more; an administrator can put it back.",
			w->job->site);
		return -ENOENT;
	}
	r = await_others(w);
	if (r < 0)
		return r;
	w->run = run_new(w->botd, w->job->user, recipe);
	r = run_fetch(w->run, end);
	if (r < 0)
		return r;
	snprintf(line, sizeof(line), "Opening a browser with your session for %s.", recipe->title);
	r = job_start(w->job, line);
	return r < 0 ? r : run_open(w->run, end);
}

/* The run's fiber: opens the browser, does the jobs, closes it. */
static void run_jobs(void *arg)
{
	struct worker *w = arg;
	struct ending end = { 0 };

	if (open_run(w, &end) == 0)
		do_batch(w);
	else
		settle_present(w, &end, false);
	if (w->run)
		run_end(w->run);
	w->done = true;
	if (w->ended)
		wait_wake(w->ended, 0);
}

/* While a step takes long its log says so, once. */
static void tell_long_step(struct worker *w, struct job *j)
{
	int64_t ms = w->progress.since ? loop_now() - w->progress.since : 0;

	if (ms < LONG_STEP_MS || w->progress.told)
		return;
	w->progress.told = true;
	job_line(j, "info", "Still waiting (%lld s): %s.", (long long)(ms / 1000), w->progress.words);
}

/* False when the job's lease is lost: then the run must end at once. */
static bool beat(struct worker *w)
{
	struct job *j = w->job;

	if (!j->ended && job_beat(j) < 0 && !j->ended) /* it may have ended while we asked */
		return false;
	if (!j->ended && w->job == j)
		tell_long_step(w, j);
	if (w->run)
		run_beat(w->run);
	return true;
}

/* Keeps the lease until the run has ended. */
static void attend(struct worker *w, struct fiber *run)
{
	while (!w->done) {
		struct wait wait = { 0 };
		int r;

		w->ended = &wait;
		r = wait_for(&wait, deadline_in(w->job->lease_ms / 4));
		w->ended = NULL;
		if (r == 0 || (r == -ETIMEDOUT && beat(w)))
			continue;
		fiber_cancel(run);
		break;
	}
}

static void work_off(struct worker *w)
{
	struct fiber *run = NULL;

	w->done = false;
	w->progress = (struct progress){ 0 };
	fiber_start("run", run_jobs, w, &run);
	attend(w, run);
	fiber_join(&run);
	w->run = run_free(w->run);
	bell_ring(w->botd->closed, 0);
	w->job = job_free(w->job);
}

/* Until when to wait for a ring: the next job's time, or the poll. */
static int64_t next_look(struct worker *w)
{
	int64_t ms = settings(w)->poll_ms, due;

	if (queue_next_due(w->botd->db, deadline_in(DB_MS), &due) == 0 && due < ms)
		ms = due > SPIN_MS ? due : SPIN_MS;
	return deadline_in(ms);
}

static void work(void *arg)
{
	struct worker *w = arg;
	struct hearer hearer;
	int r = 0;

	bell_listen(w->botd->work, &hearer, 0);
	while (r != -ECANCELED && r != -ESHUTDOWN) {
		r = queue_claim(w->botd->db, settings(w)->lease_ms, deadline_in(DB_MS), &w->job);
		if (r == 0)
			work_off(w);
		else if (r != -ECANCELED)
			r = bell_wait(&hearer, next_look(w));
		if (fiber_cancelled())
			r = -ECANCELED;
	}
	bell_leave(&hearer);
}

struct worker *worker_start(struct botd *b, unsigned number)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->botd = b;
	w->number = number;
	fiber_start("worker", work, w, &w->fiber);
	return w;
}

void worker_cancel(struct worker *w)
{
	fiber_cancel(w->fiber);
}

struct worker *worker_end(struct worker *w)
{
	fiber_join(&w->fiber);
	free(w);
	return NULL;
}
