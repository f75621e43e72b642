/* What steadctl does: which calls are written down, in which words, and what is said when that cannot be done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "proto/act.h"
#include "proto/authd.h"
#include "proto/botd.h"
#include "proto/sessiond.h"
#include "proto/streamd.h"

static char written[512];
static int fails_with;
static enum error_code refused_with;

static int write_down(struct call *call, const char *what)
{
	snprintf(written, sizeof(written), "%s", what);
	return fails_with == REFUSED ? call_refuse(call, refused_with, NULL, "It may have been done.") : fails_with;
}

static struct call *call_of(const struct method *method, enum role role)
{
	struct call *call = call_new(NULL, NULL, 0);

	call->role = role;
	call->method = method;
	return call;
}

static bool is_act(const struct method *method, enum role role)
{
	CLEANUP(call_freep) struct call *call = call_of(method, role);

	return act_is(call);
}

static void test_which(void **state)
{
	(void)state;
	assert_true(is_act(&method_booking_cancel, ROLE_CONTROL));
	assert_true(is_act(&method_vault_rewrap, ROLE_CONTROL));
	assert_true(is_act(&method_user_passwd, ROLE_CONTROL));
	assert_false(is_act(&method_booking_cancel, ROLE_FRONT));
	assert_false(is_act(&method_booking_list, ROLE_CONTROL));
	assert_false(is_act(&method_streamd_status, ROLE_CONTROL));
	/* Who reads the audit often would fill it with that. */
	assert_false(is_act(&method_booking_audit, ROLE_CONTROL));
	assert_false(is_act(&method_vault_audit, ROLE_CONTROL));
}

static void test_words(void **state)
{
	CLEANUP(call_freep) struct call *call = call_of(&method_user_add, ROLE_CONTROL);
	const struct user_add_params params = { .name = "bob", .password = "not to be told", .admin = true };

	(void)state;
	fails_with = 0;
	assert_int_equal(act_ask(call, write_down, &params), 0);
	assert_string_equal(written, "user_add name=bob admin");
}

static void expect(int r, enum error_code asked, enum error_code told)
{
	CLEANUP(call_freep) struct call *call = call_of(&method_booking_cancel, ROLE_CONTROL);
	const struct booking_cancel_params params = { .id = 7 };

	fails_with = r;
	refused_with = asked;
	assert_int_equal(act_ask(call, write_down, &params), REFUSED);
	assert_string_equal(written, "booking_cancel id=7");
	assert_int_equal(call->refusal.code, told);
	assert_non_null(strstr(call->refusal.message, "so it was not done"));
	assert_null(strstr(call->refusal.message, "may have been"));
}

/* Whether its row stands or not: what it tells of was not done, and nobody need look whether it was. */
static void test_not_written(void **state)
{
	(void)state;
	expect(-ENOTCONN, 0, ERR_database_down);
	expect(-EINPROGRESS, 0, ERR_unavailable);
	expect(-ETIMEDOUT, 0, ERR_unavailable);
	expect(REFUSED, ERR_maybe_done, ERR_unavailable);
	expect(REFUSED, ERR_busy, ERR_busy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
