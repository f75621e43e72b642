/* The step with which a run acts: held back, and let go. */
#include <errno.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "common/words.h"
#include "streamd/browser/act.h"
#include "streamd/browser/browser.h"
#include "streamd/run/runs_inside.h"

#define WRITE_MS       5000 /* for the rest of what is written to a page that has something held back */
#define AFTER_PRESS_MS 3000 /* for the first request after a press that has been answered: of a button, a menu or a field */

/* A step that is carried out on a fiber of its own, so that it can be left when its page is held back. */
struct acting_step {
	struct run *run;
	const struct step *step;
	struct arena *arena;
	struct step_result done;
	bool over;
	int r;
};

static void carry_out_act(void *arg)
{
	struct acting_step *s = arg;

	s->r = run_step_carry_out(s->run->browser, s->run->screen, s->run->recipe, s->step, s->arena, &s->done);
	s->over = true;
	act_tell(browser_act(s->run->browser));
}

/* Whether something has been pressed that may still send: what is found out about the page then says nothing of that. */
static bool may_send(const struct acting_step *s)
{
	return act_pressed(browser_act(s->run->browser)) && s->r == 0 &&
		(s->done.end == STEP_END_DONE || s->done.end == STEP_END_MISSING);
}

/*
 * Until it is over or something is held back; then it is ended, for a page that is held back answers nothing. A click has been
 * sent whole by then (act_press()).
 */
static int take_acting_step(struct acting_step *s)
{
	struct act *act = browser_act(s->run->browser);
	struct fiber *fiber;
	int r;

	fiber_start("act", carry_out_act, s, &fiber);
	r = act_await_held(act, NEVER, &s->over);
	if (r == 0 && run_step_writes(s->step))
		r = act_await_told(act, deadline_in(WRITE_MS), &s->over);
	fiber_cancel(fiber);
	fiber_join(&fiber);
	if (r == -ETIMEDOUT)
		return 0;
	if (r == 0 && !act_holds(act) && may_send(s))
		r = act_await_held(act, deadline_in(AFTER_PRESS_MS), NULL);
	return r == -ETIMEDOUT ? 0 : r;
}

static void answer_act(struct run *run, struct call *call, const struct step_result *done, struct run_act_result *to)
{
	struct run_step_result as_step = { .picture = -1 };

	run_answer_step(run, call, done, &as_step);
	to->result = as_step.result;
	to->reason = as_step.reason;
	to->text = as_step.text;
	to->rows = as_step.rows;
	to->rows_count = as_step.rows_count;
	to->retry_ms = as_step.retry_ms;
	to->picture = as_step.picture;
}

static const char *what_was_done(const struct acting_step *s)
{
	const char *at = selector_words(s->arena, s->step->at);

	return words_new(s->arena, RUN_MOST_REASON, "%s %s", step_kind(s->step) == STEP_drag ? "done with" : "written to", at);
}

/* Whether it has done what the page may send something for; *ret_why: it was cut short in the midst of that, and how; else NULL. */
static bool has_pressed(const struct acting_step *s, const char **ret_why)
{
	*ret_why = NULL;
	if (!run_step_writes(s->step))
		return act_pressed(browser_act(s->run->browser));
	if (s->done.wrote == WROTE_PART && s->r == -ECANCELED)
		*ret_why = words_new(s->arena, RUN_MOST_REASON, "The page had taken only a part of what was %s when it sent something, and no more "
			"within %d s; it is not done again.", what_was_done(s), WRITE_MS / 1000);
	return s->done.wrote != WROTE_NOTHING;
}

static int run_act_act(struct call *call, struct run *run, const struct step *step, struct run_act_result *result)
{
	struct acting_step s = { .run = run, .step = step, .arena = call->arena, .done = { .picture = -1 } };
	struct act *act = browser_act(run->browser);
	int r;

	if (act_is_open(act))
		return call_refuse(call, ERR_busy, "run", "What this run has sent has not been answered; run_send waits for it.");
	r = act_watch(act, call->deadline);
	run->untouched = false;
	if (r == 0)
		r = take_acting_step(&s);
	if (r < 0)
		return r;
	if (!act_holds(act)) {
		answer_act(run, call, &s.done, result);
		return s.r;
	}
	closep(&s.done.picture);
	result->result = "held";
	result->pressed = has_pressed(&s, &result->reason);
	result->request = act_words(act, call->arena);
	return 0;
}

int run_act(struct call *call, const struct run_act_params *params, struct run_act_result *result)
{
	struct step step;
	struct visit v;
	int r = run_read_step(call, params->step, &step);
	struct run *run = r == 0 ? run_begin_work(call, params->run, &v) : NULL;

	result->picture = -1;
	return run ? run_end_work(run, call, &v, false, run_act_act(call, run, &step, result)) : REFUSED;
}

static int run_act_send_held(struct call *call, struct run *run, const struct run_send_params *params,
	struct run_send_result *result)
{
	static const char *const words[] = { "answered", "open", "lost", "unsent" };
	struct act *act = browser_act(run->browser);
	int64_t deadline = deadline_min(call->deadline, deadline_in(params->wait_ms));
	enum act_answer answer;
	const char *why;
	int status, r;

	run->acted_at = loop_now();
	act_send(act);
	r = act_await_answer(act, params->settle_ms, deadline);
	if (r < 0)
		return r;
	answer = act_answer(act, call->arena, &status, &why);
	if (answer == ACT_UNSENT) /* it is told as that, so nothing may leave any more */
		act_stop(act);
	result->answer = words[answer];
	result->status = status;
	result->reads = act_only_reads(act);
	result->reason = *why ? words_new(call->arena, RUN_MOST_REASON, "%s", why) : NULL;
	return 0;
}

int run_send(struct call *call, const struct run_send_params *params, struct run_send_result *result)
{
	struct visit v;
	struct run *run = run_begin_work(call, params->run, &v);

	return run ? run_end_work(run, call, &v, true, run_act_send_held(call, run, params, result)) : REFUSED;
}
