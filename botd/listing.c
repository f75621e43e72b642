#include "botd/listing.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "recipe/pattern.h"
#include "recipe/step.h"

#define FRESH_MS 10000

/* The steps of the list, filled in; NULL if they cannot be. */
static json_t *filled_steps(const struct recipe_action *a, const struct variables *v)
{
	json_auto_t *all = json_array();
	char why[256];

	for (size_t i = 0; i < a->list.steps_count; i++) {
		json_t *step;

		if (step_fill(&a->list.steps[i], v, &step, why, sizeof(why)) < 0)
			return NULL;
		json_array_append_new(all, step);
	}
	return TAKE(all);
}

void listing_forget(struct listing *l)
{
	json_decref(l->steps);
	l->steps = NULL;
}

void listing_free(struct listing *l)
{
	listing_forget(l);
	call_free(l->call);
}

void listing_keep(struct listing *l, const struct recipe_action *a, const struct variables *v, struct call *call,
	const struct run_step_result *result)
{
	listing_free(l);
	*l = (struct listing){ .steps = filled_steps(a, v), .call = call, .rows = result->rows, .count = result->rows_count,
		.read_at = loop_now() };
}

bool listing_known(const struct listing *l, const struct recipe_action *a, const struct variables *v)
{
	json_auto_t *steps = filled_steps(a, v);

	return l->steps && steps && json_equal(l->steps, steps) && loop_now() - l->read_at < FRESH_MS;
}

static const char *cell_of(const struct run_row *row, const char *name)
{
	for (size_t i = 0; i < row->cells_count; i++) {
		if (strcmp(row->cells[i].name, name) == 0 && row->cells[i].value)
			return row->cells[i].value;
	}
	return ""; /* an empty value does not travel */
}

static bool row_matches(const struct run_row *row, const struct recipe_match *match, size_t n,
	const char *const *wanted)
{
	for (size_t i = 0; i < n; i++) {
		if (!same_words(cell_of(row, match[i].cell), wanted[i]))
			return false;
	}
	return true;
}

bool listing_has(const struct listing *l, const struct recipe_action *a, const struct variables *v)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const char **wanted = arena_array(arena, a->list.match_count, sizeof(*wanted));
	char why[256];

	for (size_t i = 0; i < a->list.match_count; i++) {
		if (template_fill(arena, a->list.match[i].is, v, ESCAPE_NONE, &wanted[i], why, sizeof(why)) < 0)
			return false;
	}
	for (size_t i = 0; i < l->count; i++) {
		if (row_matches(&l->rows[i], a->list.match, a->list.match_count, wanted))
			return true;
	}
	return false;
}
