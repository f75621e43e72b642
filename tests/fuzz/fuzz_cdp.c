/*
 * All of streamd that speaks to Chromium, over a real socket, to one that lies (tests/fuzz/fake_chromium.h): a screen with
 * its events, its dialogs, lists and pictures, and beside it up to four flows that ask, wait, and find what they asked
 * about gone. The first bytes say which flows, the rest is Chromium's.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/memfd.h"
#include "proto/field.h"
#include "recipe/step.h"
#include "streamd/browser/browser_inside.h"
#include "streamd/browser/element.h"
#include "streamd/browser/frame_path.h"
#include "streamd/browser/frames.h"
#include "streamd/browser/page.h"
#include "streamd/run/run_step.h"
#include "streamd/screen/dialogs.h"
#include "streamd/screen/hands.h"
#include "streamd/screen/menu.h"
#include "streamd/screen/notes.h"
#include "streamd/screen/screen.h"
#include "streamd/screen/screencast.h"
#include "streamd/screen/tabs.h"
#include "streamd/screen/target_info.h"
#include "streamd/screen/trouble.h"
#include "streamd/session/capture.h"
#include "streamd/session/probe.h"
#include "streamd/session/restore.h"
#include "streamd/session/rule.h"
#include "tests/fuzz/fake_chromium.h"
#include "tests/fuzz/virtual_time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST_FLOWS 4
#define FLOW_MS    3000

static const char site[] =
	"{ \"title\": \"Desk\", \"home\": \"https://desk.test/\", \"sign_in\": { \"url\": \"https://desk.test/login\" },"
	" \"hosts\": [\"desk.test\", \"sso.test\"], \"identity_providers\": [\"sso.test\"],"
	" \"signed_in\": { \"url\": [\"https://desk.test/finder*\"], \"cookies\": [{ \"name\": \"text\", \"host\": \"desk.test\" }],"
	" \"local_storage\": [{ \"origin\": \"https://desk.test\", \"key\": \"text\" }], \"mark\": { \"css\": \"#who\" } },"
	" \"settle\": { \"quiet_ms\": 100, \"cap_ms\": 1000 },"
	" \"probe\": { \"url\": \"https://desk.test/finder\", \"in\": { \"at\": { \"css\": \"#who\" } },"
	" \"out\": { \"url\": [\"https://desk.test/login*\"], \"at\": { \"css\": \"#out\" } }, \"timeout_ms\": 2000,"
	" \"requests\": [\"https://desk.test/*\"] } }";

static const char *const steps[] = {
	"{\"step\": \"open\", \"url\": \"https://desk.test/finder\", \"timeout_ms\": 2000}",
	"{\"step\": \"click\", \"at\": {\"css\": \"#b\"}, \"timeout_ms\": 1000}",
	"{\"step\": \"click\", \"at\": {\"css\": \"#b\", \"frame\": \"https://widgets.test/*\"}, \"timeout_ms\": 1000}",
	"{\"step\": \"hover\", \"at\": {\"css\": \"#b\"}, \"timeout_ms\": 1000}",
	"{\"step\": \"double_click\", \"at\": {\"css\": \"#b\"}, \"timeout_ms\": 1000}",
	"{\"step\": \"drag\", \"at\": {\"css\": \"#b\"}, \"to\": {\"css\": \"#f\"}, \"timeout_ms\": 1000}",
	"{\"step\": \"press\", \"keys\": \"Control+Enter\", \"at\": {\"css\": \"#f\"}, \"timeout_ms\": 1000}",
	"{\"step\": \"check\", \"at\": {\"css\": \"#b\"}, \"timeout_ms\": 1000}",
	"{\"step\": \"upload\", \"at\": {\"css\": \"#f\"}, \"file\": {\"name\": \"a\", \"text\": \"text\"}, \"timeout_ms\": 1000}",
	"{\"step\": \"fill\", \"at\": {\"css\": \"#f\"}, \"value\": \"text\", \"timeout_ms\": 1000}",
	"{\"step\": \"choose\", \"at\": {\"css\": \"#s\"}, \"value\": \"text\", \"timeout_ms\": 1000}",
	"{\"step\": \"wait_for\", \"at\": {\"css\": \"#g\"}, \"gone\": true, \"timeout_ms\": 1000}",
	"{\"step\": \"wait_for\", \"page\": \"https://desk.test/finder*\", \"timeout_ms\": 1000}",
	"{\"step\": \"read\", \"at\": {\"css\": \"#who\"}, \"timeout_ms\": 1000}",
	"{\"step\": \"read\", \"at\": {\"css\": \".row\"}, \"all\": true, \"cells\": [{\"name\": \"date\"}], \"timeout_ms\": 1000}",
	"{\"step\": \"picture\", \"timeout_ms\": 0}",
	"{\"step\": \"expect\", \"at\": {\"css\": \"h1\"}, \"value\": \"text\", \"timeout_ms\": 1000}",
};

static const struct recipe *recipe;
static struct screen *screen; /* the one of this run */

