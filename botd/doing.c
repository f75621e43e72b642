#include "botd/doing.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "botd/today.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "common/memfd.h"
#include "recipe/input.h"
#include "recipe/pattern.h"

#define PICTURE_MOST  8388608
#define COMPLAINT_MS  100 /* what a page says about a failure is there by the time the step has given up */
#define LIST_PAUSE_MS 700 /* between two looks at a list that may be late */

struct doing {
	struct job *job;
	struct run *run;
	const struct recipe_action *action;
	struct variables variables;
	struct arena *arena;
	struct listing *known;
	struct progress *progress;
	struct ending *end;
	bool sent;           /* the act was carried out, or nobody knows */
	char complaint[512]; /* what the page said about what did not work; "" if nothing */
	const char *verdict; /* the outcome that the recipe makes of it, or of the step; NULL if none */
	char missing[700];   /* which step found nothing, and why: for the log, it may name parts of the page */
	char undone[300];    /* what that step wanted to do, in words for the person */
};

static bool lost(struct doing *d)
{
	ending_set(d->end, ENDING_LOST, "The lease on this booking was lost.");
	return false;
}

/* Most functions here return whether to go on; if not, the ending is set. */
static bool say(struct doing *d, const char *level, const char *text)
{
	return job_line(d->job, level, "%s", text) == 0 || lost(d);
}

static enum step_result take(struct doing *d, const struct step *step, struct call *call, struct run_step_result *ret)
{
	enum step_result r;

	snprintf(d->progress->words, sizeof(d->progress->words), "%s", step_words(d->arena, step, &d->variables));
	d->progress->told = false;
	d->progress->since = loop_now();
	r = run_take_step(d->run, call, step, &d->variables, ret, d->end);
	d->progress->since = 0;
	return r;
}

/* Without the full stop that a reason may end in, for it stands within sentences. */
static void note_missing(struct doing *d, const struct run_step_result *result)
{
	size_t n;

	snprintf(d->undone, sizeof(d->undone), "%s", d->progress->words);
	snprintf(d->missing, sizeof(d->missing), "%s: %s", d->progress->words,
		result->reason ? result->reason : "not there");
	n = strlen(d->missing);
	if (d->missing[n - 1] == '.')
		d->missing[n - 1] = '\0';
}

static bool log_missing(struct doing *d)
{
	char line[800];

	snprintf(line, sizeof(line), "It did not work: %s.", d->missing);
	return say(d, "warning", line);
}

/* The site's own list */

enum list_result { LIST_READ, LIST_MISSING, LIST_OVER };

/* LIST_OVER: the ending is set. */
static enum list_result read_rows(struct doing *d, const struct step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		CLEANUP(call_freep) struct call *call = run_call(d->run);
		struct run_step_result result;
		enum step_result r = take(d, &steps[i], call, &result);

		if (r == STEP_MISSING && steps[i].optional && i + 1 < n)
			continue;
		if (r == STEP_MISSING) {
			note_missing(d, &result);
			return LIST_MISSING;
		}
		if (r != STEP_DONE)
			return LIST_OVER;
		if (i + 1 == n)
			listing_keep(d->known, d->action, TAKE(call), &result);
	}
	return LIST_READ;
}

/* quick: from the page where the act ended, if the recipe knows how. What cannot be read is tried again later. */
static bool read_list(struct doing *d, bool quick)
{
	const struct recipe_own_list *list = &d->action->list;
	enum list_result r = LIST_MISSING;

	listing_forget(d->known);
	if (quick && list->again)
		r = read_rows(d, list->again, list->again_count);
	if (r == LIST_MISSING)
		r = read_rows(d, list->steps, list->steps_count);
	if (r == LIST_MISSING && log_missing(d))
		ending_set(d->end, ENDING_AGAIN, "The list of your bookings could not be read: Stead could not %s.", d->undone);
	return r == LIST_READ;
}

static bool listed(struct doing *d)
{
	return listing_has(d->known, d->action, &d->variables);
}

/* Looks again and again until the booking is there or patience has ended. */
static bool read_patiently(struct doing *d, bool quick)
{
	int64_t until = deadline_in(d->action->list.patience_ms);

	while (read_list(d, quick)) {
		if (listed(d) || loop_now() + LIST_PAUSE_MS >= until)
			return true;
		if (fiber_sleep_until(deadline_in(LIST_PAUSE_MS)) < 0)
			return lost(d);
	}
	return false;
}

/* What an earlier attempt may have sent is found here; it gets time to appear. */
static bool look_before(struct doing *d)
{
	const char *title = run_recipe(d->run)->title;

	if (d->job->intended) {
		if (!say(d, "info", "An earlier attempt was cut short after it may have been sent; your bookings are read first."))
			return false;
		if (!read_patiently(d, false))
			return false;
		if (listed(d))
			ending_done(d->end, "booked", "%s lists it among your bookings; nothing was sent again.", title);
		return !listed(d) && say(d, "info", "It is not among your bookings, so it is tried again.");
	}
	if (listing_known(d->known, d->action)) {
		if (!say(d, "info", "Your bookings have just been read."))
			return false;
	} else if (!say(d, "info", "Reading your bookings first.") || !read_list(d, false)) {
		return false;
	}
	if (listed(d))
		ending_done(d->end, "already_booked", "%s lists it among your bookings already; nothing was sent.", title);
	return !listed(d);
}

