#include "botd/doing.h"

#include <errno.h>
#include <string.h>

#include "botd/outage.h"
#include "botd/outcome.h"
#include "botd/picture.h"
#include "botd/put_off.h"
#include "botd/site.h"
#include "botd/state.h"
#include "botd/today.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "common/words.h"
#include "recipe/answer.h"
#include "recipe/input.h"
#include "recipe/pattern.h"

#define COMPLAINT_MS  100 /* what a page says about a failure is there by the time the step has given up */
#define MORE_MS       100 /* whether the page has more to send, when steps follow that wait for it */
#define LAST_MS       700 /* and when none do: the page is left then */
#define LIST_PAUSE_MS 700 /* between two looks at a list that may be late */
#define AFTER_GET_MS  3000 /* for what acts, as after a press, when all that has been sent are GETs */
#define LATER_MS      5000 /* for what a later step has made the page send; streamd knows when no more of that comes */
#define SERVER_FAILS  500 /* with such a status or above it, HTTP's site may have done what it was asked for all the same */

struct doing {
	struct botd *botd;
	struct job *job;
	struct run *run;
	const struct recipe_action *action;
	struct variables variables;
	struct arena *arena;
	struct listing *known;
	struct progress *progress;
	const char *step;    /* the one under way or the last, in words */
	int place;           /* where the run is (botd/outage.h) */
	struct ending *end;
	bool acting;         /* the act's step has begun, or a later one */
	bool sent;           /* what acts has been let go, in this attempt */
	struct answer answer; /* and what the site answered; its why is "" for NULL, and lasts */
	char unsent[512];    /* it was to be let go, but nothing left: why; "" if not */
	char complaint[512]; /* what the page said about what did not work; "" if nothing */
	const char *verdict; /* the outcome that the recipe makes of it, or of the step; NULL if none. See is_settled() */
	char missing[700];   /* which step found nothing, and why: for the log, it may name parts of the page */
	char undone[300];    /* what that step wanted to do, in words for the person */
};

/*
 * Most functions here return whether to go on; if not, the ending is set. A refused write ends the attempt, unless the
 * act may have been sent in it: then the site's own list is read all the same, for nothing else tells what came of it.
 */
static bool wrote(struct doing *d, enum job_result r)
{
	if (r == JOB_OK || (r == JOB_REFUSED && d->sent))
		return true;
	ending_written(d->end, r);
	return false;
}

static bool doing_say(struct doing *d, const char *level, const char *text)
{
	return wrote(d, job_line(d->job, level, "%s", text));
}

/* What the person has read already while the site was not well. */
static bool say_anew(struct doing *d, const char *text)
{
	return put_off_was(d->botd, d->job) || doing_say(d, "info", text);
}

/* The site has answered there. */
static bool got_past(struct doing *d, int place)
{
	return wrote(d, put_off_past(d->botd, d->job, run_recipe(d->run)->title, place));
}

static void begin_progress(struct doing *d, const char *words)
{
	words_set(d->progress->words, sizeof(d->progress->words), "%s", words);
	d->progress->told = false;
	d->progress->since = loop_now();
}

static void begin_step(struct doing *d, const struct step *step)
{
	d->step = step_words(d->arena, step, &d->variables);
	begin_progress(d, d->step);
}

/* What a request's answer had that later steps need. */
static void take_kept(struct doing *d)
{
	const struct reply *reply = run_reply(d->run);

	for (size_t i = 0; reply->from && i < reply->from->keep_count; i++) {
		const char *value = answer_value(d->arena, reply->json, reply->from->keep[i].pointer);

		if (value)
			d->variables = variables_with(d->arena, d->variables, reply->from->keep[i].name, value);
	}
}

static enum step_result doing_take(struct doing *d, const struct step *step, struct call *call, struct run_step_result *ret)
{
	enum step_result r;

