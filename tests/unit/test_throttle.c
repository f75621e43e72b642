/* The arithmetic of failed sign-ins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "authd/throttle.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)

static const struct throttle_rule account = {
	.failures = 10, .window_ms = 24 * HOUR, .block_ms = 10 * MINUTE, .doubling = true
};
static const struct throttle_rule address = { .failures = 30, .window_ms = 3 * MINUTE, .block_ms = 3 * MINUTE };
static const int64_t start = 1700000000000;

static void charge_times(const struct throttle_rule *rule, struct throttle_state *s, int64_t now, int n)
{
	for (int i = 0; i < n; i++)
		assert_int_equal(throttle_charge(rule, s, now), 0);
}

static void test_account(void **state)
{
	struct throttle_state s = { 0 };
	int64_t now = start, block = 10 * MINUTE;

	(void)state;
	for (int round = 0; round < 12; round++) {
		charge_times(&account, &s, now, 10);
		int64_t expected = block < THROTTLE_MOST_MS ? block : THROTTLE_MOST_MS;
		assert_int_equal(throttle_charge(&account, &s, now), expected);
		assert_int_equal(throttle_charge(&account, &s, now + expected - 1), 1);
		now += expected; /* never for good: at its end the next one may try */
		block *= 2;
	}
}

static void test_forgotten(void **state)
{
	struct throttle_state s = { 0 };

	(void)state;
	charge_times(&account, &s, start, 10);
	assert_int_equal(s.strikes, 1);
	charge_times(&account, &s, start + THROTTLE_FORGET_MS, 10); /* so long ago that it counts no more */
	assert_int_equal(s.strikes, 1);
	assert_int_equal(throttle_charge(&account, &s, start + THROTTLE_FORGET_MS), 10 * MINUTE);
}

static void test_window(void **state)
{
	struct throttle_state s = { 0 };

	(void)state;
	charge_times(&address, &s, start, 29);
	charge_times(&address, &s, start + 3 * MINUTE, 30); /* a new window */
	assert_int_equal(throttle_charge(&address, &s, start + 3 * MINUTE), 3 * MINUTE);
	charge_times(&address, &s, start + 6 * MINUTE, 30);
	assert_int_equal(throttle_charge(&address, &s, start + 6 * MINUTE), 3 * MINUTE); /* no doubling */
}

/* The tenth attempt is made; if it is right it leaves no block behind. */
static void test_refund(void **state)
{
	struct throttle_state s = { 0 };

	(void)state;
	charge_times(&account, &s, start, 10);
	throttle_refund(&account, &s);
	assert_int_equal(s.failures, 9);
	assert_int_equal(s.strikes, 0);
	assert_int_equal(throttle_charge(&account, &s, start), 0);
	assert_int_equal(throttle_charge(&account, &s, start), 10 * MINUTE);
	s = (struct throttle_state){ 0 };
	throttle_refund(&account, &s);
	assert_int_equal(s.failures, 0);
}

/* A block that is over and has had its audit row gets another one when it comes again. */
static void test_told(void **state)
{
	struct throttle_state s = { 0 };

	(void)state;
	charge_times(&address, &s, start, 30);
	s.told = true;
	throttle_charge(&address, &s, start + 1);
	assert_true(s.told);
	charge_times(&address, &s, start + 3 * MINUTE, 1);
	assert_false(s.told);
}

static bool same(struct throttle_key a, struct throttle_key b)
{
	return memcmp(a.hash, b.hash, sizeof(a.hash)) == 0;
}

static void test_keys(void **state)
{
	(void)state;
	assert_true(same(throttle_account_key(0, "alice"), throttle_account_key(0, "alice")));
	assert_false(same(throttle_account_key(0, "alice"), throttle_account_key(0, "alicf")));
	assert_true(same(throttle_account_key(7, "alice"), throttle_account_key(7, "\xe2\x84\xaa" "alice")));
	assert_false(same(throttle_account_key(7, "alice"), throttle_account_key(8, "alice")));
	assert_false(same(throttle_account_key(7, "alice"), throttle_account_key(0, "alice")));
	assert_true(same(throttle_address_key("2001:db8:1:2::1"), throttle_address_key("2001:db8:1:2:ffff::9")));
	assert_false(same(throttle_address_key("2001:db8:1:2::1"), throttle_address_key("2001:db8:1:3::1")));
	assert_false(same(throttle_address_key("192.0.2.1"), throttle_address_key("192.0.2.2")));
	assert_true(same(throttle_address_key("::ffff:192.0.2.1"), throttle_address_key("192.0.2.1")));
	assert_false(same(throttle_address_key("192.0.2.1"), throttle_account_key(0, "192.0.2.1")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_account),
		cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_refund),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