/* What did not work */

static bool keep_picture(struct doing *d, int fd)
{
	CLEANUP(memfd_unmap) struct memfd_view view = { 0 };

	if (fd < 0 || memfd_map(fd, PICTURE_MOST, &view) < 0)
		return true; /* a booking does not fail for want of a picture */
	return job_picture(d->job, view.data, view.size) == 0 || lost(d);
}

static void judge(struct doing *d)
{
	for (size_t i = 0; i < d->action->outcomes_count && !d->verdict; i++) {
		if (glob_find(d->action->outcomes[i].text, d->complaint))
			d->verdict = d->action->outcomes[i].outcome;
	}
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
		snprintf(d->complaint, sizeof(d->complaint), "%s", result.text);
		judge(d);
		return true;
	}
	return true;
}

/* A step found nothing: what the page says, and a picture of it. */
static bool explain(struct doing *d, const struct step *step, const struct run_step_result *result)
{
	char line[600];

	note_missing(d, result);
	if (!keep_picture(d, result->picture))
		return false;
	if (!read_complaints(d))
		return d->sent; /* the list still tells what has come of it */
	if (!d->verdict && step->otherwise)
		d->verdict = step->otherwise;
	snprintf(line, sizeof(line), "The site says: \"%s\"", d->complaint);
	return log_missing(d) && (!*d->complaint || say(d, "warning", line));
}

/* The steps */

enum pass { PASS_ON, PASS_MISSING, PASS_OVER };

static bool announce(struct doing *d, size_t i)
{
	const struct step *step = &d->action->steps[i];

	if (step->act && job_intend(d->job) < 0)
		return lost(d);
	return job_line(d->job, "info", "Step %zu of %zu: %s.", i + 1, d->action->steps_count,
		       step_words(d->arena, step, &d->variables)) == 0 || lost(d);
}

/* PASS_MISSING has been explained. A browser that dies with the act is judged by the list, in another attempt. */
static enum pass pass(struct doing *d, size_t i)
{
	CLEANUP(call_freep) struct call *call = NULL;
	const struct step *step = &d->action->steps[i];
	struct run_step_result result;
	enum step_result r;

	if (!announce(d, i))
		return PASS_OVER;
	d->sent |= step->act;
	call = run_call(d->run);
	r = take(d, step, call, &result);
	if (r == STEP_DONE)
		return PASS_ON;
	if (r != STEP_MISSING)
		return PASS_OVER;
	if (step->optional)
		return PASS_ON;
	if (step->act)
		d->sent = false; /* it could not even be pressed */
	return explain(d, step, &result) ? PASS_MISSING : PASS_OVER;
}

static void end_unsent(struct doing *d)
{
	if (*d->complaint)
		ending_done(d->end, d->verdict ? d->verdict : "failed", "%s says: \"%s\"", run_recipe(d->run)->title,
			d->complaint);
	else
		ending_done(d->end, d->verdict ? d->verdict : "failed",
			"Stead could not %s at %s. Perhaps there is no such thing there: look at the picture. If there is, show the "
			"log to the administrator, for the site may have changed.",
			d->undone, run_recipe(d->run)->title);
}

/* Sent: what stands in the list counts, whatever the page said. */
static void confirm(struct doing *d, bool all_done)
{
	const char *title = run_recipe(d->run)->title;

	if (!say(d, "info", "Reading your bookings to see whether it is there."))
		return;
	if (d->verdict ? !read_list(d, false) : !read_patiently(d, all_done))
		return;
	if (listed(d))
		ending_done(d->end, "booked", "%s lists it among your bookings.", title);
	else if (d->verdict && *d->complaint)
		ending_done(d->end, d->verdict, "%s says: \"%s\"", title, d->complaint);
	else if (d->verdict)
		ending_done(d->end, d->verdict, "It was sent; then Stead could not %s at %s.", d->undone, title);
	else if (*d->complaint)
		ending_done(d->end, "unconfirmed", "It was sent, but is not among your bookings; %s says: \"%s\"", title,
			d->complaint);
	else
		ending_done(d->end, "unconfirmed", "It was sent, and %s did not refuse it, but it is not among your bookings.",
			title);
}

static void take_steps(struct doing *d)
{
	enum pass p = PASS_ON;

	for (size_t i = 0; i < d->action->steps_count && p == PASS_ON; i++)
		p = pass(d, i);
	if (p == PASS_OVER)
		return;
	if (d->sent)
		confirm(d, p == PASS_ON);
	else
		end_unsent(d);
}

void job_do(struct job *job, struct run *run, struct listing *known, struct progress *progress, struct ending *end)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct recipe *recipe = run_recipe(run);
	struct doing d = { .job = job, .run = run, .action = recipe_action_find(recipe, job->action), .arena = arena,
		.known = known, .progress = progress, .end = end };
	char today[11];

	*end = (struct ending){ 0 };
	if (!d.action) {
		ending_done(end, "failed", "The recipe of %s has no action \"%s\" any more.", recipe->title, job->action);
		return;
	}
	today_at(recipe->environment.time_zone, wall_now(), today);
	d.variables = inputs_variables(arena, d.action, job->inputs, today, run_account(run));
	if (look_before(&d))
		take_steps(&d);
	if (end->kind == ENDING_DONE && strcmp(end->outcome, "booked") != 0)
		listing_forget(known); /* the page may be in any state */
}
