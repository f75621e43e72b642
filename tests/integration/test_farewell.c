/*
 * A page that is left by a step says no goodbye, however it tries, and however late it comes to it: a page that is busy runs its
 * farewell long after the next one is there.
 */
#include "tests/integration/test_pages_rig.h"

#include "streamd/browser/farewell.h"

#define SAYS                                                                                       \
	"<script>const bye = () => navigator.sendBeacon('/bye');"                                  \
	"for (const when of ['pagehide', 'beforeunload', 'unload']) addEventListener(when, bye);"  \
	"document.addEventListener('visibilitychange', bye);"                                      \
	"addEventListener('pagehide', () => fetch('/bye', { method: 'POST', keepalive: true }));</script>"
/* Its main thread is free for moments only. */
#define BUSY(ms_)                                                                                  \
	"<script>setInterval(() => { const until = performance.now() + " ms_ "; while (performance.now() < until); }, 1);</script>"

static const struct page pages[] = {
	{ "/says", "<!doctype html><title>says</title><p id=\"here\">here</p>" SAYS },
	{ "/busy", "<!doctype html><title>busy</title><p id=\"here\">here</p>" SAYS BUSY("400") },
	{ "/stuck", "<!doctype html><title>stuck</title>" SAYS BUSY("2500") },
	{ "/framed", "<!doctype html><title>framed</title><p id=\"here\">here</p><iframe src=\"http://b.test/busy\"></iframe>" },
	{ "/stuck-frame", "<!doctype html><title>framed</title><p id=\"here\">here</p><iframe src=\"http://b.test/stuck\"></iframe>" },
	{ "/opens", "<!doctype html><title>opens</title><button id=\"here\" onclick=\"window.open('/popup')\">here</button>" SAYS },
	{ "/stuck-opener", "<!doctype html><title>opens</title><button id=\"here\" onclick=\"window.open('/popup', '', 'noopener');"
		" setInterval(() => { const until = performance.now() + 2500; while (performance.now() < until); }, 1)\">here</button>" SAYS },
	{ "/popup", "<!doctype html><title>popup</title><p id=\"popup\">popup</p>" SAYS },
	{ "/late", "<!doctype html><title>late</title><p id=\"here\">here</p>"
		"<script>addEventListener('pagehide', () => navigator.sendBeacon('/bye'));</script>" BUSY("400") },
	{ "/next", "<!doctype html><title>next</title><p id=\"next\">next</p>" },
	{ "/bye", "" },
};

/* The next page is there, and what could still come has had the time to. */
static void leave_for_next(const char *path)
{
	site_asked[0] = '\0';
	go(path);
	ok("{\"step\": \"wait_for\", \"at\": {\"css\": \"#here\"}}");
	go("/next");
	ok("{\"step\": \"wait_for\", \"at\": {\"css\": \"#next\"}}");
	assert_int_equal(fiber_sleep_until(deadline_in(3000)), 0); /* it is awaited that nothing comes */
	print_message("  %s\n", site_asked);
	assert_int_equal(site_count("/next"), 1);
	assert_int_equal(site_count("/bye"), 0);
}

PAGE_TEST(test_says)
{
	leave_for_next("/says");
}

PAGE_TEST(test_busy)
{
	leave_for_next("/busy");
}

PAGE_TEST(test_late)
{
	leave_for_next("/late");
}

PAGE_TEST(test_framed)
{
	leave_for_next("/framed");
}

PAGE_TEST(test_stuck_frame)
{
	leave_for_next("/stuck-frame");
}

/* What stands behind the page in front goes as well. */
static void leave_both(const char *path)
{
	struct target *t;
	size_t n = 0;

	site_asked[0] = '\0';
	go(path);
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#here\"}}");
	ok("{\"step\": \"wait_for\", \"at\": {\"css\": \"#popup\"}}");
	take(rig.browser, recipe, arena, STEP_END_DONE, "{\"step\": \"open\", \"url\": \"http://a.test/next\"}");
	TAILQ_FOREACH (t, browser_targets(rig.browser), link)
		n += t->kind == TARGET_PAGE && !t->hidden;
	assert_int_equal(n, 1);
}

static void leave_opener(const char *path)
{
	leave_both(path);
	ok("{\"step\": \"wait_for\", \"at\": {\"css\": \"#next\"}}");
	assert_int_equal(fiber_sleep_until(deadline_in(3000)), 0);
	print_message("  %s\n", site_asked);
	assert_int_equal(site_count("/bye"), 0);
}

PAGE_TEST(test_opener)
{
	leave_opener("/opens");
}

PAGE_TEST(test_stuck_opener)
{
	leave_opener("/stuck-opener");
}

/* Each of both, where the recipe wants that: beacons and requests that are kept alive. */
PAGE_TEST(test_opener_speaks)
{
	int64_t end = deadline_in(10000);

	recipe->session.farewell = true;
	leave_both("/opens");
	recipe->session.farewell = false;
	while (site_count("/bye") < 4 && loop_now() < end)
		assert_int_equal(fiber_sleep_until(deadline_in(20)), 0);
	print_message("  %s\n", site_asked);
	assert_true(site_count("/bye") >= 4);
}

/* Another place of the same document leaves nothing. */
PAGE_TEST(test_same_document)
{
	site_asked[0] = '\0';
	go("/says#a");
	go("/says#b");
	assert_int_equal(site_count("/says"), 1);
	assert_int_equal(site_count("/bye"), 0);
}

PAGES_RIG(pages, &no_events)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_says),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_framed),
		cmocka_unit_test(test_stuck_frame),
		cmocka_unit_test(test_opener),
		cmocka_unit_test(test_stuck_opener),
		cmocka_unit_test(test_opener_speaks),
		cmocka_unit_test(test_same_document),
	};

	rig_drop_user();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
