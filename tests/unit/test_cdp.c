/* streamd/browser/cdp.c and the targets that come of it, against a Chromium whose renderers lie. */
#include "tests/unit/chromium_rig.h"
#include "streamd/browser/page.h"

static const char *text_of(struct cdp_reply *r, const char *key)
{
	return cbor_get_utf8(r->arena, r->result, key);
}

/* Another session's renderer counts with the same numbers, and knows them. */
static bool answer_for_another(int64_t id, const char *session, const char *method)
{
	if (strcmp(method, "Page.getFrameTree") != 0)
		return false;
	rig_answer(id, "S1", "{who:'S1'}");
	rig_answer(id, "", "{who:'nobody'}");
	rig_answer(id + 1, session, "{who:'another call'}");
	rig_answer(id, session, "{who:'S0'}");
	rig_answer(id, session, "{who:'late'}");
	return true;
}

static void answers_are_of_their_session(struct browser *b)
{
	struct cdp_reply reply;

	fake.script = answer_for_another;
	assert_int_equal(target_call(rig_page(b), "Page.getFrameTree", deadline_in(1000), &reply), 0);
	assert_string_equal(text_of(&reply, "who"), "S0");
	cdp_reply_free(&reply);
}

static bool refuse_unknown(int64_t id, const char *session, const char *method)
{
	(void)session;
	if (strcmp(method, "Page.getFrameTree") != 0)
		return false;
	rig_say(id, "", NULL, "error", "{message:'Session with given id not found.'}");
	return true;
}

/* That is said in the browser's own session, to which no renderer writes. */
static void unknown_session_is_refused(struct browser *b)
{
	struct cdp_reply reply;

	fake.script = refuse_unknown;
	assert_int_equal(target_call(rig_page(b), "Page.getFrameTree", deadline_in(1000), &reply), -EREMOTE);
	assert_string_equal(reply.error, "Session with given id not found.");
}

static bool answer_other_session_alone(int64_t id, const char *session, const char *method)
{
	(void)session;
	if (strcmp(method, "Page.getFrameTree") != 0)
		return false;
	rig_answer(id, "S1", "{who:'S1'}");
	return true;
}

static void nobody_answers_for_another(struct browser *b)
{
	fake.script = answer_other_session_alone;
	assert_int_equal(target_call(rig_page(b), "Page.getFrameTree", deadline_in(1000), NULL), -ETIMEDOUT);
}

static bool detach_page(int64_t id, const char *session, const char *method)
{
	(void)id, (void)session;
	if (strcmp(method, "Page.navigate") != 0)
		return false;
	rig_event("", "Target.detachedFromTarget", "{sessionId:'S0'}");
	return true;
}

/* And its frame with it, which nothing is heard of any more. */
static void gone_target_is_none(struct browser *b)
{
	struct target_ref page = rig_page(b), frame = target_ref_of(browser_target_by_session(b, "S1"));
	char why[64] = "stale";

	assert_non_null(target_of(frame));
	fake.script = detach_page;
	assert_int_equal(page_navigate(page, "https://desk.test/", deadline_in(1000), why, sizeof(why)), -EPIPE);
	assert_string_equal(why, "");
	assert_null(target_of(page));
	assert_null(target_of(frame));
	assert_int_equal(rig_count(b), 0);
	assert_int_equal(target_call(page, "Page.getFrameTree", deadline_in(1000), NULL), -EPIPE);
	assert_int_equal(page_navigate(NO_TARGET, "https://desk.test/", deadline_in(1000), why, sizeof(why)), -EPIPE);
}