	begin_step(d, step);
	r = run_take_step(d->run, call, step, &d->variables, ret, d->end);
	d->progress->since = 0;
	take_kept(d);
	return r;
}

/* Without the full stop that a reason may end in, for it stands within sentences. */
static void note_missing(struct doing *d, const struct run_step_result *result)
{
	size_t n;

	words_set(d->undone, sizeof(d->undone), "%s", d->step);
	n = words_set(d->missing, sizeof(d->missing), "%s: %s", d->undone,
		result->reason ? result->reason : "not there");
	if (n > 0 && d->missing[n - 1] == '.')
		d->missing[n - 1] = '\0';
}

static bool log_missing(struct doing *d)
{
	return wrote(d, job_line(d->job, "warning", "It did not work: %s.", d->missing));
}

static bool keep_picture(struct doing *d, int fd)
{
	enum job_result r = fd < 0 ? JOB_REFUSED : picture_keep(d->botd, d->job, fd);

	return r == JOB_REFUSED || wrote(d, r); /* a booking does not fail for want of a picture */
}

/* The site's own list */

enum list_result { LIST_READ, LIST_MISSING, LIST_OVER };

/*
 * LIST_OVER: the ending is set. The last step reads the rows; without any, and without the mark of an empty list, it finds
 * nothing, and the list has not been read.
 */
static enum list_result read_rows(struct doing *d, const struct step *steps, size_t n)
{
	const struct recipe_own_list *list = &d->action->list;

	for (size_t i = 0; i < n; i++) {
		CLEANUP(call_freep) struct call *call = run_call(d->run);
		struct step step = steps[i];
		struct run_step_result result;
		enum step_result r;

		step.none = i + 1 == n ? list->none : NULL;
		step.long_polls = i + 1 == n ? list->long_polls : NULL;
		step.long_polls_count = i + 1 == n ? list->long_polls_count : 0;
		r = doing_take(d, &step, call, &result);
		if (r == STEP_MISSING && step.optional && i + 1 < n)
			continue;
		if (r == STEP_MISSING) {
			note_missing(d, &result);
			return keep_picture(d, result.picture) ? LIST_MISSING : LIST_OVER;
		}
		if (r != STEP_DONE)
			return LIST_OVER;
		if (i + 1 == n)
			listing_keep(d->known, d->action, &d->variables, TAKE(call), &result);
	}
	return LIST_READ;
}

/* quick: from the page where the act ended, if the recipe knows how. */
static enum list_result doing_read_list(struct doing *d, bool quick)
{
	const struct recipe_own_list *list = &d->action->list;
	enum list_result r = LIST_MISSING;

	d->place = PLACE_LIST;
	listing_forget(d->known);
	if (quick && list->again)
		r = read_rows(d, list->again, list->again_count);
	if (r == LIST_MISSING)
		r = read_rows(d, list->steps, list->steps_count);
	if (r == LIST_MISSING && !log_missing(d))
		return LIST_OVER;
	return r == LIST_READ && !got_past(d, PLACE_LIST) ? LIST_OVER : r;
}

static bool doing_listed(const struct doing *d)
{
	return listing_has(d->known, d->action, &d->variables);
}

/* The same again and again until the booking is there or patience has ended. */
static enum list_result read_patiently(struct doing *d, bool quick)
{
	int64_t until = deadline_in(d->action->list.patience_ms);
	enum list_result r;

	while ((r = doing_read_list(d, quick)) == LIST_READ && !doing_listed(d) && loop_now() + LIST_PAUSE_MS < until) {
		if (fiber_sleep_until(deadline_in(LIST_PAUSE_MS)) < 0) {
			wrote(d, JOB_INTERRUPTED);
			return LIST_OVER;
		}
	}
	return r;
}

