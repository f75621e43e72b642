/* What asks a page and believes nothing: elements, places, lists, dialogs and captures, against one that lies. */
#include "tests/unit/chromium_rig.h"

#include <malloc.h>

#include "common/arena.h"
#include "recipe/recipe.h"
#include "recipe/step.h"
#include "streamd/browser/element.h"
#include "streamd/browser/frame_path.h"
#include "streamd/browser/frames.h"
#include "streamd/run/run_step.h"
#include "streamd/screen/dialogs.h"
#include "streamd/screen/menu.h"
#include "streamd/session/capture.h"
#include "streamd/session/probe.h"

static const char *said; /* what a function in the page returns */
static const char *tree = "{frameTree:{frame:{id:'T0',url:'https://desk.test/',securityOrigin:'https://desk.test'},"
	"childFrames:[{frame:{id:'T1',url:'https://widgets.test/',securityOrigin:'https://widgets.test'}}]}}";
static const char *box = "{model:{content:[#10#20#0#0#0#0#0#0],border:[#1#2#5#2#5#6#1#6]}}";

static bool answer(int64_t id, const char *session, const char *method)
{
	if (strcmp(method, "Runtime.callFunctionOn") == 0)
		rig_answer(id, session, said);
	else if (strcmp(method, "Page.getFrameTree") == 0)
		rig_answer(id, session, strcmp(session, "S0") == 0 ? tree :
			"{frameTree:{frame:{id:'T1',url:'https://widgets.test/',securityOrigin:'https://widgets.test'}}}");
	else if (strcmp(method, "DOM.getBoxModel") == 0)
		rig_answer(id, session, box);
	else
		return false;
	return true;
}

static int look(struct browser *b, const char *frame, struct arena *arena, struct element *ret)
{
	const struct selector at = { .css = "#a", .frame = frame, .nth = 1 };
	const struct wish wishes[] = { { .at = &at, .press = true }, { .at = &at } };

	fake.script = answer;
	return element_wait(rig_page(b), wishes, 2, 1000, arena, ret);
}

static void which_is_one_of_them(struct browser *b)
{
	static const char *const lies[] = { "{result:{value:{which:#2,text:'a'}}}", "{result:{value:{which:#-1}}}",
		"{result:{value:{which:#4611686018427387904}}}", "{result:{value:{which:'1'}}}", "{result:{value:{which:%NAN}}}",
		"{result:{value:'which'}}", "{result:{}}", "{}" };
	struct arena *arena = arena_new(0);
	struct element e;

	for (size_t i = 0; i < FAKE_COUNT(lies); i++) {
		said = lies[i];
		assert_int_equal(look(b, NULL, arena, &e), 0);
		assert_true(e.late);
		assert_int_equal(e.which, 0);
	}
	said = "{result:{value:{which:#1,text:'a',x:#3,y:%4.5}}}";
	assert_int_equal(look(b, NULL, arena, &e), 0);
	assert_false(e.late);
	assert_int_equal(e.which, 1);
	assert_true(e.x == 3 && e.y == 4.5);
	arena_free(arena);
}

/* What is no place is none: neither a number that is none, nor what was on the stack. */
static void places_are_places(struct browser *b)
{
	static const char *const boxes[] = { "{model:{content:[%NAN#1]}}", "{model:{content:[#1]}}", "{model:{content:[]}}", "{}",
		"{model:{content:[%INFINITY#1]}}", "{model:{content:[%1e300#1]}}", "{model:{content:['1'#1]}}" };
	const char *good = box;
	struct arena *arena = arena_new(0);
	struct element e;

	said = "{result:{value:{which:#0,text:'a',x:%NAN,y:%1e300}}}";
	assert_int_equal(look(b, NULL, arena, &e), 0);
	assert_true(e.x == 0 && e.y == 0);
	for (size_t i = 0; i < FAKE_COUNT(boxes); i++) {
		box = boxes[i];
		assert_int_equal(look(b, "https://widgets.test/*", arena, &e), -EREMOTE);
	}
	box = good;
	said = "{result:{value:{which:#0,text:'a',x:#5,y:#5}}}";
	assert_int_equal(look(b, "https://widgets.test/*", arena, &e), 0);
	assert_true(e.x == 15 && e.y == 25);
	arena_free(arena);
}