/* A page's own process says that another's page has gone, moved, crashed or come. */
static void session_speaks_of_its_own(struct browser *b)
{
	struct target *page = browser_target_by_session(b, "S0");
	struct target_ref held = rig_page(b);

	rig_event("S1", "Target.detachedFromTarget", "{sessionId:'S0'}");
	rig_event("S1", "Target.targetInfoChanged", "{targetInfo:{targetId:'T0',url:'https://evil.test/',title:'Desk'}}");
	rig_event("S1", "Target.targetCrashed", "{targetId:'T0'}");
	rig_event("S1", "Target.attachedToTarget", "{sessionId:'S9',targetInfo:{targetId:'T9',type:'page',url:'https://evil.test/'}}");
	rig_event("S9", "Page.frameNavigated", "{frame:{id:'T0',url:'https://evil.test/'}}");
	rig_settle();
	assert_ptr_equal(target_of(held), page);
	assert_int_equal(rig_count(b), 2);
	assert_false(page->crashed);
	assert_string_equal(url_whole(page->url), "https://desk.test/finder");
	rig_event("S0", "Target.detachedFromTarget", "{sessionId:'S1'}");
	rig_settle();
	assert_int_equal(rig_count(b), 1);
}

#define LONG_ID "0123456789abcdef0123456789abcdef0123456789abcdef"

/* Cut, it could be another's. */
static void long_ids_are_refused(struct browser *b)
{
	struct cdp_reply reply;

	rig_event("", "Target.attachedToTarget", "{sessionId:'S9',targetInfo:{targetId:'" LONG_ID "',type:'page',url:'about:blank'}}");
	rig_event("", "Target.attachedToTarget", "{sessionId:'" LONG_ID "',targetInfo:{targetId:'T9',type:'page',url:'about:blank'}}");
	rig_event("", "Target.attachedToTarget", "{sessionId:'S0',targetInfo:{targetId:'T9',type:'page',url:'about:blank'}}");
	rig_event("", "Target.attachedToTarget", "{sessionId:'S9',targetInfo:{targetId:'T0',type:'page',url:'about:blank'}}");
	rig_settle();
	assert_int_equal(rig_count(b), 2);
	assert_int_equal(cdp_call(browser_cdp(b), LONG_ID, "Page.enable", deadline_in(1000), &reply), -EINVAL);
}

static int closed;

static bool count_closed(int64_t id, const char *session, const char *method)
{
	closed += strcmp(method, "Target.closeTarget") == 0;
	rig_answer(id, session, "{}");
	return true;
}

/* So many pages have been closed; a little later no more than that are. */
static void await_closed(int n)
{
	int64_t late = deadline_in(10000);

	while (closed < n && loop_now() < late)
		rig_settle();
	rig_settle();
}

static void storm_is_refused(struct browser *b)
{
	closed = 0;
	fake.script = count_closed;
	for (int i = 0; i < 500; i++)
		rig_event("", "Target.attachedToTarget", "{targetInfo:{targetId:$U,type:'page',url:'about:blank'},sessionId:$V}");
	for (int i = 0; i < 500; i++)
		rig_event("S0", "Target.attachedToTarget", "{targetInfo:{targetId:$U,type:'iframe',url:'about:blank'},sessionId:$V}");
	await_closed(500 + 2 - BROWSER_MOST_TARGETS);
	assert_int_equal(rig_count(b), BROWSER_MOST_TARGETS);
	assert_int_equal(closed, 500 + 2 - BROWSER_MOST_TARGETS);
}

static int warnings;

static void count_warning(enum log_level level, const char *line)
{
	(void)line;
	warnings += level <= LOG_WARNING;
}

/* Windows that go to files, one after another: each is closed, and the log is told once. */
static void barred_pages_fill_no_log(struct browser *b)
{
	(void)b;
	closed = warnings = 0;
	fake.script = count_closed;
	log_capture(count_warning);
	for (int i = 0; i < 100; i++) {
		rig_event("", "Target.attachedToTarget",
			"{targetInfo:{targetId:$U,type:'page',url:'file:///etc/passwd'},sessionId:'barred'}");
		rig_event("", "Target.detachedFromTarget", "{sessionId:'barred'}");
	}
	await_closed(100);
	log_capture(NULL);
	assert_int_equal(closed, 100);
	assert_int_equal(warnings, 1);
}

static size_t longest_title;