static void set_up(void)
{
	char why[256];

	if (recipe)
		return;
	log_open("fuzz", LOG_ERROR);
	if (loop_init() < 0 || recipe_parse("desk.json", site, sizeof(site) - 1, &recipe, why, sizeof(why)) < 0)
		abort();
}

/* What viewers are told keeps to its rows, whatever the page says. */
static void check_event(void *owner, const struct method *event, const void *fields)
{
	struct refusal why;
	struct bytes t = { 0 };
	int fd;

	(void)owner;
	if (fields_write(&t, event->params(), fields, &fd, &why) < 0)
		abort();
	bytes_free(&t);
}

static void let_go(void *owner, const struct said *said)
{
	(void)owner, (void)said;
}

static void on_picture(void *owner, struct picture *p)
{
	(void)owner, (void)p;
}

/* Whatever is shown, logged or stored as a sentence is one, and fits. */
static void check_words(const char *why, size_t size)
{
	if (!memchr(why, '\0', size))
		abort();
	for (; *why; why++)
		if ((unsigned char)*why < 0x20)
			abort();
}

static void flow_element(struct browser *b, struct arena *arena)
{
	const struct selector framed = { .css = "#f", .frame = "https://widgets.test/*", .nth = 1 };
	const struct selector plain = { .css = "#p", .nth = 1 };
	const struct wish wishes[] = { { .at = fake_byte() & 1 ? &framed : &plain, .press = true },
		{ .at = &plain, .gone = true } };
	struct element e;
	struct edited held;

	if (element_wait(target_ref_of(browser_page(b)), wishes, 2, FLOW_MS, arena, &e) < 0)
		return;
	if (!e.late && !e.moved && (e.which > 1 || !(e.x < 1e9 && e.x > -1e9) || !(e.y < 1e9 && e.y > -1e9)))
		abort();
	element_edit(&e, EDIT_HELD, "text", deadline_in(FLOW_MS), arena, &held);
}

static void flow_frames(struct browser *b, struct arena *arena)
{
	struct target_ref page = target_ref_of(browser_page(b));
	struct frame_info *frames;
	struct frame_info *infos;
	double x, y;
	size_t count = 0;

	if (page_frames(page, arena, deadline_in(FLOW_MS), &frames, &count) == 0)
		for (size_t i = 0; i < count && i < 4; i++)
			if (frame_offset(frames[i].target, frames[i].id, deadline_in(FLOW_MS), &x, &y) == 0 &&
				!(x < 1e9 && x > -1e9 && y < 1e9 && y > -1e9))
				abort();
	frames_list(b, fake_byte() & 1 ? page : NO_TARGET, arena, deadline_in(FLOW_MS), &infos, &count, NULL);
}

static void flow_capture(struct browser *b, struct arena *arena)
{
	struct state *state = NULL, *again = NULL;
	char why[256];

	(void)arena;
	if (fake_byte() & 1)
		capture(b, NO_TARGET, recipe, deadline_in(FLOW_MS), &state);
	else
		capture_whole(b, NO_TARGET, recipe, NULL, deadline_in(FLOW_MS), &state);
	if (state)
		restore(target_ref_of(browser_page(b)), state, deadline_in(FLOW_MS), why, sizeof(why));
	if (state)
		capture_whole(b, NO_TARGET, recipe, state, deadline_in(FLOW_MS), &again);
	state_free(state);
	state_free(again);
}

static void flow_probe(struct browser *b, struct arena *arena)
{
	struct target_ref page = target_ref_of(browser_page(b));
	struct probed seen;

	(void)arena;
	if ((fake_byte() & 1) && browser_open_hidden(b, true, deadline_in(FLOW_MS), &page) < 0)
		return;
	if (probe(page, recipe, deadline_in(FLOW_MS), &seen) == 0)
		check_words(seen.why, sizeof(seen.why));
}

static void flow_rule(struct browser *b, struct arena *arena)
{
	char why[512] = "";
	struct target_ref page;

	(void)arena;
	if (rule_check(b, recipe, NULL, deadline_in(FLOW_MS), &page, why, sizeof(why)) == 0)
		check_words(why, sizeof(why));
	rule_settle(b, recipe, deadline_in(FLOW_MS));
}

static void flow_step(struct browser *b, struct arena *arena)
{
	json_auto_t *json = json_loads(steps[fake_byte() % FAKE_COUNT(steps)], 0, NULL);
	struct step_result done;
	struct step step;
	char why[256];

	if (step_parse(arena, json, &step, why, sizeof(why)) < 0)
		abort();
	if (run_step_carry_out(b, NULL, recipe, &step, arena, &done) < 0)
		return;
	if (done.reason)
		check_words(done.reason, 1025);
	closep(&done.picture);
}