static void rows_keep_their_shape(struct browser *b)
{
	const struct selector at = { .css = ".row", .nth = 1 };
	const struct step_cell cells[] = { { .css = "a" }, { .css = "b" } };
	struct arena *arena = arena_new(0);
	const struct list_wish wish = { .at = &at, .cells = cells, .cell_count = 2 };
	struct element_list list;
	const char **rows;

	fake.script = answer;
	said = "{result:{value:{rows:[['a1']['a2''b2''c2'][#7'b3']'row'{a:'x',b:'y',c:'z'}]}}}";
	assert_int_equal(element_rows(rig_page(b), &wish, 1000, arena, &list), 0);
	assert_int_equal(list.how, LIST_THERE);
	assert_int_equal(list.count, 5);
	rows = list.rows;
	assert_string_equal(rows[0], "a1");
	assert_string_equal(rows[1], "");
	assert_string_equal(rows[2], "a2");
	assert_string_equal(rows[3], "b2");
	assert_string_equal(rows[4], "");
	assert_string_equal(rows[5], "b3");
	assert_string_equal(rows[6], "");
	said = "{result:{value:{rows:#7}}}"; /* which is no empty list */
	assert_int_equal(element_rows(rig_page(b), &wish, 1000, arena, &list), 0);
	assert_int_equal(list.how, LIST_MARKLESS);
	said = "{result:{value:{unread:'error'status:#503}}}";
	assert_int_equal(element_rows(rig_page(b), &wish, 1000, arena, &list), 0);
	assert_int_equal(list.how, LIST_ERROR_PAGE);
	assert_int_equal(list.status, 503);
	arena_free(arena);
}

/* The page goes while its probe waits. */
static bool detach(int64_t id, const char *session, const char *method)
{
	if (strcmp(method, "Page.navigate") == 0) {
		rig_answer(id, session, "{frameId:'T0',loaderId:'L'}");
		rig_event("S0", "Page.loadEventFired", "{}");
		rig_event("", "Target.detachedFromTarget", "{sessionId:'S0'}");
		return true;
	}
	return false;
}

static void probe_outlives_its_page(struct browser *b)
{
	static const struct selector mark = { .css = "#who", .nth = 1 };
	const struct recipe recipe = { .title = "Desk", .probe = { .url = "https://desk.test/", .in = { .at = (struct selector *)&mark },
		.timeout_ms = 1000 } };
	struct probed seen = { .account = "stale", .why = "stale" };

	fake.script = detach;
	assert_int_equal(probe(rig_page(b), &recipe, deadline_in(5000), &seen), -EPIPE);
	assert_string_equal(seen.account, "");
	assert_non_null(strstr(seen.why, "it stands at no page at all"));
}

/* A tree in which ids, addresses and origins are missing, too long or of another kind. */
static void trees_are_checked(struct browser *b)
{
	const char *good = tree;
	struct arena *arena = arena_new(0);
	struct frame_info *frames;
	struct frame_info *infos;
	size_t count;

	fake.script = answer;
	tree = "{frameTree:{frame:{id:'T0',securityOrigin:'https://desk.test'},childFrames:[{frame:{url:#1}}{frame:{id:#7}}"
		"{frame:{id:'0123456789abcdef0123456789abcdef0123456789abcdef'}}{frame:{id:'F1',securityOrigin:'://'},"
		"childFrames:[{frame:{id:'F2',securityOrigin:'https://x\"><script>1</script>'}}]}{}#7]}}";
	assert_int_equal(page_frames(rig_page(b), arena, deadline_in(1000), &frames, &count), 0);
	assert_int_equal(count, 4); /* and that of the other process */
	assert_int_equal(frames_list(b, NO_TARGET, arena, deadline_in(1000), &infos, &count, NULL), 0);
	for (size_t i = 0; i < count; i++)
		if (strcmp(infos[i].id, "F2") == 0 || strcmp(infos[i].id, "F1") == 0)
			assert_true(!infos[i].origin && !infos[i].key && infos[i].depth == 0);
	tree = good;
	arena_free(arena);
}

/* What was captured before origins were looked at, or by somebody who does not look. */
static int read_state_of(const char *origin)
{
	struct cbor_out *o = cbor_out_new();
	struct state *s = NULL;
	char why[256] = "stale";
	const uint8_t *bytes;
	size_t n;
	int r;

	cbor_put_map(o, 3);
	cbor_put_text(o, "format");
	cbor_put_int(o, STATE_FORMAT);
	cbor_put_text(o, "cookies");
	cbor_put_array(o, 0);
	cbor_put_text(o, "areas");
	cbor_put_array(o, 1);
	cbor_put_map(o, 2);
	cbor_put_text(o, "key");
	cbor_put_text(o, "https://desk.test/");
	cbor_put_text(o, "chain");
	cbor_put_array(o, 2);
	cbor_put_text(o, "https://desk.test");
	cbor_put_text(o, origin);
	assert_int_equal(cbor_out_finish(o, &bytes, &n), 0);
	r = state_read(bytes, n, &s, why, sizeof(why));
	assert_true(r == 0 ? !*why : !!strstr(why, "damaged"));
	cbor_out_free(o);
	state_free(s);
	return r;
}

