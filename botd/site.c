/* The sites that have a recipe. */
#include <string.h>

#include "botd/state.h"
#include "botd/handlers.h"

/* A recipe lives as long as botd does, so the answer can point into it. */
static void fill_input(const struct recipe_input *in, struct site_input *ret)
{
	*ret = (struct site_input){ .name = in->name,
		.type = in->type,
		.label = in->label,
		.help = in->help,
		.choices = in->choices,
		.choices_count = in->choices_count,
		.value = in->value,
		.required = in->required };
}

static void fill_action(struct arena *arena, const struct recipe_action *a, struct site_action *ret)
{
	*ret = (struct site_action){ .name = a->name, .title = a->title, .inputs_count = a->inputs_count };
	ret->inputs = arena_array(arena, a->inputs_count, sizeof(*ret->inputs));
	for (size_t i = 0; i < a->inputs_count; i++)
		fill_input(&a->inputs[i], &ret->inputs[i]);
}

static void fill_site(struct arena *arena, const struct recipe *r, struct site_info *ret)
{
	*ret = (struct site_info){ .name = r->name,
		.title = r->title,
		.home = r->home,
		.actions_count = r->actions_count };
	ret->actions = arena_array(arena, r->actions_count, sizeof(*ret->actions));
	for (size_t i = 0; i < r->actions_count; i++)
		fill_action(arena, &r->actions[i], &ret->actions[i]);
}

int site_list(struct call *call, const struct site_list_params *params, struct site_list_result *result)
{
	const struct recipe_set *set = botd_of(call)->recipes;

	(void)params;
	result->sites_count = recipe_count(set);
	result->sites = arena_array(call->arena, result->sites_count, sizeof(*result->sites));
	for (size_t i = 0; i < result->sites_count; i++)
		fill_site(call->arena, recipe_at(set, i), &result->sites[i]);
	return 0;
}
