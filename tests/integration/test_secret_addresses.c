/*
 * Addresses that hold a code or a token, as OAuth's and OpenID's do (RFC 6749, 4.1.2 and 4.2.2): whatever is said of the
 * page that stands there, in a reason or in the log, names the page without them.
 */
#include "tests/integration/test_pages_rig.h"

#include "common/log.h"
#include "streamd/run/run_step.h"
#include "streamd/session/probe.h"
#include "streamd/session/rule.h"

#define CODE  "s3cr3t-code"
#define TOKEN "s3cr3t-token"
#define SECRETS "?code=" CODE "&state=1#access_token=" TOKEN

static const struct page pages[] = {
	{ "/", "<!doctype html><title>probe</title><script>location.replace('/login" SECRETS "')</script>" },
	{ "/login", "<!doctype html><title>login</title><h1>Sign in</h1>" },
	{ "/cb", "<!doctype html><title>cb</title><p>One moment</p>" },
	{ "/elsewhere", "<!doctype html><title>away</title><p>Nothing</p>" },
	{ "/says", "<!doctype html><p id=p>See http://a.test/cb" SECRETS " for more</p>" },
};

static char logged[1 << 16]; /* what every line of the log said */

static void keep(enum log_level level, const char *line)
{
	(void)level;
	strncat(logged, line, sizeof(logged) - strlen(logged) - 1);
}

static void assert_no_secret(const char *text)
{
	if (strstr(text, CODE) || strstr(text, TOKEN))
		fail_msg("it tells a secret: %s", text);
}

static void assert_says(const char *text, const char *what)
{
	assert_no_secret(text);
	if (!strstr(text, what))
		fail_msg("it does not say %s: %s", what, text);
}

PAGE_TEST(test_probe)
{
	struct probed seen;

	assert_int_equal(probe(target_ref_of(browser_page(rig.browser)), recipe, deadline_in(20000), &seen), 0);
	assert_int_equal(seen.verdict, VERDICT_OUT);
	assert_says(seen.why, "(http://a.test/login)");
}

PAGE_TEST(test_probe_undecided)
{
	struct recipe_probe was = recipe->probe;
	struct probed seen;

	recipe->probe.url = "http://a.test/elsewhere" SECRETS;
	recipe->probe.timeout_ms = 3000;
	assert_int_equal(probe(target_ref_of(browser_page(rig.browser)), recipe, deadline_in(20000), &seen), 0);
	recipe->probe = was;
	assert_int_equal(seen.verdict, VERDICT_INCONCLUSIVE);
	assert_says(seen.why, "it stands at http://a.test/elsewhere.");
}

PAGE_TEST(test_probe_unreached)
{
	struct recipe_probe was = recipe->probe;
	struct probed seen;

	recipe->probe.url = "https://c.test/" SECRETS;
	assert_int_equal(probe(target_ref_of(browser_page(rig.browser)), recipe, deadline_in(20000), &seen), 0);
	recipe->probe = was;
	assert_int_equal(seen.verdict, VERDICT_INCONCLUSIVE);
	assert_says(seen.why, "https://c.test/ could not be opened");
}

PAGE_TEST(test_rule)
{
	char why[512];

	go("/cb" SECRETS);
	assert_false(rule_addresses_fit(rig.browser, recipe, why, sizeof(why)));
	assert_says(why, "The page is at http://a.test/cb, and");
}

PAGE_TEST(test_steps)
{
	struct step_result r;

	go("/cb" SECRETS);
	r = take(rig.browser, NULL, arena, STEP_END_DONE, "{\"step\": \"open\", \"url\": \"http://a.test/cb" SECRETS "\"}");
	assert_no_secret(r.text);
	r = take(rig.browser, NULL, arena, STEP_END_MISSING,
		"{\"step\": \"wait_for\", \"at\": {\"css\": \"#nothing\"}, \"timeout_ms\": 2000}");
	assert_says(r.reason, "at http://a.test/cb.");
	r = take(rig.browser, NULL, arena, STEP_END_FAILED, "{\"step\": \"open\", \"url\": \"https://c.test/" SECRETS "\"}");
	assert_says(r.reason, "https://c.test/ could not be opened");
	go("/says");
	r = take(rig.browser, NULL, arena, STEP_END_MISSING,
		"{\"step\": \"expect\", \"at\": {\"css\": \"#p\"}, \"value\": \"another\", \"timeout_ms\": 2000}");
	assert_says(r.reason, "See http://a.test/cb for more");
}

/* A page that Chromium is made to leave is told of in the log. */
PAGE_TEST(test_barred)
{
	go("/cb");
	cdp_call(browser_cdp(rig.browser), browser_page(rig.browser)->session, "Page.navigate", deadline_in(20000), NULL,
		CDP_TEXT("url", "file:///tmp/" SECRETS));
	for (int i = 0; i < 1000 && !strstr(logged, "is closed"); i++)
		fiber_sleep_until(deadline_in(10));
	assert_says(logged, "file:///tmp/ and is closed");
}

static void test_log(void **state)
{
	(void)state;
	assert_true(strlen(logged) > 20); /* it was listened to */
	assert_no_secret(logged);
}

PAGES_RIG(pages, &no_events)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_probe_undecided),
		cmocka_unit_test(test_probe_unreached),
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_barred), /* last: it takes the page with it */
		cmocka_unit_test(test_log),
	};

	log_open("test", LOG_DEBUG);
	log_capture(keep);
	rig_drop_user();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
