/* A run's requests: asked over HTTP with the session's cookies, and what their answers mean for the job. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "botd/run_inside.h"
#include "botd/state.h"
#include "common/cleanup.h"
#include "common/loop.h"
#include "common/words.h"
#include "recipe/pattern.h"
#include "recipe/pointer.h"
#include "recipe/template.h"

#define COOKIES_MS 10000

/* The step filled in, in an arena of its own, as long as its reply is of use. */
static const struct step *begin_reply(struct run *r, const struct step *step, const struct variables *v, struct ending *end)
{
	json_auto_t *document = NULL;
	struct step *filled;
	char why[1024];

	reply_end(&r->reply);
	r->reply.arena = arena_new_secret(0);
	r->reply.from = step;
	filled = arena_alloc(r->reply.arena, sizeof(*filled));
	if (step_fill(step, v, &document, why, sizeof(why)) < 0 ||
		step_parse(r->reply.arena, document, filled, why, sizeof(why)) < 0) {
		ending_set(end, ENDING_UNABLE, "What was asked for does not fit the site's requests: %s", why);
		return NULL;
	}
	r->reply.step = filled;
	return filled;
}

static enum step_result over(struct run *r)
{
	r->broken = true;
	return STEP_OVER;
}

/* Beside a browser its cookies are those of the session, and what the site sets goes back to it. */

static int swap_cookies(struct run *r, int set, struct ending *end)
{
	CLEANUP(call_freep) struct call *call = run_call(r);
	const struct run_cookies_params params = { .run = r->id, .set = set };
	struct run_cookies_result result;
	char why[HTTP_WHY];
	int e;

	call->deadline = deadline_in(COOKIES_MS);
	e = call_run_cookies(call, r->botd->screen, &params, &result);
	if (e < 0)
		return run_refused(call, e, end);
	r->direct = direct_free(r->direct);
	if (direct_new(r->botd, r->recipe, result.state, &r->direct, why) == 0)
		return 0;
	return ending_set(end, ENDING_AGAIN, "The cookies of the browser cannot be read: %s", why);
}

static int take_from_browser(struct run *r, struct ending *end)
{
	return r->pageless ? 0 : swap_cookies(r, -1, end);
}

static int give_to_browser(struct run *r, struct ending *end)
{
	int state = -1, e;

	if (r->pageless || !direct_changed(r->direct))
		return 0;
	if (direct_memfd(r->direct, &state) < 0)
		return ending_set(end, ENDING_AGAIN, "There is no memory for the cookies of %s.", r->recipe->title);
	e = swap_cookies(r, state, end);
	close(state);
	return e;
}

/* What no answer came to. */

static enum step_result judge_failure(struct run *r, int e, const char *why, struct ending *end)
{
	if (e == -ECANCELED)
		ending_set(end, ENDING_INTERRUPTED, "It was interrupted.");
	else if (e == -EACCES || e == -EINVAL)
		ending_set(end, ENDING_UNABLE, "%s", why);
	else if (e == -ELOOP || e == -EFBIG || e == -EPROTO)
		ending_set(end, ENDING_AGAIN, "%s", why);
	else
		ending_set(end, ENDING_DOWN, "%s", why);
	if (end->kind == ENDING_DOWN)
		run_remark(r, "site_down", why);
	return over(r);
}

/* Answers */

static enum step_result judge_out(struct run *r, const struct said *s, struct ending *end)
{
	char why[512];

	words_set(why, sizeof(why), "%s asks to sign in again: it answered %s with status %d%s.", r->recipe->title, s->url,
		s->answer.status, s->out ? ", and leads to its sign-in" : "");
	run_remark(r, "unproved", why);
	ending_set(end, ENDING_EXPIRED, "%s", why);
	return over(r);
}

static enum step_result judge_down(struct run *r, const struct said *s, struct ending *end)
{
	char why[512];

	words_set(why, sizeof(why), "%s is not well: it answered %s with status %d.", r->recipe->title, s->url, s->answer.status);
	run_remark(r, "site_down", why);
	ending_set(end, ENDING_DOWN, "%s", why);
	end->retry_ms = s->retry_ms;
	return over(r);
}

