#include "botd/plan.h"

#include <string.h>

#include "botd/booking.h"
#include "botd/relative.h"
#include "botd/schedule.h"
#include "botd/site.h"
#include "botd/state.h"
#include "common/cleanup.h"
#include "common/loop.h"
#include "common/words.h"
#include "recipe/set.h"

#define PAGE         100
#define AHEAD        5
#define MOST_AHEAD   40 /* with those that are left out: proto/botd.def */
#define MOST_TROUBLE 1400 /* bytes: proto/botd.def */

const char *plan_trouble(struct call *call, const char *site, const char *action)
{
	const struct recipe *r = recipe_find(botd_of(call)->recipes, site);
	const struct recipe_action *a = r ? recipe_action_find(r, action) : NULL;

	if (!r)
		return words_new(call->arena, MOST_TROUBLE,
			"Stead has no recipe for %s any more; the plan goes on when an administrator has put it back.", site);
	if (!a)
		return words_new(call->arena, MOST_TROUBLE,
			"The recipe of %s has no action \"%s\" any more; the plan goes on when an administrator has put it back.", r->title, action);
	return action_off(call->arena, r, a);
}

static const char *state_of(const struct db_result *row)
{
	return row_bool(row, "ended") ? "ended" : row_bool(row, "paused") ? "paused" : "on";
}

/* What keeps it from asking comes before what became of its last run. */
static const char *trouble_of(struct call *call, const struct db_result *row)
{
	const char *now = plan_trouble(call, row_words(row, "site"), row_words(row, "action"));

	if (row_bool(row, "ended") || !now)
		now = row_null(row, "last_reason") ? NULL : words_new(call->arena, MOST_TROUBLE, "%s", row_words(row, "last_reason"));
	return now;
}

static json_t *inputs_of(struct call *call, const struct db_result *row)
{
	json_t *inputs = json_loads(row_words(row, "inputs"), 0, NULL) ?: json_object();

	call_keep(call, inputs);
	return inputs;
}

void plan_read(struct call *call, const struct db_result *row, struct plan_info *ret)
{
	struct plan_schedule *s = arena_alloc(call->arena, sizeof(*s));

	schedule_read(call->arena, row_words(row, "days"), row_words(row, "times"), row_text(row, "first_day"),
		row_text(row, "last_day"), row_text(row, "missed"), s);
	*ret = (struct plan_info){ .id = row_int(row, "id"),
		.state = state_of(row),
		.title = arena_strdup(call->arena, row_text(row, "title")),
		.when = schedule_words(call->arena, s),
		.site = arena_strdup(call->arena, row_text(row, "site")),
		.action = arena_strdup(call->arena, row_text(row, "action")),
		.inputs = inputs_of(call, row),
		.schedule = s,
		.time_zone = arena_strdup(call->arena, row_text(row, "time_zone")),
		.resumes_at_ms = row_bool(row, "paused") && row_time(row, "paused_until") != DB_NEVER ? row_time(row, "paused_until") : 0,
		.next_at_ms = row_time(row, "next_at"),
		.next_when = arena_strdup(call->arena, row_text(row, "next_when")),
		.next_day = arena_strdup(call->arena, row_text(row, "next_day")),
		.trouble = trouble_of(call, row),
		.created_at_ms = row_time(row, "created_at"),
		.user = call->role == ROLE_CONTROL ? row_int(row, "user_id") : 0 };
}

int plan_refuse(struct call *call, int64_t id)
{
	return call_refuse(call, ERR_not_found, "id", "There is no plan %lld%s.", (long long)id,
		call->role == ROLE_CONTROL ? "" : ", or it is not yours");
}

int plan_owner(struct call *call, int64_t id, struct db_who *ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r;

	*ret = DB_USER(call->acting.user);
	if (call->role != ROLE_CONTROL)
		return 0;
	r = db_read(botd_of(call)->db, DB_ROLE("stead_operator"), botd_deadline(call), &res,
		"SELECT user_id FROM jobs.plans WHERE id = $1", DB_INT(id));
	if (r < 0)
		return r;
	if (!db_next(res))
		return plan_refuse(call, id);
	*ret = DB_USER(row_int(res, "user_id"));
	return 0;
}

