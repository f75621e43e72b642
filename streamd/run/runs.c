#include "streamd/run/runs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"
#include "state/state.h"
#include "streamd/run/runs_inside.h"
#include "streamd/screen/screen.h"

#define ORPHAN_S 20    /* one whose opening was given up waits this long for its run_close */
#define HANDED_S 330   /* longer than its caller has it offered to a vault that is away (SAVE_MS of botd) */
#define HANDED_STOP_S 3 /* the same while streamd stops: as long as a save takes */
#define MOST_LISTED 256  /* the setting most_runs at its most; proto/streamd.def has it, too */

struct runs *runs_new(struct streamd *d)
{
	struct runs *r = must(calloc(1, sizeof(*r)));

	r->daemon = d;
	TAILQ_INIT(&r->list);
	LIST_INIT(&r->visits);
	return r;
}

void run_visit_begin(struct runs *runs, struct visit *v)
{
	v->fiber = fiber_self();
	LIST_INSERT_HEAD(&runs->visits, v, link);
}

void run_visit_end(struct runs *runs, struct visit *v)
{
	LIST_REMOVE(v, link);
	if (LIST_EMPTY(&runs->visits) && TAILQ_EMPTY(&runs->list))
		latch_wake(&runs->emptied, 0);
}

size_t runs_count(const struct runs *r)
{
	const struct run *run;
	size_t n = 0;

	if (r)
		TAILQ_FOREACH (run, &r->list, link)
			n++;
	return n;
}

void run_close_browser(struct run *run)
{
	run->browser = browser_close(run->browser);
	screen_end(run->screen, "This browser is closed.");
}

void run_free(struct run *run)
{
	run->ending = true; /* whoever comes while the browser ends waits for that */
	run_close_browser(run);
	screen_free(run->screen);
	TAILQ_REMOVE(&run->runs->list, run, link);
	latch_wake(&run->gone, 0);
	closep(&run->handed);
	state_free(run->state);
	recipe_unref(run->recipe);
	event_free(run->idle);
	free(run);
}

int run_await_gone(struct run *run, int64_t deadline)
{
	int r;

	run->awaited_by++;
	r = latch_wait(&run->gone, deadline);
	if (r < 0)
		run->awaited_by--; /* else it has gone */
	return r;
}

void run_arm_idle(struct run *run)
{
	int64_t handed_s = run->runs->stopping ? HANDED_STOP_S : HANDED_S;

	loop_arm(run->idle, 1000 * (run->handed >= 0 ? handed_s : run->opened ? run->runs->daemon->settings.run_idle_s : ORPHAN_S));
}

static void on_runs_host_refused(void *owner, const char *host)
{
	struct run *run = owner;

	words_add(run->refused, sizeof(run->refused), "%sThe recipe does not allow %s, which the page wanted.",
		*run->refused ? " " : "", host);
}

static const struct screen_owner screen_owner = { .host_refused = on_runs_host_refused };

struct run *run_new(struct runs *runs, int64_t user, const struct run_open_params *params, const struct recipe *recipe,
	struct state *state, event_callback_fn on_idle)
{
	struct run *run = must(calloc(1, sizeof(*run)));

	run->runs = runs;
	run->user = user;
	run->opened_at_ms = wall_now();
	run->recipe = recipe_ref(recipe);
	run->screen = screen_new(run->recipe, (int)runs->daemon->settings.quality, &screen_owner, run);
	run->screen->unattended = true;
	run->state = state;
	run->handed = -1;
	run->session = params->session;
	run->version = params->version;
	run->idle = loop_timer(on_idle, run);
	exact_must(run->id, sizeof(run->id), "%s", params->run);
	exact_must(run->account, sizeof(run->account), "%s", params->account);
	TAILQ_INSERT_TAIL(&runs->list, run, link);
	return run;
}

/* Appends what the page's dialogs said and which hosts were refused, and forgets both. */
const char *run_with_events(struct run *run, struct arena *arena, const char *reason)
{
	const char *refused = reason ? run->refused : "", *said = run->screen->said;
	const char *all = words_new(arena, RUN_MOST_REASON, "%s%s%s%s%s", reason ?: "", *refused ? " " : "", refused,
		reason && *said ? " " : "", said);

	run->screen->said[0] = '\0';
	run->refused[0] = '\0';
	return *all ? all : NULL;
}

/* Whoever worked on it does so no more. One that is being ended is not touched any more. */
void run_leave(struct run *run)
{
	run->visitor = NULL;
	latch_wake(&run->left, 0);
	if (!run->ending)
		run_arm_idle(run);
}

void run_hand_out(struct run *run, int state)
{
	run->handed = fcntl(state, F_DUPFD_CLOEXEC, 0);
	run->opened = false;
	run_close_browser(run);
}