/* How it ends, for what has been seen. */
static void doing_decide(struct doing *d, unsigned facts)
{
	unsigned more = (d->job->again ? OUTCOME_EARLIER : 0) | (*d->complaint ? OUTCOME_COMPLAINT : 0);
	const struct outcome_seen seen = { .facts = facts | more,
		.site = run_recipe(d->run)->title,
		.undone = d->undone,
		.stuck = d->unsent,
		.complaint = BRIEF(400, d->complaint),
		.answer = d->job->seen.answer,
		.verdict = d->verdict };

	outcome_decide(&seen, d->end);
}

static unsigned list_fact(const struct doing *d, enum list_result r)
{
	if (r == LIST_MISSING)
		return OUTCOME_UNREAD;
	return doing_listed(d) ? OUTCOME_LISTED : OUTCOME_LACKING;
}

/*
 * Ends an attempt whose act may have been sent, in this one or before, by what the list says and, with settled, by what the page
 * has said. Whatever does not stand there, or cannot be told, is looked for again.
 */
static void end_by_list(struct doing *d, enum list_result r, bool settled)
{
	struct job_seen *seen = &d->job->seen;
	unsigned fact = list_fact(d, r);

	if (r == LIST_OVER)
		return;
	doing_decide(d, OUTCOME_SENT | fact | (settled ? OUTCOME_SETTLED : 0) | (d->sent || *seen->answer ? OUTCOME_SURE : 0) |
		(*seen->answer ? OUTCOME_ANSWER : 0));
	if (d->end->kind != ENDING_LOOK)
		return;
	if (fact == OUTCOME_LACKING)
		seen->lacking = true;
	else
		words_set(seen->list_trouble, sizeof(seen->list_trouble), "Stead could not %s.", d->undone);
}

/* Whoever sent it and went away in the middle waits for no answer any more. */
static bool begin_looking(struct doing *d)
{
	return d->job->look_end <= loop_now() + d->job->look_ms || wrote(d, job_look_after(d->job, 0));
}

/* The act may have been sent: nothing else is done for this booking any more. */
static void look_for_sent(struct doing *d)
{
	if (begin_looking(d) && doing_say(d, "info", "It may have been sent already, so it is looked for among your bookings, and not sent again."))
		end_by_list(d, doing_read_list(d, false), false);
}

/* Whether it may be sent. */
static bool doing_look_before(struct doing *d)
{
	enum list_result r = LIST_READ;

	if (!d->job->again && listing_known(d->known, d->action, &d->variables)) {
		if (!say_anew(d, "Your bookings have just been read."))
			return false;
	} else {
		r = say_anew(d, "Reading your bookings first.") ? doing_read_list(d, false) : LIST_OVER;
	}
	if (r != LIST_OVER)
		doing_decide(d, OUTCOME_BEFORE | list_fact(d, r));
	return r != LIST_OVER && d->end->kind == ENDING_NONE;
}

/* What did not work */

static void doing_judge(struct doing *d)
{
	for (size_t i = 0; i < d->action->outcomes_count && !d->verdict; i++) {
		if (glob_find(d->action->outcomes[i].text, d->complaint))
			d->verdict = d->action->outcomes[i].outcome;
	}
}

/* What a request's answer says in words, and what the recipe makes of it. */
static void take_word(struct doing *d)
{
	const struct reply *reply = run_reply(d->run);

	if (reply->verdict)
		d->verdict = reply->verdict;
	if (!*reply->complaint)
		return;
	words_set(d->complaint, sizeof(d->complaint), "%s", reply->complaint);
	doing_judge(d);
}

/* False when the run is over; the ending is set then. */
static bool read_complaints(struct doing *d)
{
	for (size_t i = 0; i < d->action->complaints_count; i++) {
		CLEANUP(call_freep) struct call *call = run_call(d->run);
		struct step step = { .step = "read", .at = &d->action->complaints[i], .timeout_ms = COMPLAINT_MS };
		struct run_step_result result;
		enum step_result r = run_take_step(d->run, call, &step, &d->variables, &result, d->end);

		if (r != STEP_DONE && r != STEP_MISSING)
			return false;
		if (r != STEP_DONE || !result.text || !result.text[strspn(result.text, " \t\r\n")])
			continue;
		words_set(d->complaint, sizeof(d->complaint), "%s", result.text);
		doing_judge(d);
		return true;
	}
	return true;
}

