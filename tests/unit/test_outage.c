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

static struct outages *o;

static int set_up(void **state)
{
	(void)state;
	o = outages_new(OLD_MS);
	return loop_init();
}

static int tear_down(void **state)
{
	(void)state;
	o = outages_free(o);
	fiber_drop_stacks();
	loop_deinit();
	return 0;
}

static void wait_out(void *site)
{
	while (outage_left_ms(o, site))
		fiber_sleep_until(deadline_in(outage_left_ms(o, site)));
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
	assert_int_equal(outage_left_ms(o, "desk"), 0);
	assert_int_equal(outage_lasted_ms(o, "desk"), 0);
	for (int i = 0; i < 4; i++, pause *= 2) {
		assert_int_equal(outage_note(o, "desk", 0, 5), pause);
		AT_MOST(outage_left_ms(o, "desk"), pause);
		wait_for_it("desk");
	}
	assert_true(outage_lasted_ms(o, "desk") >= 5 + 10 + 20 + 40);
	assert_int_equal(outage_left_ms(o, "gym"), 0); /* another's */
	outage_over(o, "desk");
	assert_int_equal(outage_lasted_ms(o, "desk"), 0);
	assert_int_equal(outage_note(o, "desk", 0, 5), 5);
}

/* Two that find it at the same time are one finding. */
static void test_together(void **state)
{
	(void)state;
	assert_int_equal(outage_note(o, "desk", 0, 1000), 1000);
	AT_MOST(outage_note(o, "desk", 0, 1000), 1000);
	outage_over(o, "desk");
	outage_over(o, "desk");
}

static void test_wish(void **state)
{
	(void)state;
	assert_int_equal(outage_note(o, "desk", 60000, 10), 60000);
	assert_int_equal(outage_note(o, "gym", 5, 1000000000), 300000); /* the longest of ours */
	assert_int_equal(outage_note(o, "pool", 3600000, 10), 3600000); /* the site's may be longer */
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
	assert_int_equal(outage_note(o, "desk", 0, 5), 5);
	wait_for_it("desk");
	assert_int_equal(outage_note(o, "desk", 0, 5), 10);
	wait_for_it("desk");
	fiber_start("test", sleep_ms, &ms, &f);
	while (!fiber_ended(f))
		loop_turn();
	fiber_join(&f);
	assert_int_equal(outage_note(o, "desk", 0, 5), 5);
	AT_MOST(outage_lasted_ms(o, "desk"), OLD_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_grows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wish, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_old, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
