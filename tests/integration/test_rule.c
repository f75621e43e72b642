/*
 * When a sign-in is complete, where it went on in a window of its own: whichever page fits counts, and what that one has is
 * what is kept.
 */
#include "tests/integration/test_pages_rig.h"

#include "streamd/session/capture.h"
#include "streamd/session/rule.h"

static const struct page pages[] = {
	{ "/login", "<!doctype html><title>login</title><form action=/desk target=_blank><button>Sign in</button></form>"
		    "<script>sessionStorage.token = 'of nobody'; localStorage.seen = 1</script>" },
	{ "/desk", "<!doctype html><title>desk</title><h1>alice</h1><script>sessionStorage.token = 'alice'</script>" },
	{ "/next", "<!doctype html><title>next</title><p>not yet</p>" },
};

static struct selector mark = { .css = "h1", .nth = 1 };
static const char *desk[] = { "http://a.test/desk*" };
static struct target_ref check(char why[512])
{
	struct target_ref page;

	assert_int_equal(rule_check(rig.browser, recipe, NULL, deadline_in(20000), &page, why, 512), 0);
	print_message("  %s%s\n", page.number ? "signed in at " : why, page.number ? url_shown(target_of(page)->url) : "");
	return page;
}

/* The form of the first page opens another tab, and stays. */
PAGE_TEST(test_new_tab)
{
	struct recipe_item token = { .origin = "http://a.test", .key = "token" };
	CLEANUP(state_freep) struct state *s = NULL;
	uint8_t first[32], second[32];
	struct target_ref page;
	char why[512];

	recipe->signed_in = (struct recipe_signed_in){ .url = desk, .url_count = 1, .mark = &mark, .session_storage = &token,
		.session_storage_count = 1 };
	go("/login");
	assert_int_equal(check(why).number, 0);
	assert_string_equal(why, "The page is at http://a.test/login, and Pages is signed in to once it is at http://a.test/desk*.");
	assert_int_equal(capture(rig.browser, NO_TARGET, recipe, deadline_in(20000), &s), 0);
	assert_true(state_item_digest(s, true, "http://a.test", "token", first));
	ok("{\"step\": \"click\", \"at\": {\"css\": \"button\"}}");
	ok("{\"step\": \"wait_for\", \"page\": \"http://a.test/desk*\"}");
	page = check(why);
	assert_true(page.number);
	assert_string_equal(why, "");
	assert_ptr_not_equal(target_of(page), browser_page(rig.browser));
	s = state_free(s);
	assert_int_equal(capture_whole(rig.browser, page, recipe, NULL, deadline_in(20000), &s), 0);
	assert_true(state_item_digest(s, true, "http://a.test", "token", second));
	assert_memory_not_equal(first, second, 32); /* and not the one of the page that stays */
}

/* Of several whose address fits, the one with the mark. */
PAGE_TEST(test_mark_of_another)
{
	char why[512];

	recipe->signed_in = (struct recipe_signed_in){ .mark = &mark };
	assert_true(check(why).number);
	ok("{\"step\": \"open\", \"url\": \"http://a.test/next\"}"); /* the newer page */
	assert_int_equal(check(why).number, 0);
	assert_string_equal(why, "The mark of a signed-in person is not on the page yet.");
}

/* All of some, and any of others. */
PAGE_TEST(test_several)
{
	struct selector all[] = { { .css = "h1", .nth = 1 }, { .css = "title", .nth = 1, .hidden = true } };
	struct selector any[] = { { .css = "#never", .nth = 1 }, { .css = "h1", .nth = 1 } };
	char why[512];

	ok("{\"step\": \"open\", \"url\": \"http://a.test/desk\"}");
	recipe->signed_in = (struct recipe_signed_in){ .url = desk, .url_count = 1, .all = all, .all_count = 2,
		.any = any, .any_count = 2 };
	assert_true(check(why).number);
	any[1].css = "h2";
	assert_int_equal(check(why).number, 0);
	assert_string_equal(why, "None of the marks of a signed-in person is on the page yet.");
	all[1].hidden = false;
	assert_int_equal(check(why).number, 0);
	assert_string_equal(why, "A mark of a signed-in person is not on the page yet: title.");
}

PAGES_RIG(pages, &no_events)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_tab),
		cmocka_unit_test(test_mark_of_another),
		cmocka_unit_test(test_several),
	};

	rig_drop_user();
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