struct run *run_named(struct runs *runs, int64_t user, const char *id)
{
	struct run *run;

	TAILQ_FOREACH (run, &runs->list, link)
		if (run->user == user && strcmp(run->id, id) == 0)
			return run;
	return NULL;
}

struct run *run_find(struct call *call, const char *id)
{
	struct streamd *d = call->daemon;
	struct run *run = d->runs ? run_named(d->runs, call->acting.user, id) : NULL;

	if (!run)
		call_refuse(call, ERR_not_found, "run",
			"There is no such run; one that gets no step for %lld s is ended. Open another.",
			(long long)d->settings.run_idle_s);
	return run;
}

void run_answer_step(struct run *run, struct call *call, const struct step_result *from, struct run_step_result *to)
{
	const char *events = run_with_events(run, call->arena, from->reason);

	to->result = step_end_word(from->end);
	to->reason = from->end == STEP_END_DONE ? NULL : events;
	to->text = from->text || from->end != STEP_END_DONE ? from->text : events;
	to->rows = from->rows;
	to->rows_count = from->row_count;
	to->retry_ms = from->retry_ms;
	to->picture = from->picture;
	if (from->end == STEP_END_EXPIRED)
		run->expired = true;
}

/* The first step often opens the very page that the probe has just opened. */
static bool is_there_already(struct run *run, const struct step *step)
{
	const struct target *page = browser_front(run->browser);
	bool untouched = run->untouched;

	run->untouched = false;
	return untouched && page && !page->loading && !browser_ended(run->browser) && step_kind(step) == STEP_open &&
		strcmp(step->url, run->recipe->probe.url) == 0;
}

static int runs_carry_out(struct run *run, struct call *call, const struct step *step, struct step_result *ret)
{
	if (!is_there_already(run, step))
		return run_step_carry_out(run->browser, run->screen, run->recipe, step, call->arena, ret);
	*ret = (struct step_result){ .end = STEP_END_DONE, .picture = -1,
		.text = arena_strdup(call->arena, url_shown(browser_front(run->browser)->url)) };
	return 0;
}

int run_read_step(struct call *call, json_t *document, struct step *ret)
{
	char why[512];

	if (step_parse(call->arena, document, ret, why, sizeof(why)) < 0)
		return call_refuse(call, ERR_invalid, "step", "%s", why);
	return 0;
}

/* Of whoever wants to work on it. */
static int check_free(struct call *call, const struct run *run)
{
	if (run->ending)
		return call_refuse(call, ERR_not_found, "run", "This run is being ended. Open another.");
	if (run->visitor || !run->opened)
		return call_refuse(call, ERR_busy, "run", "A step of this run is still under way; wait for its answer.");
	return 0;
}

struct run *run_begin_work(struct call *call, const char *id, struct visit *v)
{
	struct run *run = run_find(call, id);

	if (!run || check_free(call, run) < 0)
		return NULL;
	event_del(run->idle);
	run->visitor = fiber_self();
	run_visit_begin(run->runs, v);
	return run;
}

int run_end_work(struct run *run, struct call *call, struct visit *v, bool sends, int r)
{
	if (r == -ECANCELED && run->ending)
		r = call_refuse(call, sends ? ERR_maybe_done : ERR_unavailable, NULL, "The browser was ended in the middle of this.");
	run_visit_end(run->runs, v);
	run_leave(run);
	return r;
}

int run_step(struct call *call, const struct run_step_params *params, struct run_step_result *result)
{
	struct step_result done;
	struct step step;
	struct visit v;
	int r = run_read_step(call, params->step, &step);
	struct run *run = r == 0 ? run_begin_work(call, params->run, &v) : NULL;

	result->picture = -1;
	if (!run)
		return REFUSED;
	r = runs_carry_out(run, call, &step, &done);
	if (r == 0)
		run_answer_step(run, call, &done, result);
	return run_end_work(run, call, &v, false, r);
}

int run_list(struct call *call, const struct run_list_params *, struct run_list_result *result)
{
	struct streamd *d = call->daemon;
	const struct run *run;

	if (!d->runs)
		return 0;
	result->runs = arena_array(call->arena, MOST_LISTED, sizeof(*result->runs));
	TAILQ_FOREACH_REVERSE (run, &d->runs->list, run_list, link)
		if (result->runs_count < MOST_LISTED)
			result->runs[result->runs_count++] = (struct run_info){ .run = run->id,
				.site = run->recipe->name,
				.user = run->user,
				.opened_at_ms = run->opened_at_ms,
				.viewers = (int64_t)viewers_count(&run->screen->viewers) };
	return 0;
}