static void test_states_have_origins(void **state)
{
	(void)state;
	assert_int_equal(read_state_of("https://widgets.test"), 0);
	assert_int_equal(read_state_of("https://x\"><script>1</script>"), -EBADMSG);
	assert_int_equal(read_state_of("null"), -EBADMSG);
}

static void tell_nobody(void *owner, const struct method *event, const void *fields)
{
	(void)owner, (void)event, (void)fields;
}

static struct dialogs *dialogs;

static void on_dialog(void *owner, struct target *page, const struct cbor *params)
{
	(void)owner;
	if (params)
		dialogs_add(dialogs, page, params);
	else
		dialogs_remove(dialogs, page, true, false);
}

static const struct browser_events dialog_events = { .dialog = on_dialog };

static void say_dialog(size_t n)
{
	cbor_cdp_map_begin(fake.out);
	cbor_put_text(fake.out, "method");
	cbor_put_text(fake.out, "Page.javascriptDialogOpening");
	fake_put_session("S0");
	cbor_put_text(fake.out, "params");
	cbor_cdp_map_begin(fake.out);
	cbor_put_text(fake.out, "message");
	fake_put_long(n);
	cbor_cdp_map_end(fake.out);
	cbor_cdp_map_end(fake.out);
	fake_send();
}

static void dialogs_are_cut(struct browser *b)
{
	int64_t number;
	size_t before;

	(void)b;
	dialogs = dialogs_new(tell_nobody, NULL);
	say_dialog(69998); /* what it takes to hear of one is there from now on */
	rig_event("S0", "Page.javascriptDialogClosed", "{}");
	rig_settle();
	before = mallinfo2().uordblks;
	say_dialog(69998);
	rig_settle();
	assert_true(mallinfo2().uordblks < before + 60000); /* nor is more of it kept than is shown */
	assert_non_null(dialogs_shown(dialogs));
	assert_in_range(strlen(dialogs_shown(dialogs)->message), 1, 4096);
	number = dialogs_shown(dialogs)->dialog;
	rig_event("", "Target.detachedFromTarget", "{sessionId:'S0'}");
	rig_settle();
	assert_null(dialogs_shown(dialogs));
	dialogs_answer(dialogs, number, true, NULL, NULL);
	dialogs = dialogs_free(dialogs);
}

/* Each of 46 frames has as much in its storage as one may have; together it is more than can be taken along. */
static int reads;

static void answer_large(int64_t id, const char *session)
{
	static char text[2 << 20];

	memset(text, 'a', sizeof(text));
	cbor_cdp_map_begin(fake.out);
	cbor_put_text(fake.out, "id");
	cbor_put_int(fake.out, id);
	fake_put_session(session);
	cbor_put_text(fake.out, "result");
	cbor_cdp_map_begin(fake.out);
	cbor_put_text(fake.out, "result");
	cbor_cdp_map_begin(fake.out);
	cbor_put_text(fake.out, "value");
	cbor_cdp_map_begin(fake.out);
	cbor_put_text(fake.out, "text");
	cbor_put_text_n(fake.out, text, sizeof(text));
	cbor_cdp_map_end(fake.out);
	cbor_cdp_map_end(fake.out);
	cbor_cdp_map_end(fake.out);
	cbor_cdp_map_end(fake.out);
	fake_send();
}

static void answer_tree(int64_t id, const char *session, int children)
{
	char shape[16384];
	int n = snprintf(shape, sizeof(shape),
		"{frameTree:{frame:{id:'T0',url:'https://desk.test/',securityOrigin:'https://desk.test'},childFrames:[");

	for (int i = 0; i < children; i++)
		n += snprintf(shape + n, sizeof(shape) - (size_t)n, "{frame:{id:'F%d',securityOrigin:'https://o%d.test'}}", i, i);
	snprintf(shape + n, sizeof(shape) - (size_t)n, "]}}");
	rig_answer(id, session, shape);
}

