/* Room for a profile: what there is is told in KiB, and too little of it in a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "launcher/room.h"

static void there_is_room(void **state)
{
	char why[256] = "stale";

	(void)state;
	assert_true(room_kib("/tmp") > 0);
	assert_int_equal(room_check("/tmp", 0, why, sizeof(why)), 0);
	assert_string_equal(why, "");
	assert_true(room_kib("/nowhere/at/all") == -ENOENT);
	assert_int_equal(room_check("/nowhere/at/all", 1, why, sizeof(why)), 0);
}

static void there_is_too_little(void **state)
{
	char why[256], end[128];
	long long kib = -1;

	(void)state;
	assert_int_equal(room_check("/tmp", INT64_MAX, why, sizeof(why)), -ENOSPC);
	assert_int_equal(sscanf(why, "Only %lld KiB are free below %127[^\n]", &kib, end), 2);
	assert_true(kib > 0);
	assert_string_equal(end, "/tmp; make room.");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(there_is_room), cmocka_unit_test(there_is_too_little) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
