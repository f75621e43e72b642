#include "botd/put_off.h"

#include <string.h>

#include "botd/today.h"
#include "common/cleanup.h"
#include "common/loop.h"
#include "common/words.h"
#include "recipe/recipe.h"
#include "recipe/set.h"

#define LONGEST_MS 86400000 /* of an outage that a booking without a day waits out */

/* How far a job has to come at its site: one that may have been sent is only looked for. */
#define all_of(j_)                                                                                 \
	((struct spot){ .site = (j_)->site, .action = (j_)->action, .place = (j_)->intended ? PLACE_LIST : PLACE_ALL })

/* The last of the days that were asked for; NULL if it is about none. */
static const char *last_day(const struct recipe *recipe, const struct job *j)
{
	const struct recipe_action *a = recipe_action_find(recipe, j->action);
	const char *last = NULL;

	for (size_t i = 0; a && i < a->inputs_count; i++) {
		const char *day = json_string_value(json_object_get(j->inputs, a->inputs[i].name));

		if (strcmp(a->inputs[i].type, "date") == 0 && day && (!last || strcmp(day, last) > 0))
			last = day;
	}
	return last;
}

static bool makes_sense(struct botd *b, const struct recipe *recipe, const struct job *j)
{
	const char *day = last_day(recipe, j);
	char today[11];

	today_at(recipe->environment.time_zone, wall_now(), today);
	return day ? strcmp(day, today) >= 0 : outage_lasted_ms(&b->outages, &all_of(j)) < LONGEST_MS;
}

static enum job_result give_up(const struct recipe *recipe, struct job *j, const char *last, struct job **ret_next)
{
	return job_give_up(j, words_new(j->arena, JOB_REASON, "%s was not well until %s; the last time: %s", recipe->title,
		last_day(recipe, j) ? "the day had passed" : "a whole day had passed", BRIEF(700, last)), ret_next);
}

/* Who has not asked has found nothing, and waits with the others. */
static int64_t put_off_note(struct botd *b, const struct job *j, const struct ending *e)
{
	const struct spot at = { .site = j->site, .action = j->action, .place = e->place };

	if (e->place != PLACE_UNASKED)
		outage_note(&b->outages, &at, e->retry_ms, b->settings->retry_ms);
	return put_off_left_ms(b, j);
}

enum job_result put_off(struct botd *b, struct job *j, const struct ending *e, struct job **ret_next)
{
	CLEANUP(recipe_unrefp) const struct recipe *recipe = recipe_ref(recipe_find(b->recipes, j->site));
	int64_t delay = put_off_note(b, j, e);
	const char *zone = recipe ? recipe->environment.time_zone : NULL;
	bool tell = !put_off_was(b, j);
	char clock[9];

	if (recipe && !makes_sense(b, recipe, j))
		return give_up(recipe, j, e->reason, ret_next);
	held_add(&b->put_off, j->id);
	clock_at(zone, wall_now() + delay, clock);
	return job_put_off(j, delay, tell, words_new(j->arena, JOB_REASON, "%s It is tried again at %s (%s).", BRIEF(900, e->reason),
		clock, zone ? zone : "UTC"));
}

int64_t put_off_left_ms(const struct botd *b, const struct job *j)
{
	return outage_left_ms(&b->outages, &all_of(j));
}

enum job_result put_off_past(struct botd *b, struct job *j, const char *title, int place)
{
	outage_past(&b->outages, &(struct spot){ .site = j->site, .action = j->action, .place = place });
	if (!put_off_was(b, j) || outage_lasted_ms(&b->outages, &all_of(j)) > 0)
		return JOB_OK;
	put_off_over(b, j);
	return job_start(j, "%s is well again; going on.", title);
}

bool put_off_was(const struct botd *b, const struct job *j)
{
	return held_has(&b->put_off, j->id);
}

void put_off_over(struct botd *b, const struct job *j)
{
	held_remove(&b->put_off, j->id);
}