static bool answer_many(int64_t id, const char *session, const char *method)
{
	static int key;
	char shape[64];

	if (strcmp(method, "Runtime.callFunctionOn") == 0) {
		reads++;
		answer_large(id, session);
	} else if (strcmp(method, "Page.getFrameTree") == 0 && strcmp(session, "S0") == 0) {
		answer_tree(id, session, 100);
	} else if (strcmp(method, "Storage.getStorageKey") == 0) {
		snprintf(shape, sizeof(shape), "{storageKey:'https://o%d.test/'}", key++);
		rig_answer(id, session, shape);
	} else if (strcmp(method, "Storage.getCookies") == 0) {
		rig_answer(id, session, "{cookies:[]}");
	} else {
		return false;
	}
	return true;
}

static void capture_ends_when_it_is_full(struct browser *b)
{
	const struct recipe recipe = { .name = "desk" };
	struct state *state = NULL;

	reads = 0;
	fake.script = answer_many;
	assert_int_equal(capture(b, NO_TARGET, &recipe, deadline_in(60000), &state), -E2BIG);
	assert_null(state);
	assert_in_range(reads, 3 * 15, 3 * 17); /* of a hundred, with two texts each: what is too much is not even read */
}

static int asked;

/* Late at once, and with much to say, however often it is asked. */
static bool answer_at_once(int64_t id, const char *session, const char *method)
{
	if (strcmp(method, "Runtime.callFunctionOn") != 0)
		return false;
	asked++;
	cbor_cdp_map_begin(fake.out);
	cbor_put_text(fake.out, "id");
	cbor_put_int(fake.out, id);
	fake_put_session(session);
	cbor_put_text(fake.out, "result");
	cbor_cdp_map_begin(fake.out);
	cbor_put_text(fake.out, "result");
	cbor_cdp_map_begin(fake.out);
	cbor_put_text(fake.out, "value");
	cbor_cdp_map_begin(fake.out);
	cbor_put_text(fake.out, asked % 2 ? "seen" : "moved");
	if (asked % 2)
		fake_put_long(69998);
	else
		cbor_put_bool(fake.out, true);
	cbor_cdp_map_end(fake.out);
	cbor_cdp_map_end(fake.out);
	cbor_cdp_map_end(fake.out);
	cbor_cdp_map_end(fake.out);
	fake_send();
	return true;
}

static void hasty_page_is_asked_in_turn(struct browser *b)
{
	json_t *json = json_loads("{\"step\": \"wait_for\", \"at\": {\"css\": \"#a\"}, \"timeout_ms\": 10000}", 0, NULL);
	struct arena *arena = arena_new(0);
	struct step_result done;
	struct step step;
	char why[256];
	size_t before;

	assert_int_equal(step_parse(arena, json, &step, why, sizeof(why)), 0);
	fake.script = answer_at_once;
	asked = 0;
	before = mallinfo2().uordblks;
	assert_int_equal(run_step_carry_out(b, NULL, NULL, &step, arena, &done), 0);
	assert_int_equal(done.end, STEP_END_MISSING);
	assert_in_range(asked, 10, 10000 / 16 + 2);
	assert_true(mallinfo2().uordblks < before + 1000000);
	arena_free(arena);
	json_decref(json);
}

#define TEST(name_)                                                                                \
	static void test_##name_(void **state)                                                     \
	{                                                                                          \
		(void)state;                                                                       \
		with_chromium(name_);                                                              \
	}
TEST(which_is_one_of_them)
TEST(places_are_places)
TEST(rows_keep_their_shape)
TEST(probe_outlives_its_page)
TEST(trees_are_checked)
TEST(capture_ends_when_it_is_full)
TEST(hasty_page_is_asked_in_turn)

static void test_dialogs_are_cut(void **state)
{
	(void)state;
	with_chromium_told(dialogs_are_cut, &dialog_events, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_is_one_of_them),
		cmocka_unit_test(test_places_are_places),
		cmocka_unit_test(test_rows_keep_their_shape),
		cmocka_unit_test(test_probe_outlives_its_page),
		cmocka_unit_test(test_trees_are_checked),
		cmocka_unit_test(test_states_have_origins),
		cmocka_unit_test(test_dialogs_are_cut),
		cmocka_unit_test(test_capture_ends_when_it_is_full),
		cmocka_unit_test(test_hasty_page_is_asked_in_turn),
	};
	int r;

	log_open("test", LOG_ERROR);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	loop_deinit();
	fiber_drop_stacks();
	return r;
}
