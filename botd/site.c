/* The sites that have a recipe. */
#include <string.h>

#include "botd/handlers.h"
#include "botd/site.h"
#include "botd/state.h"
#include "botd/today.h"
#include "common/arena.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"
#include "recipe/date.h"

#define MOST_OFF 512 /* bytes: proto/botd.def */

const char *action_off(struct arena *arena, const struct recipe *r, const struct recipe_action *a)
{
	return !a->off ? NULL :
		words_new(arena, MOST_OFF,
			"\"%s\" is off, because the recipe of %s %s. An administrator can mend it: steadctl status says where.", a->title,
			r->title, a->off_means);
}

/* The days that inputs_check() lets pass. */
static void fill_days(struct arena *arena, const struct recipe_input *in, const char *today, struct site_input *ret)
{
	char latest[11];

	date_after(today, in->most_days, latest);
	ret->earliest = arena_strdup(arena, today);
	ret->latest = arena_strdup(arena, latest);
}

/* A recipe lives as long as botd does, so the answer can point into it. */
static void fill_input(struct arena *arena, const struct recipe_input *in, const char *today, struct site_input *ret)
{
	*ret = (struct site_input){ .name = in->name,
		.type = in->type,
		.label = in->label,
		.help = in->help,
		.choices = in->choices,
		.choices_count = in->choices_count,
		.labels = in->labels,
		.labels_count = in->labels_count,
		.value = in->value,
		.required = in->required };
	if (strcmp(in->type, "date") == 0)
		fill_days(arena, in, today, ret);
}

static void fill_action(struct arena *arena, const struct recipe *r, const struct recipe_action *a, const char *today,
	struct site_action *ret)
{
	*ret = (struct site_action){ .name = a->name, .title = a->title, .off = action_off(arena, r, a), .off_because = a->off,
		.inputs_count = a->inputs_count };
	ret->inputs = arena_array(arena, a->inputs_count, sizeof(*ret->inputs));
	for (size_t i = 0; i < a->inputs_count; i++)
		fill_input(arena, &a->inputs[i], today, &ret->inputs[i]);
}

static void fill_site(struct arena *arena, const struct recipe *r, struct site_info *ret)
{
	char today[11];

	today_at(r->environment.time_zone, wall_now(), today);
	*ret = (struct site_info){ .name = r->name,
		.title = r->title,
		.home = r->home,
		.actions_count = r->actions_count };
	ret->actions = arena_array(arena, r->actions_count, sizeof(*ret->actions));
	for (size_t i = 0; i < r->actions_count; i++)
		fill_action(arena, r, &r->actions[i], today, &ret->actions[i]);
}

int site_list(struct call *call, const struct site_list_params *, struct site_list_result *result)
{
	const struct recipe_set *set = botd_of(call)->recipes;

	result->sites_count = set->count;
	result->sites = arena_array(call->arena, result->sites_count, sizeof(*result->sites));
	for (size_t i = 0; i < result->sites_count; i++)
		fill_site(call->arena, set->recipes[i], &result->sites[i]);
	return 0;
}

void botd_load_recipes(void *daemon)
{
	struct botd *b = daemon;
	struct recipe_set *before = b->recipes;

	b->recipes = recipe_load_dirs(b->settings->recipes, before);
	recipe_set_free(before);
	for (size_t i = 0; i < b->recipes->trouble_count; i++)
		log_warning("not every recipe is in force: %s", b->recipes->troubles[i]);
	log_info("%zu recipes", b->recipes->count);
}

int botd_reload(struct call *call, const struct botd_reload_params *, struct botd_reload_result *result)
{
	struct botd *b = botd_of(call);

	botd_load_recipes(b);
	result->recipes = (int64_t)b->recipes->count;
	result->troubles_count = b->recipes->trouble_count;
	result->troubles = arena_array(call->arena, result->troubles_count, sizeof(*result->troubles));
	for (size_t i = 0; i < result->troubles_count; i++)
		result->troubles[i].trouble = arena_strdup(call->arena, b->recipes->troubles[i]);
	return 0;
}
