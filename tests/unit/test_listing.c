/* Whether a booking stands in a site's own list, and for how long that is believed. Runs in the root of the tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "botd/listing.h"
#include "botd/today.h"
#include "common/cleanup.h"
#include "common/loop.h"
#include "recipe/input.h"
#include "recipe/step.h"

static const struct recipe *recipe;
static const struct recipe_action *book;

static int set_up(void **state)
{
	char why[1024];

	(void)state;
	assert_int_equal(recipe_load_file("tests/sites/desk.json", &recipe, why, sizeof(why)), 0);
	book = recipe_action_find(recipe, "book");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	recipe = recipe_unref(recipe);
	return 0;
}

/* inputs outlives them. */
static struct variables variables_of(struct arena *arena, json_t *inputs)
{
	return inputs_variables(arena, book, inputs, "2025-11-18", "alice");
}

static json_t *inputs_of(const char *date)
{
	return json_pack("{s:s, s:s}", "date", date, "desk", "D 203");
}

/* One row, as streamd tells it, of the list of the 20th; NULL: an empty value, which does not travel. */
static struct listing one_row(const char *date, const char *desk)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	json_auto_t *inputs = inputs_of("2025-11-20");
	struct variables v = variables_of(arena, inputs);
	struct call *call = call_new(NULL, NULL, NEVER);
	struct run_cell *cells = arena_array(call->arena, 2, sizeof(*cells));
	struct run_row *row = arena_alloc(call->arena, sizeof(*row));
	struct run_step_result result = { .rows = row, .rows_count = 1 };
	struct listing l = { 0 };

	cells[0] = (struct run_cell){ .name = "date", .value = date };
	cells[1] = (struct run_cell){ .name = "desk", .value = desk };
	*row = (struct run_row){ .cells = cells, .cells_count = 2 };
	listing_keep(&l, book, &v, call, &result);
	return l;
}

static bool found(const char *date, const char *desk)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	json_auto_t *inputs = inputs_of("2025-11-20");
	struct variables v = variables_of(arena, inputs);
	CLEANUP(listing_free) struct listing l = one_row(date, desk);

	return listing_has(&l, book, &v);
}

static void test_has(void **state)
{
	(void)state;
	assert_true(found("Thu Nov 20 2025", "D 203"));
	assert_true(found(" Thu\n\tNov  20 2025 ", "D \n203\n"));
	assert_false(found("Thu Nov 20 2025", "D 2033"));
	assert_false(found("Thu Nov 20 2025", "D 20"));
	assert_false(found("Thu Nov 20 2025", "D203"));
	assert_false(found("Fri Nov 21 2025", "D 203"));
	assert_false(found("Thu Nov 20 2025", NULL));
}

static void test_known(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	json_auto_t *twentieth = inputs_of("2025-11-20"), *later = inputs_of("2025-11-21");
	const struct variables day = variables_of(arena, twentieth), next = variables_of(arena, later);
	struct step open = { .step = "open", .url = "https://desk.test/mine?date={date}" };
	struct recipe_action other = *book, by_day = *book;
	struct run_step_result none = { 0 };
	CLEANUP(listing_free) struct listing l = { 0 };

	(void)state;
	other.list.steps_count--;
	by_day.list.steps = &open;
	by_day.list.steps_count = 1;
	assert_false(listing_known(&l, book, &day));
	l = one_row("x", "y");
	assert_true(listing_known(&l, book, &day));
	assert_true(listing_known(&l, book, &next)); /* it is the same for all days */
	assert_false(listing_known(&l, &other, &day)); /* which is read in another way */
	listing_forget(&l);
	assert_false(listing_known(&l, book, &day));
	listing_keep(&l, &by_day, &day, call_new(NULL, NULL, NEVER), &none);
	assert_true(listing_known(&l, &by_day, &day));
	assert_false(listing_known(&l, &by_day, &next)); /* what that day lacks another may hold */
}

static void test_today(void **state)
{
	const int64_t at = 1763596800000; /* 2025-11-20 00:00 UTC */
	char day[11];

	(void)state;
	today_at(NULL, at, day);
	assert_string_equal(day, "2025-11-20");
	today_at("America/New_York", at, day);
	assert_string_equal(day, "2025-11-19");
	today_at("Pacific/Kiritimati", at + 11 * 3600000, day);
	assert_string_equal(day, "2025-11-21");
	today_at("UTC", at - 1, day);
	assert_string_equal(day, "2025-11-19");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_has, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_known, set_up, tear_down),
		cmocka_unit_test(test_today),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
