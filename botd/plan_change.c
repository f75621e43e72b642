/* What a person does with plans: makes, changes, pauses, skips and forgets them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "botd/plan.h"
#include "botd/plan_due.h"
#include "botd/relative.h"
#include "botd/schedule.h"
#include "botd/state.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "common/words.h"
#include "recipe/date.h"

#define TRIES      8
#define PAUSE_MS   150
#define MOST_TITLE 256
#define MOST_SKIPS 100

/* A plan as it is wished for, checked. */
struct wish {
	struct call *call;
	struct order order;
	struct plan_schedule schedule;
	const json_t *inputs;
	const char *zone;
	const char *text, *title; /* its inputs, and it, in words */
};

/* The action, and of the inputs what the recipe would not have put there by itself; a day is each run's own. */
static const char *repeated_title(const struct wish *w)
{
	const struct recipe_action *a = w->order.action;
	const char *all = "";

	for (size_t i = 0; i < a->inputs_count; i++) {
		const struct recipe_input *in = &a->inputs[i];
		const char *value = json_string_value(json_object_get(w->inputs, in->name));
		if (value && *value && strcmp(in->type, "date") != 0 && (!in->value || strcmp(in->value, value) != 0))
			all = arena_printf(w->call->arena, "%s%s%s", all, *all ? ", " : ": ", value);
	}
	return words_new(w->call->arena, MOST_TITLE, "%s%s", a->title, all);
}

static int wish_describe(struct wish *w)
{
	CLEANUP(freep) char *text = json_dumps(w->inputs, JSON_COMPACT);

	if (!text)
		return -EINVAL;
	w->text = arena_strdup(w->call->arena, text);
	w->title = schedule_once(&w->schedule) ? w->order.title : repeated_title(w);
	return 0;
}

/* By the day of the first run, as it will be checked on that day. */
static int check_inputs(struct wish *w)
{
	const char *fixed = schedule_once(&w->schedule) ? NULL : relative_fixed(w->order.action, w->inputs);
	struct plan_run *runs;
	size_t n;
	json_t *given;
	int r = plan_runs_ahead(w->call, &w->schedule, w->zone, &runs, &n);

	if (r == 0 && fixed)
		r = call_refuse(w->call, ERR_invalid, "inputs",
			"%s: a plan that repeats would ask for the same day again and again; give it by the run's, such as +14 for two weeks later.", fixed);
	if (r < 0)
		return r;
	given = relative_fill(w->order.action, w->inputs, runs[0].day);
	call_keep(w->call, given);
	w->order.given = given;
	r = order_check(&w->order, runs[0].day);
	return r == 0 ? wish_describe(w) : r;
}

static int wish_check(struct wish *w, const struct plan_schedule *schedule)
{
	int r = order_find(&w->order);
	char today[11];

	if (r < 0)
		return r;
	order_today(&w->order, today);
	w->zone = arena_strdup(w->call->arena, w->order.recipe->environment.time_zone ?: "UTC");
	r = schedule_check(w->call, schedule, today, &w->schedule);
	return r == 0 ? check_inputs(w) : r;
}

/* Making one */

static int insert_plan(struct wish *w, const char *key)
{
	struct arena *arena = w->call->arena;

	return db_query(botd_of(w->call)->db, DB_USER(w->call->acting.user), botd_deadline(w->call), NULL,
		"INSERT INTO jobs.plans (user_id, key, site, action, title, inputs, time_zone, days, times, first_day, last_day, missed, next_at) "
		"SELECT $1, $2, $3, $4, $5, $6::json, p.time_zone, p.days, p.times, p.first_day, p.last_day, $12, "
		"(SELECT i.at FROM " PLAN_INSTANTS("now()", "1") " i) FROM (SELECT $7::text AS time_zone, $8::smallint[] AS days, $9::time[] AS times, "
		"$10::date AS first_day, $11::date AS last_day) p WHERE (SELECT count(*) FROM (SELECT FROM jobs.plans WHERE user_id = $1 LIMIT $13) c) < $13 "
		"ON CONFLICT ON CONSTRAINT plans_key DO NOTHING",
		DB_INT(w->call->acting.user), DB_TEXT(key), DB_TEXT(w->order.site), DB_TEXT(w->order.action_name),
		DB_TEXT(w->title), DB_TEXT(w->text), DB_TEXT(w->zone), DB_TEXT(schedule_days(arena, &w->schedule)),
		DB_TEXT(schedule_times(arena, &w->schedule)), DB_TEXT(w->schedule.first), DB_TEXT(w->schedule.last),
		DB_TEXT(w->schedule.missed), DB_INT(botd_of(w->call)->settings->most_plans));
}

static int find_by_key(struct wish *w, const char *key, struct plan_info **ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int64_t most = botd_of(w->call)->settings->most_plans;
	int r = db_read(botd_of(w->call)->db, DB_USER(w->call->acting.user), botd_deadline(w->call), &res,
		"SELECT " PLAN_COLUMNS " FROM " PLAN_TABLES " WHERE p.user_id = $1 AND p.key = $2", DB_INT(w->call->acting.user), DB_TEXT(key));

	if (r < 0)
		return r;
	if (!db_next(res))
		return call_refuse(w->call, ERR_busy, NULL, "You have %lld plans, which is as many as there may be; delete one that you need no more.",
			(long long)most);
	*ret = arena_alloc(w->call->arena, sizeof(**ret));
	plan_read(w->call, res, *ret);
	return 0;
}