static void note_title(void *owner, struct target *page)
{
	(void)owner;
	if (strlen(page->title) > longest_title)
		longest_title = strlen(page->title);
}

static const struct browser_events title_events = { .page_changed = note_title };

static void say_title(size_t n)
{
	cbor_cdp_map_begin(fake.out);
	cbor_put_text(fake.out, "method");
	cbor_put_text(fake.out, "Target.targetInfoChanged");
	cbor_put_text(fake.out, "params");
	cbor_cdp_map_begin(fake.out);
	cbor_put_text(fake.out, "targetInfo");
	cbor_cdp_map_begin(fake.out);
	cbor_put_text(fake.out, "targetId");
	cbor_put_text(fake.out, "T0");
	cbor_put_text(fake.out, "title");
	fake_put_long(n);
	cbor_put_text(fake.out, "url");
	fake_put_long(n);
	cbor_cdp_map_end(fake.out);
	cbor_cdp_map_end(fake.out);
	cbor_cdp_map_end(fake.out);
	fake_send();
}

static void titles_are_cut(struct browser *b)
{
	struct target *page = browser_page(b);

	longest_title = 0;
	say_title(69998);
	rig_settle();
	assert_in_range(longest_title, 1, 1024);
	assert_true(strlen(url_whole(page->url)) <= URL_MOST);
}

/* Chromium that does not read: what it is told has an end, and so has the browser. */
static void queue_has_an_end(struct browser *b)
{
	enum { EACH = 1 << 20 };
	struct cdp_reply reply;
	char *bytes = calloc(1, EACH);
	int sent = 0;

	bufferevent_disable(fake.pipe, EV_READ);
	while (sent < 1000 && !b->given_up) {
		cdp_send(browser_cdp(b), "S0", "Input.insertText", CDP_BINARY("text", bytes, EACH));
		sent++;
	}
	free(bytes);
	assert_in_range(sent, 64, 140);
	assert_int_equal(cdp_call(browser_cdp(b), "", "Browser.getVersion", deadline_in(1000), &reply), -ECONNRESET);
	assert_string_equal(browser_why_ended(b), "The browser stopped reading what it was told.");
}

static void broken_messages_have_an_end(struct browser *b)
{
	static const uint8_t broken[] = { 0xd8, 0x18, 0x5a, 0, 0, 0, 1, 0xff };

	for (int i = 0; i < 63; i++)
		bufferevent_write(fake.pipe, broken, sizeof(broken));
	rig_settle();
	assert_null(b->given_up);
	bufferevent_write(fake.pipe, broken, sizeof(broken));
	rig_settle();
	assert_non_null(browser_why_ended(b));
}

/* An origin comes into a document of ours, whose script would be another's. */
static void only_origins_are_remembered(struct browser *b)
{
	size_t count;
	bool more;

	rig_event("S0", "Page.navigatedWithinDocument", "{frameId:'T0',url:'https://sso.test\"><script>1</script>/x'}");
	rig_event("S0", "Page.navigatedWithinDocument", "{frameId:'T0',url:'https://user:pw@sso.test/x?a@b'}");
	rig_event("S0", "Page.navigatedWithinDocument", "{frameId:'T0',url:'https://sso.test/x'}");
	rig_settle();
	browser_origins_seen(b, &count, &more);
	assert_int_equal(count, 1); /* without the user who stood in one of them */
	assert_string_equal(browser_origins_seen(b, &count, &more)[0], "https://sso.test");
	assert_false(more);
	for (int i = 0; i < 40; i++)
		rig_event("S0", "Page.navigatedWithinDocument", i % 2 ? "{frameId:'T0',url:'https://a.test'}" : "{frameId:'T0',url:'https://b.test'}");
	rig_settle();
	browser_origins_seen(b, &count, &more);
	assert_int_equal(count, 3);
}

