/*
 * A site that binds its session to the screen: whoever looks at a sign-in, in a window of whatever size, the proof and
 * every run show the site the screen that it has seen.
 */
#include "tests/integration/test_pages_rig.h"

#include "streamd/screen/screencast.h"
#include "streamd/session/capture.h"
#include "streamd/session/proof.h"
#include "streamd/browser/page.h"

#define SCREEN                                                                                     \
	"const told = JSON.stringify([screen.width, screen.height, screen.availWidth, screen.availHeight, screen.availLeft,"\
	" screen.availTop, screen.colorDepth, screen.pixelDepth, screen.orientation.type, devicePixelRatio,"\
	" matchMedia(`(device-width: ${screen.width}px)`).matches]);"

static const struct page pages[] = {
	{ "/sign-in", "<!doctype html><title>sign in</title><h2></h2><script>" SCREEN
		      "document.querySelector('h2').textContent = told; localStorage.screen = told;</script>" },
	{ "/", "<!doctype html><title>in</title><h1 hidden>alice</h1><p></p><i></i><script>" SCREEN
	       "document.querySelector('p').textContent = told; document.querySelector('i').textContent = `${innerWidth}x${innerHeight}`;"
	       "if (localStorage.screen === told) document.querySelector('h1').hidden = false;"
	       "else location.href = '/login?' + told</script>" },
	{ "/login", "<!doctype html><title>login</title><h2>Sign in</h2>" },
};

static void show(void *owner, struct picture *p)
{
	(void)owner, (void)p;
}

static struct browser *open_with(const struct environment *e)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(30000));
	struct browser *b;

	if (browser_open(call, &rig.settings, recipe, e, false, &no_events, NULL, &b) < 0)
		fail_msg("%s", call->refusal.message);
	return b;
}

/* Signs in as in a sign-in that is looked at in a window of this size, and captures. */
static struct state *sign_in(const struct environment *e, int width, int height)
{
	struct browser *b = open_with(e);
	struct screencast *cast = screencast_new(60, show, NULL);
	struct state *s;
	char why[256];

	screencast_set_size(cast, width, height);
	screencast_set_page(cast, target_ref_of(browser_page(b)));
	assert_int_equal(page_navigate(target_ref_of(browser_page(b)), "http://a.test/sign-in", deadline_in(20000), why,
		sizeof(why)), 0);
	print_message("  %dx%d: %s\n", width, height, take(b, NULL, arena, STEP_END_DONE,
		"{\"step\": \"read\", \"at\": {\"css\": \"h2\"}}").text);
	assert_int_equal(capture(b, NO_TARGET, recipe, deadline_in(20000), &s), 0);
	screencast_set_page(cast, NO_TARGET);
	screencast_free(cast);
	browser_close(b);
	return s;
}

/* The state that a run leaves, or NULL unless the site takes it for alice. */
static struct state *run_with(const struct state *s, bool screen, struct proof *p)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(60000));
	struct browser *b = NULL;
	struct state *left = NULL;
	int r = proof_open(call, &rig.settings, recipe, s, "alice", &no_events, NULL, p, &b);

	if (r < 0)
		fail_msg("%s", call_why(call, r));
	print_message("  run: %s %s\n", verdict_word(p->found.verdict), p->found.why);
	if (p->found.verdict == VERDICT_IN && screen)
		assert_string_equal(take(b, NULL, arena, STEP_END_DONE, "{\"step\": \"read\", \"at\": {\"css\": \"i\"}}").text, "1280x800");
	if (p->found.verdict == VERDICT_IN)
		assert_int_equal(capture_whole(b, NO_TARGET, recipe, s, deadline_in(20000), &left), 0);
	browser_close(b);
	return left;
}

PAGE_TEST(test_window_of_any_size)
{
	static const int sizes[][2] = { { 1280, 721 }, { 390, 700 }, { 1920, 1200 } };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		CLEANUP(state_freep) struct state *s = NULL, *left = NULL, *again = NULL;
		struct environment e;
		struct proof p;
		streamd_environment(recipe, sizes[i][0], sizes[i][1], &e);
		s = sign_in(&e, sizes[i][0] - 40, sizes[i][1] - 20); /* it was resized meanwhile */
		left = run_with(s, true, &p); /* in a page of the size that recipes are written for */
		assert_int_equal(p.found.verdict, VERDICT_IN);
		again = run_with(left, true, &p); /* and what a run leaves has the same screen */
		assert_int_equal(p.found.verdict, VERDICT_IN);
	}
}

/* A session from before anybody kept its screen has the one that proof and runs have had ever since. */
PAGE_TEST(test_older_session)
{
	CLEANUP(state_freep) struct state *s = NULL, *left = NULL;
	struct environment e = { .width = 1280, .height = 721 };
	struct browser *b = open_with(&e);
	struct proof p;
	char why[256];

	assert_int_equal(page_navigate(target_ref_of(browser_page(b)), "http://a.test/sign-in", deadline_in(20000), why,
		sizeof(why)), 0);
	assert_string_equal(take(b, NULL, arena, STEP_END_DONE, "{\"step\": \"read\", \"at\": {\"css\": \"h2\"}}").text,
		"[1280,864,1280,864,0,0,24,24,\"landscape-primary\",1,true]");
	assert_int_equal(capture(b, NO_TARGET, recipe, deadline_in(20000), &s), 0);
	browser_close(b);
	left = run_with(s, false, &p);
	assert_int_equal(p.found.verdict, VERDICT_IN);
}

PAGES_RIG(pages, &no_events, recipe->probe.second_look_ms = 0;)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window_of_any_size),
		cmocka_unit_test(test_older_session),
	};

	rig_drop_user();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