/* A step found nothing: what the page says, and a picture of it. */
static bool doing_explain(struct doing *d, const struct step *step, const struct run_step_result *result)
{
	note_missing(d, result);
	if (!keep_picture(d, result->picture))
		return false;
	if (!read_complaints(d))
		return d->sent; /* the list still tells what has come of it */
	if (!d->verdict && step->otherwise)
		d->verdict = step->otherwise;
	return log_missing(d) &&
		(!*d->complaint || wrote(d, job_line(d->job, "warning", "The site says: \"%s\"", d->complaint)));
}

/* The steps */

enum pass { PASS_ON, PASS_MISSING, PASS_OVER };

static bool announce(struct doing *d, size_t i)
{
	const struct line_facts facts = { .step = i + 1, .steps = d->action->steps_count };

	if (put_off_was(d->botd, d->job))
		return true;
	return wrote(d, job_write_line(d->job, &facts, "info", "Step %zu of %zu: %s.", facts.step, facts.steps,
		step_words(d->arena, &d->action->steps[i], &d->variables)));
}

/* What the site answered, for as long as it is not confirmed. */
#define doing_note_answer(d_, ...) words_set((d_)->job->seen.answer, sizeof((d_)->job->seen.answer), __VA_ARGS__)

/* Says what became of what was let go; false when the run is over. */
static bool say_sent(struct doing *d)
{
	const char *title = run_recipe(d->run)->title, *why = d->answer.why;
	enum sent sent = d->answer.sent;
	int status = d->answer.status;

	if (sent == SENT_ANSWERED)
		doing_note_answer(d, "%s answered with status %d.", title, status);
	else if (sent == SENT_OPEN || sent == SENT_LOST)
		doing_note_answer(d, "%s did not answer%s.", title, sent == SENT_OPEN ? " in time" : "");
	switch (sent) {
	case SENT_ANSWERED: return wrote(d, job_line(d->job, "info", "%s%s%s", d->job->seen.answer, *why ? " " : "", why));
	case SENT_OPEN: return wrote(d, job_line(d->job, "warning", "It was sent; %s has not answered so far. %s", title, why));
	case SENT_LOST: return wrote(d, job_line(d->job, "warning", "It was sent, but no answer came. %s", why));
	case SENT_NOT: return wrote(d, job_line(d->job, "warning", "Nothing was sent. %s", why));
	case SENT_NEVER:
	case SENT_UNKNOWN: break;
	}
	return false;
}

/* Lets go what is held back, and waits for the answers to all that went. */
static void doing_send_held(struct doing *d, int64_t wait_ms, int64_t settle_ms)
{
	CLEANUP(call_freep) struct call *call = run_call(d->run);

	begin_progress(d, words_new(d->arena, sizeof(d->progress->words) - 1, "%s has not answered", run_recipe(d->run)->title));
	d->answer = run_send_held(d->run, call, wait_ms, settle_ms, d->end);
	d->answer.why = arena_strdup(d->arena, d->answer.why ?: "");
	d->progress->since = 0;
}

/*
 * The intent is written while all of it is held back, milliseconds before its first byte may leave: whatever ends before
 * that has sent nothing. What then turns out not to have left is as if it had not been pressed.
 */
static bool doing_let_go(struct doing *d, const struct step *step, const char *request)
{
	bool last = step == &d->action->steps[d->action->steps_count - 1];

	if (!wrote(d, job_line(d->job, "info", "Sending it: %s.", request)) || !wrote(d, job_intend(d->job)))
		return false;
	d->sent = true;
	doing_send_held(d, d->action->answer_ms, last ? LAST_MS : MORE_MS);
	if (d->answer.sent == SENT_NOT || d->answer.sent == SENT_NEVER) {
		d->sent = false;
		words_set(d->unsent, sizeof(d->unsent), "%s", d->answer.why);
		if (!wrote(d, job_unintend(d->job)))
			return false;
	}
	return say_sent(d);
}

