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

static struct recipe *recipe;
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
	recipe = recipe_free(recipe);
	return 0;
}

/* One row, as streamd tells it; NULL: an empty value, which does not travel. */
static struct listing *one_row(const char *date, const char *desk)
{
	struct call *call = call_new(NULL, NULL, NEVER);
	struct run_cell *cells = arena_array(call->arena, 2, sizeof(*cells));
	struct run_row *row = arena_alloc(call->arena, sizeof(*row));
	struct run_step_result result = { .rows = row, .rows_count = 1 };
	struct listing *l = listing_new();

	cells[0] = (struct run_cell){ .name = "date", .value = date };
	cells[1] = (struct run_cell){ .name = "desk", .value = desk };
	*row = (struct run_row){ .cells = cells, .cells_count = 2 };
	listing_keep(l, book, call, &result);
	return l;
}

static bool found(const char *date, const char *desk)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	json_auto_t *inputs = json_pack("{s:s, s:s}", "date", "2025-11-20", "desk", "D 203");
	struct variables v = inputs_variables(arena, book, inputs, "2025-11-18", "alice");
	struct listing *l = one_row(date, desk);
	bool has = listing_has(l, book, &v);

	listing_free(l);
	return has;
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
	struct listing *l = listing_new();

	(void)state;
	assert_false(listing_known(l, book));
	listing_free(l);
	l = one_row("x", "y");
	assert_true(listing_known(l, book));
	assert_false(listing_known(l, book + 1)); /* another action has another list */
	listing_forget(l);
	assert_false(listing_known(l, book));
	listing_free(l);
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
