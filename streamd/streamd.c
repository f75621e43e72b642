#include "streamd/streamd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/words.h"
#include "state/environment.h"
#include "streamd/handlers.h"

static void streamd_tell_doubts(const struct recipe *r)
{
	for (size_t i = 0; i < r->doubts_count; i++)
		log_warning("doubtful: %s", r->doubts[i]);
}

void streamd_load_recipes(struct streamd *d)
{
	struct recipe_set *before = d->recipes;

	d->recipes = recipe_load_dirs(d->settings.recipes, before);
	recipe_set_free(before);
	for (size_t i = 0; i < d->recipes->trouble_count; i++)
		log_error("%s", d->recipes->troubles[i]);
	for (size_t i = 0; i < d->recipes->count; i++)
		streamd_tell_doubts(d->recipes->recipes[i]);
	log_info("%zu recipes in force", d->recipes->count);
}

int streamd_reload(struct call *call, const struct streamd_reload_params *, struct streamd_reload_result *result)
{
	struct streamd *d = call->daemon;

	streamd_load_recipes(d);
	result->recipes = (int64_t)d->recipes->count;
	result->troubles_count = d->recipes->trouble_count;
	result->troubles = arena_array(call->arena, result->troubles_count, sizeof(*result->troubles));
	for (size_t i = 0; i < result->troubles_count; i++)
		result->troubles[i].trouble = arena_strdup(call->arena, d->recipes->troubles[i]);
	return 0;
}

const struct recipe *streamd_recipe(struct streamd *d, struct call *call, const char *site)
{
	const struct recipe *r = recipe_find(d->recipes, site);

	if (!r)
		call_refuse(call, ERR_not_found, "site",
			"There is no recipe for the site \"%s\"; the dashboard lists the sites there are.", BRIEF(64, site));
	return recipe_ref(r);
}

void streamd_environment(const struct recipe *recipe, int width, int height, struct environment *ret)
{
	const struct recipe_environment *e = &recipe->environment;

	*ret = (struct environment){ .languages = e->locale,
		.time_zone = e->time_zone,
		.locale = e->locale,
		.screen = { .width = 2560, .height = 1440, .color_depth = 24 }, /* a common one, in which every window has room */
		.width = width,
		.height = height };
}

void streamd_note_start(struct streamd *d, struct call *call, int r)
{
	if (r == 0)
		d->chromium_trouble[0] = '\0';
	else if (r == REFUSED)
		words_set(d->chromium_trouble, sizeof(d->chromium_trouble), "%s", call_cause(call, REFUSED));
}