static bool is_same_answer(const struct answer *a, const struct answer *b)
{
	return a->sent == b->sent && a->status == b->status && strcmp(a->why, b->why) == 0;
}

/*
 * What was held first may only have been a check, or what brings a dialog, and what books was sent by a later step. What the
 * page has said before that was answered is not its word for what came of it. False when the run is over.
 */
static bool await_later_answers(struct doing *d)
{
	const struct answer was = d->answer;
	bool open;

	doing_send_held(d, was.sent == SENT_OPEN && !was.reads ? 0 : LATER_MS, was.reads ? AFTER_GET_MS : 0);
	open = d->answer.sent == SENT_OPEN && was.sent != SENT_OPEN;
	if (open) {
		if (!wrote(d, job_look_after(d->job, d->action->answer_ms)))
			return false;
		doing_send_held(d, d->action->answer_ms, LAST_MS);
	}
	if (open || d->answer.reads != was.reads) {
		d->verdict = NULL;
		d->complaint[0] = '\0';
		read_complaints(d);
	}
	return is_same_answer(&d->answer, &was) || say_sent(d);
}

/*
 * From the act on, until something has been let go, each step may be the one that sends it. One that had pressed nothing yet, as
 * it only looks or what it was to press was not there, was left when the page was held back, and is carried out then.
 */
static enum step_result take_or_act(struct doing *d, const struct step *step, struct call *call, struct run_step_result *ret)
{
	struct held held = { 0 };
	enum step_result r;

	d->acting |= step->act;
	if (!d->acting || d->sent)
		return doing_take(d, step, call, ret);
	begin_step(d, step);
	r = run_act_step(d->run, call, step, &d->variables, ret, &held, d->end);
	d->progress->since = 0;
	if (r != STEP_HELD)
		return r;
	if (!got_past(d, d->place) || !doing_let_go(d, step, held.request))
		return STEP_OVER;
	if (!d->sent)
		return STEP_UNSENT;
	*ret = (struct run_step_result){ .reason = held.cut, .picture = -1 };
	return !held.pressed ? doing_take(d, step, call, ret) : held.cut ? STEP_MISSING : STEP_DONE;
}

/* A box that is as it should be is not pressed: what it would have made the page send has not been sent either. */
static bool say_unpressed(struct doing *d, const struct step *step, const struct run_step_result *result)
{
	bool unpressed = step_kind(step) == STEP_check && result->text && strcmp(result->text, step->off ? "off" : "on") == 0;

	return !unpressed || doing_say(d, "info", "It was so already, and was not pressed.");
}

/* PASS_MISSING has been explained. A browser that dies with the act is judged by the list, in another attempt. */
static enum pass doing_pass(struct doing *d, size_t i)
{
	CLEANUP(call_freep) struct call *call = NULL;
	const struct step *step = &d->action->steps[i];
	struct run_step_result result = { .picture = -1 };
	enum step_result r;

	d->place = PLACE_STEP + (int)i;
	if (!announce(d, i))
		return PASS_OVER;
	call = run_call(d->run);
	r = take_or_act(d, step, call, &result);
	if (step_kind(step) == STEP_request)
		take_word(d);
	if (r == STEP_DONE && !say_unpressed(d, step, &result))
		return PASS_OVER;
	if (r == STEP_DONE || (r == STEP_MISSING && step->optional))
		return got_past(d, d->place) ? PASS_ON : PASS_OVER;
	if (r == STEP_UNSENT)
		return PASS_MISSING;
	if (r != STEP_MISSING)
		return PASS_OVER;
	return doing_explain(d, step, &result) ? PASS_MISSING : PASS_OVER;
}

