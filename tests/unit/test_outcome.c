/* What an attempt has seen, and how it ends for that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "botd/outcome.h"

static struct ending decided(unsigned facts, const char *verdict)
{
	const struct outcome_seen seen = { .facts = facts,
		.site = "Desks",
		.undone = "press Book",
		.stuck = "No connection.",
		.complaint = "{site} is full",
		.answer = "Desks answered with status 200.",
		.verdict = verdict };
	struct ending e = { 0 };

	outcome_decide(&seen, &e);
	return e;
}

static void expect(unsigned facts, const char *verdict, enum ending_kind kind, const char *outcome, const char *sentence)
{
	struct ending e = decided(facts, verdict);

	assert_int_equal(e.kind, kind);
	if (outcome)
		assert_string_equal(e.outcome, outcome);
	else
		assert_null(e.outcome);
	assert_string_equal(e.reason, sentence);
}

static void test_before(void **state)
{
	(void)state;
	expect(OUTCOME_BEFORE | OUTCOME_LACKING, NULL, ENDING_NONE, NULL, "");
	expect(OUTCOME_BEFORE | OUTCOME_LACKING | OUTCOME_EARLIER, NULL, ENDING_NONE, NULL, "");
	expect(OUTCOME_BEFORE | OUTCOME_UNREAD, NULL, ENDING_AGAIN, NULL,
		"The list of your bookings could not be read: Stead could not press Book.");
	expect(OUTCOME_BEFORE | OUTCOME_LISTED, NULL, ENDING_DONE, "already_booked",
		"Desks lists it among your bookings already; nothing was sent.");
	expect(OUTCOME_BEFORE | OUTCOME_LISTED | OUTCOME_EARLIER, NULL, ENDING_DONE, "booked",
		"Desks lists it among your bookings; nothing was sent again.");
}

/* What the page says stands there as it is, braces and all. */
static void test_unsent(void **state)
{
	(void)state;
	expect(OUTCOME_UNSENT | OUTCOME_STUCK | OUTCOME_COMPLAINT, NULL, ENDING_AGAIN, NULL, "Nothing was sent: No connection.");
	expect(OUTCOME_UNSENT | OUTCOME_COMPLAINT, "full", ENDING_DONE, "full", "Desks says: \"{site} is full\"");
	expect(OUTCOME_UNSENT | OUTCOME_SWALLOWED | OUTCOME_COMPLAINT, NULL, ENDING_DONE, "failed",
		"Nothing was sent; Desks says: \"{site} is full\"");
	assert_string_equal(decided(OUTCOME_UNSENT | OUTCOME_SWALLOWED, NULL).outcome, "failed");
	assert_string_equal(decided(OUTCOME_UNSENT, NULL).outcome, "failed");
}

/* An earlier attempt may have sent it, which only the site's having it settles. */
static void test_earlier(void **state)
{
	static const char more[] = "Desks says: \"{site} is full\" This try has sent nothing; an earlier one may have sent it.";
	const unsigned facts = OUTCOME_UNSENT | OUTCOME_EARLIER | OUTCOME_COMPLAINT;

	(void)state;
	expect(facts, "full", ENDING_DONE, "unconfirmed", more);
	expect(facts, NULL, ENDING_DONE, "unconfirmed", more);
	expect(facts, "already_booked", ENDING_DONE, "already_booked", more);
	expect(facts, "waitlisted", ENDING_DONE, "waitlisted", more);
}

static void test_sent(void **state)
{
	const unsigned sure = OUTCOME_SENT | OUTCOME_SURE | OUTCOME_ANSWER;

	(void)state;
	expect(sure | OUTCOME_LISTED | OUTCOME_SETTLED, "full", ENDING_DONE, "booked", "Desks lists it among your bookings.");
	expect(sure | OUTCOME_LACKING | OUTCOME_SETTLED | OUTCOME_COMPLAINT, "full", ENDING_DONE, "full",
		"Desks says: \"{site} is full\"");
	expect(sure | OUTCOME_LACKING | OUTCOME_SETTLED, "full", ENDING_DONE, "full", "It was sent; then Stead could not press Book at Desks.");
	expect(sure | OUTCOME_LACKING | OUTCOME_COMPLAINT, NULL, ENDING_LOOK, NULL,
		"It was sent, but is not among your bookings at Desks; Desks answered with status 200.");
	expect(OUTCOME_SENT | OUTCOME_LACKING, NULL, ENDING_LOOK, NULL, "It may have been sent, but is not among your bookings at Desks.");
	expect(OUTCOME_SENT | OUTCOME_UNREAD | OUTCOME_SURE, "full", ENDING_LOOK, NULL,
		"It was sent, but your bookings at Desks could not be read: Stead could not press Book.");
	/* What was sent before, or perhaps, is never said to have failed. */
	assert_int_equal(decided(OUTCOME_SENT | OUTCOME_LACKING | OUTCOME_EARLIER, "full").kind, ENDING_LOOK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_before),
		cmocka_unit_test(test_unsent),
		cmocka_unit_test(test_earlier),
		cmocka_unit_test(test_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
