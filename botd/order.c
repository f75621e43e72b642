#include "botd/order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "botd/booking.h"
#include "botd/site.h"
#include "botd/state.h"
#include "botd/today.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"
#include "recipe/input.h"

#define TRIES      8
#define PAUSE_MS   150
#define MOST_TITLE 256

/* The booking that the person ($1) asked for so many bookings ago, the last one being number 1. */
#define NTH_LAST(n_)                                                                               \
	"SELECT created_at FROM jobs.jobs WHERE user_id = $1 AND kind = 'booking' ORDER BY id DESC OFFSET " n_ "::bigint - 1 LIMIT 1"

int order_find(struct order *o)
{
	o->recipe = recipe_ref(recipe_find(botd_of(o->call)->recipes, o->site));
	if (!o->recipe)
		return call_refuse(o->call, ERR_invalid, "site",
			"There is no recipe for a site called \"%s\"; choose one of the sites that are listed.", o->site);
	o->action = recipe_action_find(o->recipe, o->action_name);
	if (!o->action)
		return call_refuse(o->call, ERR_invalid, "action",
			"%s has no action \"%s\"; choose one of those that are listed for the site.", o->recipe->title,
			o->action_name);
	if (o->action->off)
		return call_refuse(o->call, ERR_off, "action", "%s", action_off(o->call->arena, o->recipe, o->action));
	return 0;
}

void order_today(const struct order *o, char out[11])
{
	today_at(o->recipe->environment.time_zone, wall_now(), out);
}

void order_end(struct order *o)
{
	o->recipe = recipe_unref(o->recipe);
}

/* The booking in words, and its inputs as they are kept. */
static int order_describe(struct order *o)
{
	CLEANUP(freep) char *text = json_dumps(o->inputs, JSON_COMPACT);
	struct variables v = inputs_variables(o->call->arena, o->action, o->inputs, "1970-01-01", "");
	const char *title;
	char why[256];

	if (!text)
		return -EINVAL;
	o->text = arena_strdup(o->call->arena, text);
	if (template_fill(o->call->arena, o->action->describe, &v, ESCAPE_NONE, &title, why, sizeof(why)) < 0 || !*title)
		title = o->action->title;
	o->title = words_new(o->call->arena, MOST_TITLE, "%s", title);
	return 0;
}

int order_check(struct order *o, const char *today)
{
	char now[11], field[512], why[512];
	int r;

	order_today(o, now);
	r = inputs_check(o->action, o->given, today ? today : now, &o->inputs, field, why, sizeof(why));
	if (r < 0)
		return call_refuse(o->call, ERR_invalid, field, "%s", why);
	call_keep(o->call, o->inputs);
	return order_describe(o);
}

static const struct botd_settings *order_settings(const struct order *o)
{
	return botd_of(o->call)->settings;
}

/*
 * One row and its first line; nothing when the key is there already, or the person has too many that wait, or has asked
 * for too many just now. Those are counted by indexes, and no further than the limit.
 */
static int order_insert(struct order *o, const char *key)
{
	return db_query(botd_of(o->call)->db, DB_USER(o->call->acting.user), botd_deadline(o->call), NULL,
		"WITH " ORDER_INSERT("AND NOT EXISTS (SELECT FROM (" NTH_LAST("$9") ") n WHERE created_at > now() - interval '1 min') ")
		"SELECT FROM m", DB_INT(o->call->acting.user), DB_TEXT(key), DB_TEXT(o->site), DB_TEXT(o->action_name), DB_TEXT(o->title),
		DB_TEXT(o->text), DB_TEXT(arena_printf(o->call->arena, "Asked for: %s", o->title)),
		DB_INT(order_settings(o)->most_waiting), DB_INT(order_settings(o)->most_per_minute));
}

/* Which of the two limits it was. The one of the minute passes by itself, so it is told how soon. */
static int refuse_more(struct order *o)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(botd_of(o->call)->db, DB_USER(o->call->acting.user), botd_deadline(o->call), &res,
		"SELECT ceil(extract(epoch FROM created_at + interval '1 min' - clock_timestamp()))::bigint AS s FROM ("
		NTH_LAST("$2") ") n WHERE created_at > now() - interval '1 min'",
		DB_INT(o->call->acting.user), DB_INT(order_settings(o)->most_per_minute));
	int64_t s;

	if (r < 0)
		return r;
	if (!db_next(res))
		return call_refuse(o->call, ERR_busy, NULL,
			"You have %lld bookings that wait already, which is as many as there may be; wait until some have ended.",
			(long long)order_settings(o)->most_waiting);
	s = row_int(res, "s") > 1 ? row_int(res, "s") : 1;
	call_refuse(o->call, ERR_throttled, NULL,
		"You have asked for %lld bookings within a minute, which is as many as there may be; this one was not kept. Ask for "
		"it again in %lld seconds.",
		(long long)order_settings(o)->most_per_minute, (long long)s);
	return call_retry_in(o->call, s * 1000);
}

static int find_by_key(struct order *o, const char *key, struct booking_info **ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(botd_of(o->call)->db, DB_USER(o->call->acting.user), botd_deadline(o->call), &res,
		"SELECT " BOOKING_COLUMNS " FROM " BOOKING_TABLES " WHERE j.user_id = $1 AND j.kind = 'booking' AND j.key = $2",
		DB_INT(o->call->acting.user), DB_TEXT(key));

	if (r < 0)
		return r;
	if (!db_next(res))
		return refuse_more(o);
	*ret = arena_alloc(o->call->arena, sizeof(**ret));
	booking_read(o->call, res, *ret);
	return 0;
}

/* The key makes a repeated request harmless, so whatever may have failed is done again while there is time. */
static int order_keep(struct order *o, const char *key, struct booking_info **ret)
{
	int64_t deadline = botd_deadline(o->call);
	bool perhaps = false; /* there may be a row of it by now */
	int r = -ENOTCONN;

	for (int i = 0; i < TRIES && loop_now() < deadline; i++) {
		r = order_insert(o, key);
		perhaps |= r == 0 || r == -EINPROGRESS;
		if (r == 0)
			r = find_by_key(o, key, ret);
		if (r != -EINPROGRESS && r != -ENOTCONN && r != -EDEADLK)
			break;
		if (fiber_sleep_until(deadline_in(PAUSE_MS)) < 0)
			return -ECANCELED;
	}
	if (r == 0 || r == REFUSED || r == -ECANCELED || !perhaps)
		return r;
	return call_refuse(o->call, ERR_maybe_done, NULL,
		"The database was lost while the booking was being kept, so it is not known whether it was; repeat the same "
		"request with the same key.");
}

static int check_same(struct order *o, const char *key, const struct booking_info *b)
{
	if (strcmp(b->site, o->site) == 0 && strcmp(b->action, o->action_name) == 0 && json_equal(b->inputs, o->inputs))
		return 0;
	return call_refuse(o->call, ERR_already, "key",
		"The key \"%s\" names another booking of yours already (%s); take a new key for a new booking.", key, b->title);
}

int booking_create(struct call *call, const struct booking_create_params *params, struct booking_create_result *result)
{
	struct order o = { .call = call, .site = params->site, .action_name = params->action, .given = params->inputs };
	int r = order_find(&o);

	if (r == 0)
		r = order_check(&o, NULL);
	if (r == 0)
		r = order_keep(&o, params->key, &result->booking);
	if (r == 0)
		r = check_same(&o, params->key, result->booking);
	order_end(&o);
	return r;
}