/* The key makes a repeated request harmless, so whatever may have failed is done again while there is time. */
static int keep_plan(struct wish *w, const char *key, struct plan_info **ret)
{
	int64_t deadline = botd_deadline(w->call);
	bool perhaps = false;
	int r = -ENOTCONN;

	for (int i = 0; i < TRIES && loop_now() < deadline; i++) {
		r = insert_plan(w, key);
		perhaps |= r == 0 || r == -EINPROGRESS;
		if (r == 0)
			r = find_by_key(w, key, ret);
		if (r != -EINPROGRESS && r != -ENOTCONN && r != -EDEADLK)
			break;
		if (fiber_sleep_until(deadline_in(PAUSE_MS)) < 0)
			return -ECANCELED;
	}
	if (r == 0 || r == REFUSED || r == -ECANCELED || !perhaps)
		return r;
	return call_refuse(w->call, ERR_maybe_done, NULL,
		"The database was lost while the plan was being kept, so it is not known whether it was; repeat the same request with the same key.");
}

static int check_same(struct wish *w, const char *key, const struct plan_info *p)
{
	if (strcmp(p->site, w->order.site) == 0 && strcmp(p->action, w->order.action_name) == 0 &&
		json_equal(p->inputs, w->inputs) && strcmp(p->when, schedule_words(w->call->arena, &w->schedule)) == 0)
		return 0;
	return call_refuse(w->call, ERR_already, "key",
		"The key \"%s\" names another plan of yours already (%s); take a new key for a new plan.", key, p->title);
}

int plan_create(struct call *call, const struct plan_create_params *params, struct plan_create_result *result)
{
	struct wish w = { .call = call, .order = { .call = call, .site = params->site, .action_name = params->action },
		.inputs = params->inputs };
	int r = wish_check(&w, params->schedule);

	if (r == 0)
		r = keep_plan(&w, params->key, &result->plan);
	if (r == 0)
		r = check_same(&w, params->key, result->plan);
	order_end(&w.order);
	return r;
}

/* Changing one */

/* What has come due before it was changed is dealt with as the plan was then. */
#define UNDUE "(p.next_at IS NULL OR p.next_at > now())"

static int write_change(struct wish *w, struct db_who who, int64_t id, bool *ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	struct arena *arena = w->call->arena;
	int r = db_query(botd_of(w->call)->db, who, botd_deadline(w->call), &res,
		"UPDATE jobs.plans p SET title = $2, inputs = $3::json, days = n.days, times = n.times, first_day = n.first_day, last_day = n.last_day, "
		"missed = $8, time_zone = $9, "
		"next_at = (SELECT i.at FROM jobs.plan_instants(n.days, n.times, n.first_day, n.last_day, $9, now(), 1) i) "
		"FROM (SELECT $4::smallint[] AS days, $5::time[] AS times, $6::date AS first_day, $7::date AS last_day) n WHERE p.id = $1 AND " UNDUE,
		DB_INT(id), DB_TEXT(w->title), DB_TEXT(w->text), DB_TEXT(schedule_days(arena, &w->schedule)),
		DB_TEXT(schedule_times(arena, &w->schedule)), DB_TEXT(w->schedule.first), DB_TEXT(w->schedule.last),
		DB_TEXT(w->schedule.missed), DB_TEXT(w->zone));

	if (r == 0)
		*ret = db_changed(res) == 1;
	return r;
}

static int keep_change(struct wish *w, struct db_who who, int64_t id)
{
	bool done = false;
	int r = write_change(w, who, id, &done);

	for (int i = 0; r == 0 && !done && i < TRIES; i++) {
		r = plan_due(botd_of(w->call), who.user, id);
		if (r == 0)
			r = write_change(w, who, id, &done);
		if (r == 0 && !done && fiber_sleep_until(deadline_in(PAUSE_MS)) < 0)
			r = -ECANCELED;
	}
	return r < 0 || done ? r : call_refuse(w->call, ERR_conflict, "id", "A run of plan %lld is just being seen to; try again in a moment.",
		(long long)id);
}

/* Once it was changed, a database that is lost before it is read has not done nothing. */
static int find_changed(struct call *call, struct db_who who, int64_t id, bool made, struct plan_info **ret)
{
	int r = plan_find(call, who, id, ret);

	if (r >= 0 || r == REFUSED || r == -ECANCELED || !made)
		return r;
	return call_refuse(call, ERR_maybe_done, NULL,
		"The database was lost just as plan %lld had been changed; look at it before you repeat this.", (long long)id);
}

