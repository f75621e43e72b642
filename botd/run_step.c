/* A run's steps, and what their ends mean for the job. */
#include <errno.h>
#include <string.h>

#include "botd/run_inside.h"
#include "botd/state.h"
#include "common/loop.h"
#include "recipe/template.h"

#define STEP_SPARE_MS 10000 /* beyond a step's own timeout */

static enum step_result run_step_broken(struct run *r, struct call *call, int e, struct ending *end)
{
	r->broken = true;
	run_refused(call, e, end);
	return STEP_OVER;
}

/* What became of a step. Where it was neither done nor is missing something the browser is of no more use. */
static enum step_result judge_step(struct run *r, const struct run_step_result *ret, struct ending *end)
{
	const char *reason = ret->reason ? ret->reason : "no reason was given";

	if (strcmp(ret->result, "done") == 0)
		return STEP_DONE;
	if (strcmp(ret->result, "missing") == 0)
		return STEP_MISSING;
	r->broken = true;
	if (strcmp(ret->result, "expired") == 0) {
		run_remark(r, "unproved", reason);
		ending_set(end, ENDING_EXPIRED, "%s", reason);
	} else if (strcmp(ret->result, "down") == 0) {
		run_remark(r, "site_down", reason);
		ending_set(end, ENDING_DOWN, "%s", reason);
		end->retry_ms = ret->retry_ms;
	} else {
		ending_set(end, ENDING_AGAIN, "The browser failed: %s", reason);
	}
	return STEP_OVER;
}

/* The step as streamd wants it, kept by call, which gets its deadline; NULL, and the ending is set. */
static json_t *fill_in(struct call *call, const struct step *step, const struct variables *v, struct ending *end)
{
	json_t *document;
	char why[1024];

	if (step_fill(step, v, &document, why, sizeof(why)) < 0) {
		ending_set(end, ENDING_UNABLE, "What was asked for does not fit the site's page: %s", why);
		return NULL;
	}
	call_keep(call, document);
	call->deadline = deadline_in(step_timeout_ms(step) + STEP_SPARE_MS);
	return document;
}

/* Of a page, where there is none: nothing is there. */
static enum step_result take_none(struct run_step_result *ret)
{
	*ret = (struct run_step_result){ .result = "missing", .reason = "there is no page", .picture = -1 };
	return STEP_MISSING;
}

static enum step_result take_on_page(struct run *r, struct call *call, const struct step *step, const struct variables *v,
	struct run_step_result *ret, struct ending *end)
{
	struct run_step_params params = { .run = r->id, .step = fill_in(call, step, v, end) };
	int e;

	if (!params.step)
		return STEP_OVER;
	e = call_run_step(call, r->botd->screen, &params, ret);
	return e < 0 ? run_step_broken(r, call, e, end) : judge_step(r, ret, end);
}

enum step_result run_take_step(struct run *r, struct call *call, const struct step *step, const struct variables *v,
	struct run_step_result *ret, struct ending *end)
{
	if (step_kind(step) == STEP_request)
		return request_take(r, call, step, v, ret, end);
	return r->pageless ? take_none(ret) : take_on_page(r, call, step, v, ret, end);
}

static enum step_result act_on_page(struct run *r, struct call *call, const struct step *step, const struct variables *v,
	struct run_step_result *ret, struct held *ret_held, struct ending *end)
{
	struct run_act_params params = { .run = r->id, .step = fill_in(call, step, v, end) };
	struct run_act_result result = { .picture = -1 };
	int e;

	r->act_requested = false;
	if (!params.step)
		return STEP_OVER;
	e = call_run_act(call, r->botd->screen, &params, &result);
	if (e < 0)
		return run_step_broken(r, call, e, end);
	*ret_held = (struct held){ .request = result.request ? result.request : "a request", .pressed = result.pressed,
		.cut = result.reason };
	if (strcmp(result.result, "held") == 0)
		return STEP_HELD;
	*ret = (struct run_step_result){ .result = result.result, .reason = result.reason, .text = result.text,
		.rows = result.rows, .rows_count = result.rows_count, .picture = result.picture,
		.retry_ms = result.retry_ms };
	return judge_step(r, ret, end);
}

enum step_result run_act_step(struct run *r, struct call *call, const struct step *step, const struct variables *v,
	struct run_step_result *ret, struct held *ret_held, struct ending *end)
{
	if (step_kind(step) == STEP_request && step->act)
		return request_hold(r, call, step, v, ret_held, end);
	if (step_kind(step) == STEP_request)
		return request_take(r, call, step, v, ret, end);
	return r->pageless ? take_none(ret) : act_on_page(r, call, step, v, ret, ret_held, end);
}

/* Whether a refusal says that nothing was done: there is no such run any more, or streamd is away or asked for something else. */
static bool is_undone(enum error_code code)
{
	return code == ERR_not_found || code == ERR_unavailable || code == ERR_busy;
}

static enum sent sent_of(const char *answer)
{
	if (strcmp(answer, "answered") == 0)
		return SENT_ANSWERED;
	if (strcmp(answer, "lost") == 0)
		return SENT_LOST;
	return strcmp(answer, "unsent") == 0 ? SENT_NOT : SENT_OPEN;
}

struct answer run_send_held(struct run *r, struct call *call, int64_t wait_ms, int64_t settle_ms, struct ending *end)
{
	struct run_send_params params = { .run = r->id, .wait_ms = wait_ms, .settle_ms = settle_ms };
	struct run_send_result result = { 0 };
	int e;

	if (r->act_requested)
		return request_send(r, wait_ms, end);
	call->deadline = deadline_in(wait_ms + settle_ms + STEP_SPARE_MS);
	e = call_run_send(call, r->botd->screen, &params, &result);
	if (e < 0) {
		run_step_broken(r, call, e, end);
		return (struct answer){ .sent = e == REFUSED && is_undone(call->refusal.code) ? SENT_NEVER : SENT_UNKNOWN };
	}
	return (struct answer){ sent_of(result.answer), (int)result.status, result.reads, result.reason };
}