static void press(struct target *page)
{
	hands_press(screen->hands, page, (const struct cdp_arg[]){ CDP_TEXT("type", "mousePressed"), { 0 } });
	static const struct dispatch_row row = { .method = &method_text_insert };
	struct said said = { .viewer = 1, .row = &row, .call = call_new(NULL, NULL, 0) };

	if (!hands_hold(screen->hands, &said))
		call_free(said.call);
}

static void flow_person(struct browser *b, struct arena *arena)
{
	for (int i = 0; i < 6; i++) {
		unsigned what = fake_byte();
		const struct dialog_opened_event *dialog = dialogs_shown(screen->dialogs);
		const struct menu_opened_event *menu = menus_open(screen->menus);
		struct target *front = browser_front(b);
		struct page_changed_event page;
		struct tabs_changed_event tabs;
		screencast_set_size(screen->screencast, 100 + (int)what, 100);
		screencast_set_on(screen->screencast, what & 1);
		if (what & 2)
			screencast_refresh(screen->screencast);
		if (dialog && (what & 4))
			dialogs_answer(screen->dialogs, dialog->dialog, what & 8, NULL, NULL);
		if (what & 16)
			dialogs_dismiss(screen->dialogs);
		if (menu)
			menu_choose(screen->menus, menu->menu, (int)what - 1);
		tabs_describe(b, arena, &tabs);
		check_event(NULL, &method_tabs_changed, &tabs);
		if (front) {
			press(front);
			target_describe(front, arena, &page);
			check_event(NULL, &method_page_changed, &page);
		}
		fiber_sleep_until(deadline_in(what & 32 ? 100 : 1));
	}
}

static void flow_tab(struct browser *b, struct arena *arena)
{
	struct target_ref tab;
	const char *origin = "https://sso.test";
	char why[128];

	(void)arena;
	if (browser_open_hidden(b, fake_byte() & 1, deadline_in(FLOW_MS), &tab) < 0)
		return;
	page_set_blank(tab, &origin, 1);
	page_navigate(tab, "https://sso.test/.stead/0", deadline_in(FLOW_MS), why, sizeof(why));
	page_set_blank(tab, NULL, 0);
	page_close_hidden(tab);
}

static void (*const flows[])(struct browser *b, struct arena *arena) = { flow_element, flow_frames, flow_capture, flow_probe,
	flow_rule, flow_step, flow_person, flow_tab };

struct flow {
	struct browser *browser;
	void (*run)(struct browser *b, struct arena *arena);
	struct fiber *fiber;
};

static void run_flow(void *arg)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct flow *f = arg;

	f->run(f->browser, arena);
}

/* As screen_new() makes it, but that what it would tell viewers is looked at. */
static struct screen *make_screen(void)
{
	static const struct screen_owner owner;
	struct screen *s = calloc(1, sizeof(*s));

	s->does = &owner;
	s->recipe = recipe;
	s->driven = true;
	LIST_INIT(&s->viewers);
	s->dialogs = dialogs_new(check_event, s);
	s->hands = hands_new(let_go, s);
	s->notes = notes_new(check_event, s);
	s->screencast = screencast_new(60, on_picture, s);
	screencast_set_on(s->screencast, true);
	return s;
}

static void run_flows(struct browser *b, const uint8_t *which, size_t count)
{
	struct flow list[MOST_FLOWS] = { 0 };

	for (size_t i = 0; i < count; i++) {
		list[i] = (struct flow){ .browser = b, .run = flows[which[i] % FAKE_COUNT(flows)] };
		fiber_start("flow", run_flow, &list[i], &list[i].fiber);
	}
	for (size_t i = 0; i < count; i++)
		fiber_join(&list[i].fiber);
}

struct input {
	const uint8_t *data;
	size_t size;
};

static void one_run(void *arg)
{
	const struct environment environment = { .locale = "en-US", .width = 800, .height = 600 };
	const struct input *in = arg;
	size_t count = in->data[0] % MOST_FLOWS + 1;
	struct screen *s = screen = make_screen();
	struct browser *b = browser_new(&environment, &screen_driven_events, s);
	int fd = fake_begin(in->data + MOST_FLOWS + 1, in->size - MOST_FLOWS - 1);

	if (browser_speak(b, fd, deadline_in(20000)) == 0) {
		menus_free(s->menus);
		s->menus = menus_new(check_event, s);
		run_flows(b, in->data + 1, count);
	}
	browser_close(b);
	screen_free(s);
	fake_free();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct fiber *f = NULL;

	if (size <= MOST_FLOWS || size > 4096)
		return 0;
	set_up();
	fiber_start("run", one_run, &in, &f);
	while (!fiber_ended(f))
		loop_turn();
	fiber_join(&f);
	return 0;
}