int plan_change(struct call *call, const struct plan_change_params *params, struct plan_change_result *result)
{
	struct db_who who = DB_USER(call->acting.user);
	struct plan_info *old;
	struct wish w = { .call = call, .order = { .call = call } };
	int r = plan_find(call, who, params->id, &old);

	if (r < 0)
		return r;
	w.order.site = old->site;
	w.order.action_name = old->action;
	w.inputs = params->inputs ?: old->inputs;
	r = wish_check(&w, params->schedule ?: old->schedule);
	if (r == 0)
		r = keep_change(&w, who, params->id);
	if (r == 0)
		r = find_changed(call, who, params->id, true, &result->plan);
	order_end(&w.order);
	return r;
}

/* A change of one row as whoever's it is, then the plan as it is. 0 when it was made, 1 when not. */
#define plan_set(call_, id_, ret_, sql_, ...) plan_set_row(call_, id_, ret_, sql_, DB_ARGS(__VA_ARGS__), DB_COUNT(__VA_ARGS__))

static int plan_set_row(struct call *call, int64_t id, struct plan_info **ret, const char *sql, const struct db_arg *args, size_t n)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	struct db_who who;
	bool made;
	int r = plan_owner(call, id, &who);

	if (r == 0)
		r = db_run(botd_of(call)->db, who, botd_deadline(call), false, &res, sql, args, n);
	if (r < 0)
		return r;
	made = db_changed(res) == 1;
	r = find_changed(call, who, id, made, ret);
	return r < 0 ? r : !made;
}

static int check_until(struct call *call, const char *until)
{
	struct tm tm;

	return !until || date_parse(until, &tm) == 0 ? 0 :
		call_refuse(call, ERR_invalid, "until", "\"%s\" is no day of the calendar; write it as 2025-11-20.", until);
}

int plan_pause(struct call *call, const struct plan_pause_params *params, struct plan_pause_result *result)
{
	int r = check_until(call, params->until);

	if (r == 0)
		r = plan_set(call, params->id, &result->plan,
			"UPDATE jobs.plans p SET paused_until = coalesce($2::date::timestamp AT TIME ZONE p.time_zone, 'infinity') WHERE p.id = $1 "
			"AND coalesce($2::date::timestamp AT TIME ZONE p.time_zone, 'infinity') > now()", DB_INT(params->id), DB_TEXT(params->until));
	return r <= 0 ? r : call_refuse(call, ERR_invalid, "until", "%s is not to come; give a later day, or none.", params->until);
}

/* Instants before that nobody has seen to yet were in the pause. */
int plan_resume(struct call *call, const struct plan_resume_params *params, struct plan_resume_result *result)
{
	int r = plan_set(call, params->id, &result->plan,
		"UPDATE jobs.plans p SET paused_until = now() WHERE p.id = $1 AND p.paused_until > now()", DB_INT(params->id));

	return r < 0 ? r : 0; /* one that is not paused is as was wanted */
}

/* The skips of a plan with one more; those that have long passed go. */
#define WITH_SKIP                                                                                  \
	"ARRAY(SELECT DISTINCT d FROM unnest(p.skips || $2::date) d WHERE d >= (now() AT TIME ZONE p.time_zone)::date - 2 ORDER BY d)"

static int refuse_skip(struct call *call, const struct plan_skip_params *params, const struct plan_info *p)
{
	return call_refuse(call, ERR_invalid, "day",
		"Plan %lld has no run to come on %s, or leaves out %d days already. Its next run: %s.", (long long)params->id, params->day,
		MOST_SKIPS, p->next_when ?: "none");
}

int plan_skip(struct call *call, const struct plan_skip_params *params, struct plan_skip_result *result)
{
	struct tm tm;
	int r;

	if (date_parse(params->day, &tm) < 0)
		return call_refuse(call, ERR_invalid, "day", "\"%s\" is no day of the calendar; write it as 2025-11-20.", params->day);
	if (params->undo)
		r = plan_set(call, params->id, &result->plan, "UPDATE jobs.plans p SET skips = array_remove(p.skips, $2::date) WHERE p.id = $1",
			DB_INT(params->id), DB_TEXT(params->day));
	else
		r = plan_set(call, params->id, &result->plan, "UPDATE jobs.plans p SET skips = " WITH_SKIP " WHERE p.id = $1 "
			"AND cardinality(" WITH_SKIP ") <= $3 AND EXISTS (SELECT FROM jobs.plan_instants(p.days, p.times, greatest(p.first_day, $2::date), "
			"least(p.last_day, $2::date), p.time_zone, now(), 1))", DB_INT(params->id), DB_TEXT(params->day), DB_INT(MOST_SKIPS));
	return r <= 0 ? r : refuse_skip(call, params, result->plan);
}

int plan_delete(struct call *call, const struct plan_delete_params *params, struct plan_delete_result *)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	struct db_who who;
	int r = plan_owner(call, params->id, &who);

	if (r == 0)
		r = db_query(botd_of(call)->db, who, botd_deadline(call), &res, "DELETE FROM jobs.plans WHERE id = $1", DB_INT(params->id));
	if (r < 0)
		return r;
	return db_changed(res) ? 0 : plan_refuse(call, params->id);
}