int plan_find(struct call *call, struct db_who who, int64_t id, struct plan_info **ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(botd_of(call)->db, who, botd_deadline(call), &res,
		"SELECT " PLAN_COLUMNS " FROM " PLAN_TABLES " WHERE p.id = $1", DB_INT(id));

	if (r < 0)
		return r;
	if (!db_next(res))
		return plan_refuse(call, id);
	*ret = arena_alloc(call->arena, sizeof(**ret));
	plan_read(call, res, *ret);
	return 0;
}

int plan_list(struct call *call, const struct plan_list_params *params, struct plan_list_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(botd_of(call)->db, booking_reader(call), botd_deadline(call), &res,
		"SELECT " PLAN_COLUMNS " FROM " PLAN_TABLES " WHERE p.id < $1 ORDER BY p.id DESC LIMIT $2",
		DB_INT(params->before ? params->before : INT64_MAX), DB_INT(params->limit ? params->limit : PAGE));

	if (r < 0)
		return r;
	result->plans = arena_array(call->arena, (size_t)db_rows(res), sizeof(*result->plans));
	while (db_next(res))
		plan_read(call, res, &result->plans[result->plans_count++]);
	return 0;
}

/* Runs to come */

#define RUN_COLUMNS "i.at, i.day::text AS day, i.shift, i.day = ANY (p.skips) AS skipped, " AT_WORDS("i.at", "p.time_zone") " AS words"

static const char *note_of(const char *shift)
{
	if (!shift)
		return NULL;
	return strcmp(shift, "gap") == 0 ? "The clocks go forward then and leave this time out; it runs as long after the change." :
		"The clocks go back then and show this time twice; it runs the first time.";
}

/* Up to five that run, and those between that are left out. */
static void read_ahead(struct call *call, struct db_result *res, struct plan_run **ret, size_t *ret_count)
{
	struct plan_run *runs = arena_array(call->arena, MOST_AHEAD, sizeof(*runs));
	size_t n = 0, ran = 0;

	while (n < MOST_AHEAD && ran < AHEAD && db_next(res)) {
		runs[n] = (struct plan_run){ .at_ms = row_time(res, "at"),
			.when = arena_strdup(call->arena, row_text(res, "words")),
			.day = arena_strdup(call->arena, row_text(res, "day")),
			.note = note_of(row_text(res, "shift")),
			.skipped = row_bool(res, "skipped") };
		ran += !runs[n++].skipped;
	}
	*ret = runs;
	*ret_count = n;
}

/* What each of them asks for, in words; where it can not be told, none. */
static void name_runs(struct call *call, const char *site, const char *action, const json_t *inputs, struct plan_run *runs,
	size_t n)
{
	CLEANUP(call_freep) struct call *own = call_new(botd_of(call), NULL, NEVER); /* what is refused here is nobody's answer */
	struct order o = { .call = own, .site = site, .action_name = action };

	if (order_find(&o) == 0)
		for (size_t i = 0; i < n; i++) {
			json_auto_t *given = relative_fill(o.action, inputs, runs[i].day);
			o.given = given;
			if (order_check(&o, runs[i].day) == 0)
				runs[i].title = arena_strdup(call->arena, o.title);
		}
	order_end(&o);
}

static int show_ahead(struct call *call, struct db_who who, const struct plan_info *plan, struct plan_show_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(botd_of(call)->db, who, botd_deadline(call), &res,
		"SELECT " RUN_COLUMNS " FROM jobs.plans p, " PLAN_AHEAD("5") " i WHERE p.id = $1 AND p.paused_until < 'infinity' ORDER BY i.at", DB_INT(plan->id));

	if (r < 0)
		return r;
	read_ahead(call, res, &result->next, &result->next_count);
	name_runs(call, plan->site, plan->action, plan->inputs, result->next, result->next_count);
	return 0;
}