/* The recipe's word for it; NULL: it has none. */
static const char *meaning_of(const struct reply *reply, const struct said *s)
{
	for (size_t i = 0; i < reply->step->means_count; i++)
		if (answer_fits(reply->step->means[i].answer, &s->answer))
			return reply->from->means[i].outcome;
	return NULL;
}

static enum step_result missing(struct call *call, struct run_step_result *ret, const char *why)
{
	*ret = (struct run_step_result){ .result = "missing", .reason = arena_strdup(call->arena, why), .picture = -1 };
	return STEP_MISSING;
}

static void read_row(struct arena *arena, const struct step *step, json_t *element, struct run_row *ret)
{
	struct run_cell *cells = arena_array(arena, step->cells_count, sizeof(*cells));

	for (size_t i = 0; i < step->cells_count; i++)
		cells[i] = (struct run_cell){ .name = arena_strdup(arena, step->cells[i].name),
			.value = answer_value(arena, element, step->cells[i].pointer) };
	*ret = (struct run_row){ .cells = cells, .cells_count = step->cells_count };
}

/* One answer is one read: it has come whole, or it has not come. */
static enum step_result read_rows(struct call *call, const struct step *step, const struct said *s, struct run_step_result *ret)
{
	json_t *list = s->answer.json ? pointer_find(s->answer.json, step->rows) : NULL;
	size_t n = json_array_size(list);
	struct run_row *rows;

	if (!json_is_array(list))
		return missing(call, ret, words_new(call->arena, 400, "It answered with status %d, and there is no list at \"%s\".",
			s->answer.status, step->rows));
	rows = arena_array(call->arena, n + 1, sizeof(*rows));
	for (size_t i = 0; i < n; i++)
		read_row(call->arena, step, json_array_get(list, i), &rows[i]);
	*ret = (struct run_step_result){ .result = "done", .rows = rows, .rows_count = n, .picture = -1 };
	return STEP_DONE;
}

static bool is_picked(struct arena *arena, const struct step *step, json_t *element)
{
	for (size_t i = 0; i < step->pick_count; i++) {
		const char *pointer = NULL, *value;

		for (size_t j = 0; j < step->cells_count; j++)
			if (strcmp(step->cells[j].name, step->pick[i].cell) == 0)
				pointer = step->cells[j].pointer;
		value = answer_value(arena, element, pointer); /* pick names one of the cells */
		if (!value || !same_words(value, step->pick[i].is))
			return false;
	}
	return true;
}

/* What values are kept of: the whole answer, or the row that is meant. Borrowed; NULL: no row is. */
static json_t *find_kept(struct arena *arena, const struct step *step, const struct said *s)
{
	json_t *list = step->pick && s->answer.json ? pointer_find(s->answer.json, step->rows) : NULL;

	if (!step->pick)
		return s->answer.json;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (is_picked(arena, step, json_array_get(list, i)))
			return json_array_get(list, i);
	return NULL;
}

/* What is kept of it must be there. */
static const char *lacks_kept(struct arena *arena, const struct step *step, const struct said *s)
{
	json_t *of = find_kept(arena, step, s);

	if (step->pick && !of)
		return arena_printf(arena, "It answered with status %d, and no row of \"%s\" has %s \"%s\".", s->answer.status, step->rows,
			step->pick->cell, step->pick->is);
	for (size_t i = 0; i < step->keep_count; i++)
		if (!answer_value(arena, of, step->keep[i].pointer))
			return arena_printf(arena, "It answered with status %d, and there is nothing at %s.", s->answer.status, step->keep[i].pointer);
	return NULL;
}

static void note_reply(struct run *r, const struct step *step, struct said *s)
{
	const char *complaint = step->complaint ? answer_value(r->reply.arena, s->answer.json, step->complaint) : NULL;

	r->reply.json = json_incref(find_kept(r->reply.arena, step, s));
	words_set(r->reply.complaint, sizeof(r->reply.complaint), "%s", complaint ? complaint : "");
}

static bool is_word(const char *word, const char *wanted)
{
	return word && strcmp(word, wanted) == 0;
}

/* A step that only reads: what the recipe says first, then what HTTP says, then what must be there. */
static enum step_result judge_answer(struct run *r, struct call *call, const struct step *step, struct said *s,
	struct run_step_result *ret, struct ending *end)
{
	const char *word = meaning_of(&r->reply, s), *lacks;

