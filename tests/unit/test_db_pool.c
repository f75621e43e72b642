/* db/pool.c: how long it waits before it connects again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db/pool.h"

static void test_backoff(void **state)
{
	static const int64_t middle[] = { 100, 200, 400, 800, 1600, 3200, 5000, 5000 };
	(void)state;

	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(middle[i] * 3 / 4, pool_backoff_ms(i + 1, 0));
		assert_int_equal(
			middle[i] * 5 / 4, pool_backoff_ms(i + 1, (uint32_t)middle[i] / 2));
		for (uint32_t random = 1; random < 4000000000u; random += 39999999)
			assert_in_range(pool_backoff_ms(i + 1, random), middle[i] * 3 / 4,
				middle[i] * 5 / 4);
	}
	assert_in_range(pool_backoff_ms(4000000000u, 4000000000u), 3750, 6250);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_backoff) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