int plan_runs_ahead(struct call *call, const struct plan_schedule *s, const char *zone, struct plan_run **ret, size_t *ret_count)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(botd_of(call)->db, DB_USER(call->acting.user), botd_deadline(call), &res,
		"SELECT " RUN_COLUMNS " FROM (SELECT $1::smallint[] AS days, $2::time[] AS times, $3::date AS first_day, $4::date AS last_day, "
		"$5::text AS time_zone, '{}'::date[] AS skips) p, " PLAN_INSTANTS("now()", "5") " i ORDER BY i.at",
		DB_TEXT(schedule_days(call->arena, s)), DB_TEXT(schedule_times(call->arena, s)), DB_TEXT(s->first),
		DB_TEXT(s->last), DB_TEXT(zone));

	if (r < 0 && strcmp(db_error(botd_of(call)->db)->sqlstate, "22023") == 0)
		return call_refuse(call, ERR_invalid, "site",
			"Stead's database does not know the time zone %s of the site's recipe; an administrator can mend the recipe.", zone);
	if (r < 0)
		return r;
	read_ahead(call, res, ret, ret_count);
	if (*ret_count == 0)
		return call_refuse(call, ERR_invalid, "schedule", "There would be no run: %s lies in the past, or none of its days is among them.",
			schedule_once(s) ? s->first : s->last ?: s->first);
	return 0;
}

/* Runs that have passed */

#define PAST_COLUMNS                                                                               \
	"r.at, r.day::text AS day, r.became, r.reason, b.id AS booking, b.title, j.outcome, "      \
	AT_WORDS("r.at", "p.time_zone") " AS words, " BOOKING_STATE " AS state"

static void read_past(struct call *call, const struct db_result *row, struct plan_run *ret)
{
	*ret = (struct plan_run){ .at_ms = row_time(row, "at"),
		.when = arena_strdup(call->arena, row_text(row, "words")),
		.day = arena_strdup(call->arena, row_text(row, "day")),
		.title = arena_strdup(call->arena, row_text(row, "title")),
		.became = arena_strdup(call->arena, row_text(row, "became")),
		.reason = arena_strdup(call->arena, row_text(row, "reason")),
		.booking = row_int(row, "booking"),
		.booking_state = row_null(row, "booking") ? NULL : arena_strdup(call->arena, row_text(row, "state")),
		.booking_outcome = arena_strdup(call->arena, row_text(row, "outcome")) };
}

static int show_past(struct call *call, struct db_who who, int64_t id, struct plan_show_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(botd_of(call)->db, who, botd_deadline(call), &res,
		"SELECT " PAST_COLUMNS " FROM jobs.plans p JOIN jobs.plan_runs r ON r.plan_id = p.id "
		"LEFT JOIN jobs.bookings b ON b.id = r.job_id LEFT JOIN jobs.jobs j ON j.id = b.id "
		"WHERE p.id = $1 ORDER BY r.at DESC LIMIT 50", DB_INT(id));

	if (r < 0)
		return r;
	result->past = arena_array(call->arena, (size_t)db_rows(res), sizeof(*result->past));
	while (db_next(res))
		read_past(call, res, &result->past[result->past_count++]);
	return 0;
}

int plan_show(struct call *call, const struct plan_show_params *params, struct plan_show_result *result)
{
	struct db_who who = booking_reader(call);
	int r = plan_find(call, who, params->id, &result->plan);

	if (r == 0)
		r = show_ahead(call, who, result->plan, result);
	return r == 0 ? show_past(call, who, params->id, result) : r;
}

int plan_preview(struct call *call, const struct plan_preview_params *params, struct plan_preview_result *result)
{
	struct order o = { .call = call, .site = params->site, .action_name = params->action };
	struct plan_schedule s;
	char today[11];
	int r = order_find(&o);

	if (r == 0) {
		order_today(&o, today);
		result->time_zone = arena_strdup(call->arena, o.recipe->environment.time_zone ?: "UTC");
		r = schedule_check(call, params->schedule, today, &s);
	}
	if (r == 0)
		r = plan_runs_ahead(call, &s, result->time_zone, &result->next, &result->next_count);
	if (r == 0) {
		result->when = schedule_words(call->arena, &s);
		if (params->inputs)
			name_runs(call, params->site, params->action, params->inputs, result->next, result->next_count);
	}
	order_end(&o);
	return r;
}