	if (is_word(word, "signed_out") || (!word && (s->out || s->answer.status == 401)))
		return judge_out(r, s, end);
	if (is_word(word, "down") || (!word && said_is_down(s)))
		return judge_down(r, s, end);
	lacks = is_word(word, "done") ? NULL : answer_lacks(call->arena, step->must, step->must_count, &s->answer);
	if (word && !is_word(word, "done")) {
		r->reply.verdict = word;
		lacks = lacks ? lacks : arena_printf(call->arena, "It answered with status %d.", s->answer.status);
	}
	if (!lacks)
		lacks = lacks_kept(call->arena, step, s);
	if (lacks)
		return missing(call, ret, lacks);
	if (step->rows && !step->pick)
		return read_rows(call, step, s, ret);
	*ret = (struct run_step_result){ .result = "done", .picture = -1 };
	return STEP_DONE;
}

enum step_result request_take(struct run *r, struct call *call, const struct step *step, const struct variables *v,
	struct run_step_result *ret, struct ending *end)
{
	const struct step *filled = begin_reply(r, step, v, end);
	CLEANUP(said_end) struct said s = { 0 };
	enum step_result result;
	char why[HTTP_WHY];
	int e;

	if (!filled)
		return STEP_OVER;
	if (take_from_browser(r, end) < 0)
		return over(r);
	e = direct_ask(r->direct, filled, deadline_in(step_timeout_ms(filled)), r->reply.arena, &s, why);
	if (e < 0)
		return judge_failure(r, e, why, end);
	result = judge_answer(r, call, filled, &s, ret, end);
	note_reply(r, filled, &s);
	return result == STEP_OVER || give_to_browser(r, end) == 0 ? result : over(r);
}

/* The act */

enum step_result request_hold(struct run *r, struct call *call, const struct step *step, const struct variables *v,
	struct held *ret_held, struct ending *end)
{
	const struct step *filled = begin_reply(r, step, v, end);
	char why[HTTP_WHY];
	int e;

	if (!filled)
		return STEP_OVER;
	r->act_requested = true;
	if (take_from_browser(r, end) < 0)
		return over(r);
	e = direct_hold(r->direct, filled, deadline_in(step_timeout_ms(filled)), why);
	if (e < 0)
		return judge_failure(r, e, why, end);
	*ret_held = (struct held){ .request = arena_printf(call->arena, "%s %s", filled->method, filled->url), .pressed = true };
	return STEP_HELD;
}

/* What has become of what was let go, once no answer has come. */
static struct answer unanswered(struct run *r, int e, bool gone, const char *why)
{
	r->broken = true;
	return (struct answer){ .sent = !gone ? SENT_NOT : e == -ETIMEDOUT ? SENT_OPEN : SENT_LOST,
		.why = arena_strdup(r->reply.arena, why) };
}

/* An act's answer is no reason to send it again, whatever it says: that nobody is signed in is noticed when the list is read. */
static struct answer answered(struct run *r, struct said *s)
{
	const struct step *step = r->reply.step;
	const char *word = meaning_of(&r->reply, s);
	struct answer a = { .sent = SENT_ANSWERED, .status = s->answer.status };

	if (word && !is_word(word, "signed_out") && !is_word(word, "down") && !is_word(word, "done"))
		r->reply.verdict = word;
	if (!word)
		a.why = answer_lacks(r->reply.arena, step->must, step->must_count, &s->answer);
	note_reply(r, step, s);
	return a;
}

struct answer request_send(struct run *r, int64_t wait_ms, struct ending *end)
{
	CLEANUP(said_end) struct said s = { 0 };
	struct ending lost = { 0 };
	char why[HTTP_WHY] = "";
	int e;

	if (!direct_holds(r->direct))
		return r->answer; /* no other comes any more */
	e = direct_let_go(r->direct, deadline_in(wait_ms), r->reply.arena, &s, why);
	if (e == -ECANCELED)
		ending_set(end, ENDING_INTERRUPTED, "It was interrupted.");
	if (e == -ECANCELED)
		return (struct answer){ .sent = s.gone ? SENT_UNKNOWN : SENT_NEVER };
	r->answer = e < 0 ? unanswered(r, e, s.gone, why) : answered(r, &s);
	if (e == 0 && give_to_browser(r, &lost) < 0)
		r->broken = true; /* the list is read by another run then */
	return r->answer;
}