/* Of the page as it is; a booking does not fail for want of one. */
static bool doing_take_picture(struct doing *d)
{
	CLEANUP(call_freep) struct call *call = run_call(d->run);
	const struct step step = { .step = "picture" };
	struct run_step_result result;
	enum step_result r = run_take_step(d->run, call, &step, &d->variables, &result, d->end);

	return r == STEP_DONE ? keep_picture(d, result.picture) : r == STEP_MISSING;
}

static void end_unsent(struct doing *d, enum pass p)
{
	bool stuck = *d->unsent, swallowed = !stuck && p == PASS_ON;

	if (swallowed && (!doing_take_picture(d) || !read_complaints(d)))
		return;
	doing_decide(d, OUTCOME_UNSENT | (stuck ? OUTCOME_STUCK : 0) | (swallowed ? OUTCOME_SWALLOWED : 0));
}

/*
 * Whether the page's word for what came of it counts. While the site has not answered, it is only a page that has not got on,
 * and the site may yet do what it was sent.
 */
static bool is_settled(const struct doing *d)
{
	return d->verdict && d->answer.sent == SENT_ANSWERED && d->answer.status < SERVER_FAILS;
}

/* Sent: what stands in the list counts, whatever the page said; then what the page said, if the recipe knows it. */
static void confirm(struct doing *d, bool all_done)
{
	const char *title = run_recipe(d->run)->title;
	enum list_result r;

	if (*d->complaint)
		doing_note_answer(d, "%s says: \"%s\"", title, BRIEF(400, d->complaint));
	if (!doing_say(d, "info", "Reading your bookings to see whether it is there."))
		return;
	r = is_settled(d) ? doing_read_list(d, false) : read_patiently(d, all_done);
	end_by_list(d, r, is_settled(d));
}

/* However the site has answered, or whatever has ended the waiting: it is looked for from now on. False when the run is over. */
static bool end_waiting(struct doing *d, enum pass p)
{
	bool on = p != PASS_OVER && await_later_answers(d);
	enum job_result r = job_look_after(d->job, 0);

	return on && wrote(d, r);
}

static void take_steps(struct doing *d)
{
	enum pass p = PASS_ON;

	for (size_t i = 0; i < d->action->steps_count && p == PASS_ON; i++)
		p = doing_pass(d, i);
	if (d->sent && end_waiting(d, p))
		confirm(d, p == PASS_ON);
	else if (!d->sent && p != PASS_OVER)
		end_unsent(d, p);
}

void job_do(struct botd *b, struct job *job, struct run *run, struct listing *known, struct progress *progress, struct ending *end)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct recipe *recipe = run_recipe(run);
	struct doing d = { .botd = b, .job = job, .run = run, .action = recipe_action_find(recipe, job->action), .arena = arena,
		.known = known, .progress = progress, .end = end };
	char today[11];

	*end = (struct ending){ 0 };
	if (!d.action) {
		ending_set(end, ENDING_UNABLE, "The recipe of %s has no action \"%s\" any more.", recipe->title, job->action);
		return;
	}
	if (d.action->off) {
		ending_set(end, ENDING_UNABLE, "%s", action_off(arena, recipe, d.action));
		return;
	}
	job->answer_ms = d.action->answer_ms;
	job->look_ms = d.action->list.confirm_ms;
	today_at(recipe->environment.time_zone, wall_now(), today);
	d.variables = inputs_variables(arena, d.action, job->inputs, today, run_account(run));
	if (job->intended)
		look_for_sent(&d);
	else if (doing_look_before(&d))
		take_steps(&d);
	if (end->kind == ENDING_DOWN)
		end->place = d.place;
	if (end->kind == ENDING_DONE && strcmp(end->outcome, "booked") != 0)
		listing_forget(known); /* the page may be in any state */
}