static void origins_have_an_end(struct browser *b)
{
	char shape[128];
	size_t count;
	bool more;

	for (int i = 0; i < BROWSER_MOST_SEEN; i++) {
		snprintf(shape, sizeof(shape), "{frameId:'T0',url:'https://o%d.test/'}", i);
		rig_event("S0", "Page.navigatedWithinDocument", shape);
	}
	rig_settle();
	browser_origins_seen(b, &count, &more);
	assert_int_equal(count, BROWSER_MOST_SEEN);
	assert_false(more);
	rig_event("S0", "Page.navigatedWithinDocument", "{frameId:'T0',url:'https://another.test/'}");
	rig_settle();
	browser_origins_seen(b, &count, &more);
	assert_int_equal(count, BROWSER_MOST_SEEN);
	assert_true(more); /* the capture says so */
}

/* A site's popup that comes while a tab of ours is opened is no tab of ours. */
static bool popup_between(int64_t id, const char *session, const char *method)
{
	if (strcmp(method, "Target.createTarget") != 0)
		return false;
	rig_event("", "Target.attachedToTarget",
		"{sessionId:'S8',targetInfo:{targetId:'T8',type:'page',url:'https://desk.test/',openerId:'T0'}}");
	rig_event("", "Target.attachedToTarget", "{sessionId:'S9',targetInfo:{targetId:'T9',type:'page',url:'about:blank'}}");
	rig_answer(id, session, "{targetId:'T9'}");
	return true;
}

static bool name_anothers(int64_t id, const char *session, const char *method)
{
	if (strcmp(method, "Target.createTarget") != 0)
		return false;
	rig_answer(id, session, "{targetId:'T0'}");
	return true;
}

static void hidden_tab_is_ours(struct browser *b)
{
	struct target_ref tab;

	fake.script = popup_between;
	assert_int_equal(browser_open_hidden(b, false, deadline_in(1000), &tab), 0);
	assert_string_equal(target_of(tab)->id, "T9");
	assert_false(browser_target_by_id(b, "T8")->hidden);
	assert_true(target_of(tab)->hidden);
	fake.script = name_anothers;
	assert_int_equal(browser_open_hidden(b, false, deadline_in(1000), &tab), -EPIPE);
	assert_int_equal(tab.number, 0);
}

#define TEST(name_)                                                                                \
	static void test_##name_(void **state)                                                     \
	{                                                                                          \
		(void)state;                                                                       \
		with_chromium(name_);                                                              \
	}
TEST(answers_are_of_their_session)
TEST(unknown_session_is_refused)
TEST(nobody_answers_for_another)
TEST(gone_target_is_none)
TEST(session_speaks_of_its_own)
TEST(long_ids_are_refused)
TEST(storm_is_refused)
TEST(barred_pages_fill_no_log)
TEST(queue_has_an_end)
TEST(broken_messages_have_an_end)
TEST(only_origins_are_remembered)
TEST(origins_have_an_end)
TEST(hidden_tab_is_ours)

static void test_titles_are_cut(void **state)
{
	(void)state;
	with_chromium_told(titles_are_cut, &title_events, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_are_of_their_session),
		cmocka_unit_test(test_unknown_session_is_refused),
		cmocka_unit_test(test_nobody_answers_for_another),
		cmocka_unit_test(test_gone_target_is_none),
		cmocka_unit_test(test_session_speaks_of_its_own),
		cmocka_unit_test(test_long_ids_are_refused),
		cmocka_unit_test(test_storm_is_refused),
		cmocka_unit_test(test_barred_pages_fill_no_log),
		cmocka_unit_test(test_titles_are_cut),
		cmocka_unit_test(test_queue_has_an_end),
		cmocka_unit_test(test_broken_messages_have_an_end),
		cmocka_unit_test(test_only_origins_are_remembered),
		cmocka_unit_test(test_origins_have_an_end),
		cmocka_unit_test(test_hidden_tab_is_ours),
	};
	int r;

	log_open("test", LOG_ERROR);
	r = cmocka_run_group_tests(tests, NULL, NULL);

	loop_deinit();
	fiber_drop_stacks();
	return r;
}
