/* Sites that are not well: pauses grow, a site's own wish counts, and several that wait for one make it be asked no more often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "botd/outage.h"
#include "common/fiber.h"
#include "common/loop.h"

#define AT_MOST(ms_, most_) assert_true((ms_) > 0 && (ms_) <= (most_))

#define OLD_MS 1500

static struct outages outages, *o = &outages;

/* The probe of a site, and what comes after it. */
#define PROBE(site_)                 (&(struct spot){ .site = (site_), .action = "book", .place = PLACE_PROBE })
#define SPOT(site_, action_, place_) (&(struct spot){ .site = (site_), .action = (action_), .place = (place_) })
#define ALL(site_)                   SPOT(site_, "book", PLACE_ALL)

static int set_up(void **state)
{
	(void)state;
	outages = (struct outages){ .old_ms = OLD_MS };
	return loop_init();
}

static int tear_down(void **state)
{
	(void)state;
	outages_free(o);
	fiber_drop_stacks();
	loop_deinit();
	return 0;
}

static void wait_out(void *site)
{
	while (outage_left_ms(o, ALL(site)))
		fiber_sleep_until(deadline_in(outage_left_ms(o, ALL(site))));
}

static void wait_for_it(const char *site)
{
	struct fiber *f;

	fiber_start("test", wait_out, (void *)site, &f);
	while (!fiber_ended(f))
		loop_turn();
	fiber_join(&f);
}

static void test_grows(void **state)
{
	int64_t pause = 5;

	(void)state;
	assert_int_equal(outage_left_ms(o, ALL("desk")), 0);
	assert_int_equal(outage_lasted_ms(o, ALL("desk")), 0);
	for (int i = 0; i < 4; i++, pause *= 2) {
		assert_int_equal(outage_note(o, PROBE("desk"), 0, 5), pause);
		assert_true(outage_left_ms(o, ALL("desk")) <= pause); /* it may be over by now */
		wait_for_it("desk");
	}
	assert_true(outage_lasted_ms(o, ALL("desk")) >= 5 + 10 + 20 + 40);
	assert_int_equal(outage_left_ms(o, ALL("gym")), 0); /* another's */
	outage_past(o, PROBE("desk"));
	assert_int_equal(outage_lasted_ms(o, ALL("desk")), 0);
	assert_int_equal(outage_note(o, PROBE("desk"), 0, 5), 5);
}

/* Two that find it at the same time are one finding. */
static void test_together(void **state)
{
	(void)state;
	assert_int_equal(outage_note(o, PROBE("desk"), 0, 1000), 1000);
	AT_MOST(outage_note(o, PROBE("desk"), 0, 1000), 1000);
	outage_past(o, PROBE("desk"));
	outage_past(o, PROBE("desk"));
}

static void test_wish(void **state)
{
	(void)state;
	assert_int_equal(outage_note(o, PROBE("desk"), 60000, 10), 60000);
	AT_MOST(outage_left_ms(o, ALL("desk")), 60000);
	assert_int_equal(outage_note(o, PROBE("gym"), 5, 1000000000), 300000); /* the longest of ours */
	assert_int_equal(outage_note(o, PROBE("pool"), 3600000, 10), 3600000); /* the site's may be longer */
}

static void sleep_ms(void *ms)
{
	fiber_sleep_until(deadline_in(*(int64_t *)ms));
}

/* Nobody has asked for long: the next is another outage, with pauses of its own. */
static void test_old(void **state)
{
	int64_t ms = OLD_MS + 100;
	struct fiber *f;

	(void)state;
	assert_int_equal(outage_note(o, PROBE("desk"), 0, 5), 5);
	wait_for_it("desk");
	assert_int_equal(outage_note(o, PROBE("desk"), 0, 5), 10);
	wait_for_it("desk");
	fiber_start("test", sleep_ms, &ms, &f);
	while (!fiber_ended(f))
		loop_turn();
	fiber_join(&f);
	assert_int_equal(outage_note(o, PROBE("desk"), 0, 5), 5);
	AT_MOST(outage_lasted_ms(o, ALL("desk")), OLD_MS);
}

/* The probe answers at every try: that ends nothing further on, whose pauses go on growing. */
static void test_further_on(void **state)
{
	int64_t pause = 5;

	(void)state;
	for (int i = 0; i < 4; i++, pause *= 2) {
		outage_past(o, PROBE("desk"));
		outage_past(o, SPOT("desk", "book", PLACE_LIST));
		assert_int_equal(outage_note(o, SPOT("desk", "book", PLACE_STEP + 1), 0, 5), pause);
		wait_for_it("desk");
	}
	assert_int_equal(outage_note(o, SPOT("desk", "book", PLACE_LIST), 0, 5), pause);
	outage_past(o, SPOT("desk", "book", PLACE_LIST));
	assert_true(outage_lasted_ms(o, ALL("desk")) >= 5 + 10 + 20 + 40);
	outage_past(o, SPOT("desk", "book", PLACE_STEP + 1));
	assert_int_equal(outage_lasted_ms(o, ALL("desk")), 0);
}

/* What is out further on keeps nobody waiting who does not go there; what the probe meets, everybody. */
static void test_whose(void **state)
{
	(void)state;
	outage_note(o, SPOT("desk", "book", PLACE_STEP), 0, 60000);
	assert_int_equal(outage_left_ms(o, SPOT("desk", "cancel", PLACE_ALL)), 0);
	assert_int_equal(outage_left_ms(o, SPOT("desk", "book", PLACE_LIST)), 0);
	AT_MOST(outage_left_ms(o, ALL("desk")), 60000);
	outage_note(o, PROBE("desk"), 0, 1000);
	AT_MOST(outage_left_ms(o, SPOT("desk", "cancel", PLACE_ALL)), 1000);
	AT_MOST(outage_left_ms(o, SPOT("desk", "book", PLACE_LIST)), 1000);
	assert_int_equal(outage_left_ms(o, ALL("gym")), 0);
	outage_past(o, SPOT("desk", "cancel", PLACE_ALL));
	assert_int_equal(outage_lasted_ms(o, SPOT("desk", "book", PLACE_LIST)), 0);
	AT_MOST(outage_left_ms(o, ALL("desk")), 60000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_grows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wish, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_old, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_further_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_whose, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
