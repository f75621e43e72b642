/* Refusals: their texts, and what errno values mean to a peer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/utf.h"
#include "proto/error.h"

static void test_own_sentence(void **state)
{
	struct refusal r;
	const char *empty = "";

	(void)state;
	refusal_set(&r, ERR_busy, NULL, empty, 0);
	assert_string_equal(r.message, error_row(ERR_busy)->sentence);
	assert_string_equal(r.field, "");
	refusal_set(&r, ERR_invalid, "steps[2].url", "It has %d bytes.", 5);
	assert_string_equal(r.message, "It has 5 bytes.");
	assert_string_equal(r.field, "steps[2].url");
	assert_int_equal(r.code, ERR_invalid);
}

/* Wherever a peer's words are cut, and whatever bytes they hold, the refusal can be sent. */
static void test_always_utf8(void **state)
{
	char wide[3000];
	struct refusal r;

	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		memset(wide, 'a', shift);
		for (size_t i = shift; i + 3 < sizeof(wide); i += 3)
			memcpy(wide + i, "\xe2\x82\xac", 4);
		refusal_set(&r, ERR_invalid, wide, "%s", wide);
		assert_true(strlen(r.message) >= sizeof(r.message) - 4 && strlen(r.field) >= sizeof(r.field) - 4);
		assert_true(utf8_valid(r.message, strlen(r.message)) && utf8_valid(r.field, strlen(r.field)));
	}
	refusal_set(&r, ERR_invalid, "\xff", "a\xc0\xaf\x80z");
	assert_string_equal(r.message, "a???z");
	assert_string_equal(r.field, "?");
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(error_by_name("not_found"), ERR_not_found);
	assert_int_equal(error_by_name("of_a_newer_version"), ERR_internal);
	assert_int_equal(error_by_name(NULL), ERR_internal);
	assert_ptr_equal(error_row((enum error_code)9999), error_row(ERR_internal));
}

static void test_errno(void **state)
{
	(void)state;
	assert_int_equal(error_from_errno(-ENOTCONN), ERR_database_down);
	/* COMMIT was sent: nobody may say "nothing was changed". */
	assert_int_equal(error_from_errno(-EINPROGRESS), ERR_maybe_done);
	assert_null(strstr(error_row(ERR_maybe_done)->sentence, "nothing"));
	assert_int_equal(error_row(ERR_maybe_done)->exit, 75);
	assert_int_equal(error_from_errno(-ETIMEDOUT), ERR_timed_out);
	assert_int_equal(error_from_errno(-EBUSY), ERR_busy);
	assert_int_equal(error_from_errno(-ENOENT), ERR_not_found);
	assert_int_equal(error_from_errno(-ESTALE), ERR_conflict);
	assert_int_equal(error_from_errno(-EFBIG), ERR_too_large);
	assert_int_equal(error_from_errno(-ECONNRESET), ERR_unavailable);
	assert_int_equal(error_from_errno(-EIO), ERR_internal);
	assert_int_equal(error_from_errno(-EINVAL), ERR_internal); /* ours, never the peer's fault */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_sentence),
		cmocka_unit_test(test_always_utf8),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
