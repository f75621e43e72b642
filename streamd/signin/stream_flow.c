/* The flow of a sign-in, from top to bottom: starting, waiting, signed in, proving, saved; or failed, and on again. */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"
#include "streamd/browser/element.h"
#include "streamd/browser/launch.h"
#include "streamd/screen/dialogs.h"
#include "streamd/screen/hands.h"
#include "streamd/screen/menu.h"
#include "streamd/screen/notes.h"
#include "streamd/screen/tabs.h"
#include "streamd/screen/target_info.h"
#include "streamd/screen/trouble.h"
#include "streamd/screen/viewer.h"
#include "streamd/session/capture.h"
#include "streamd/session/dialog_policy.h"
#include "streamd/session/rule.h"
#include "streamd/signin/stream.h"
#include "streamd/signin/stream_proof.h"
#include "streamd/signin/stream_wants.h"

#define START_MS   60000 /* of the browser */
#define OPEN_MS    30000 /* of the first page */
#define CAPTURE_MS 60000
#define LACKS_MS   10000 /* so long the rest of the rule may take */
#define LOOK_MS    700 /* between looks while the addresses fit but the rest of the rule does not */

#define MOST_POPUPS 16 /* windows that opened each other, as far as they are followed back */

/* Waits until something happens, or for ms. */
static int wait_poke(struct stream *s, int64_t ms)
{
	int r = latch_wait(&s->poked, deadline_in(ms));

	return r == -ETIMEDOUT ? 0 : r;
}

static void on_menu_opened(void *owner, const struct menu_opened_event *event)
{
	stream_tell(owner, &method_menu_opened, event);
}

static void on_menu_closed(void *owner, const struct menu_closed_event *event)
{
	stream_tell(owner, &method_menu_closed, event);
}

static const struct menu_listener menu_listener = { on_menu_opened, on_menu_closed };

static void fail_start(struct stream *s, struct call *call, int r)
{
	stream_end(s, STEP_FAILED, launch_why(call, "browser", r), "Try again; if it stays so, tell the administrator.");
}

/* Of the first page, and of those that come in the place of one that is not there; not of what a form says to a wrong password. */
static void look_at_answer(struct stream *s)
{
	const struct target *page = target_of(s->page);

	s->hearing = page && trouble_answered(s->trouble, page, s->recipe->sign_in.url);
	browser_hear_answers(s->browser, s->hearing);
}

static int start(struct stream *s)
{
	CLEANUP(call_freep) struct call *call = call_new(s->daemon, &s->call->acting, deadline_in(START_MS));
	struct environment e;
	char why[256] = "";
	int r;

	stream_set_step(s, STEP_STARTING, "", "");
	streamd_environment(s->recipe, s->width, s->height, &e);
	r = browser_open(call, &s->daemon->settings, s->recipe, &e, false, &stream_browser_events, s, &s->browser);
	streamd_note_start(s->daemon, call, r);
	if (r < 0) {
		if (r != -ECANCELED)
			fail_start(s, call, r);
		return r;
	}
	s->menus = menus_new(&menu_listener, s);
	s->trouble = trouble_new(s->notes, s->recipe->title);
	s->page = target_ref_of(browser_page(s->browser));
	screencast_set_size(s->screencast, s->width, s->height);
	screencast_set_page(s->screencast, s->page);
	stream_set_step(s, STEP_WAITING, "", "");
	stream_note_input(s);
	stream_arm(s);
	browser_hear_answers(s->browser, true);
	r = page_navigate(s->page, s->recipe->sign_in.url, deadline_in(OPEN_MS), why, sizeof(why));
	look_at_answer(s);
	if (r == -EREMOTE || r == -ETIMEDOUT || r == -EPIPE) /* the person is told why (trouble.h) and can reload */
		r = 0;
	return r;
}

/* What the site sets for anybody must not be taken for a sign-in, so it is looked at before the person can act. */
static int look_before(struct stream *s)
{
	char why[512];
	int r;

	s->fits_since = rule_addresses_fit(s->browser, s->recipe, why, sizeof(why)) ? -1 : 0;
	r = capture(s->browser, s->recipe, deadline_in(CAPTURE_MS), &s->before);
	return r == -EREMOTE || r == -EPIPE || r == -ETIMEDOUT ? 0 : r;
}

/* A page whose storage never rests must not keep the person from going on, so what the rule names alone counts. */
static int look_for_change(struct stream *s)
{
	bool changed = false;
	int r = 0;

	if (s->refused && !dialogs_shown(s->dialogs))
		r = rule_has_changed(s->browser, s->recipe, s->refused, deadline_in(CAPTURE_MS), &changed);
	if (changed)
		s->stale = false;
	return r == -ETIMEDOUT || r == -EREMOTE || r == -EPIPE ? 0 : r;
}

/*
 * A rule that is met but for a mark or a cookie may be wrong, and nobody would know; so it is said unasked. Not where the
 * sign-in's own page has such an address, for there the person is still typing.
 */
static void say_what_lacks(struct stream *s, bool fits, const char *why)
{
	char text[600];

	if (!fits) {
		notes_remove(s->notes, NOTE_RULE);
		s->fits_since = 0;
	} else if (s->fits_since == 0) {
		s->fits_since = loop_now();
	} else if (s->fits_since > 0 && loop_now() - s->fits_since > LACKS_MS && *why && !s->stale) {
		words_set(text, sizeof(text), "Stead does not take you for signed in yet. %s", why);
		notes_add(s->notes, NOTE_RULE, "", "plain", false, text,
			"If you are, tell the administrator: the recipe's rule (signed_in) may be old.");
	}
}

/*
 * Until the site's rule holds. "Check now" only makes it look at once, and say what is missing. What the proof has said no to is
 * not looked at again by itself: it would say no for ever, before the person can do anything; unless what the rule names,
 * a token, has come anew.
 */
static int wait_for_sign_in(struct stream *s, struct target_ref *ret)
{
	char why[512] = "";
	int r = 0;

	*ret = NO_TARGET;
	while (r == 0 && !ret->number) {
		bool fits = rule_addresses_fit(s->browser, s->recipe, why, sizeof(why));
		bool pressed = s->done_pressed;
		s->done_pressed = false;
		if (fits && s->stale && !pressed)
			r = look_for_change(s);
		if (r == 0 && fits && !dialogs_shown(s->dialogs) && (pressed || !s->stale))
			r = rule_check(s->browser, s->recipe, s->before, deadline_in(CAPTURE_MS), ret, why, sizeof(why));
		if (r == -ETIMEDOUT) /* a page that is busy, or that has just opened a dialog */
			r = 0;
		if (r < 0 || ret->number)
			break;
		if (pressed || s->step != STEP_WAITING)
			stream_set_step(s, STEP_WAITING, why, "Finish the sign-in in the browser, then press \"Check now\" again.");
		say_what_lacks(s, fits, why);
		r = wait_poke(s, fits ? LOOK_MS : 60000);
	}
	notes_remove(s->notes, NOTE_RULE);
	return r;
}

/* Who the page itself says is signed in, if it shows that; the proof must then show the same. */
static void read_account(struct stream *s, struct target_ref page, char account[257])
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct recipe_probe_in *in = &s->recipe->probe.in;
	const struct wish wish = { .at = in->at, .attribute = in->attribute };
	struct element e;

	account[0] = '\0';
	if (element_wait(page, &wish, 1, 0, arena, &e) < 0 || e.late || e.moved || !e.text)
		return;
	if (!recipe_account(in, e.text, account, 257))
		account[0] = '\0';
}

/* From here on the sign-in browser can neither sign itself out nor rotate anything. */
static int park_and_capture(struct stream *s, struct target_ref page, char account[257], struct state **ret)
{
	int r;

	stream_set_step(s, STEP_SIGNED_IN, "", "");
	dialogs_dismiss(s->dialogs);
	r = rule_settle(s->browser, s->recipe, deadline_in(CAPTURE_MS));
	if (r == 0) {
		read_account(s, page, account);
		r = stream_set_network(s, false);
	}
	if (r == 0)
		r = capture_whole(s->browser, page, s->recipe, NULL, deadline_in(CAPTURE_MS), ret);
	return r;
}

static int wait_for_resume(struct stream *s)
{
	int r = 0;

	s->resume_pressed = s->done_pressed = false;
	while (r == 0 && !s->resume_pressed && !s->done_pressed)
		r = wait_poke(s, 60000);
	if (r == 0)
		r = stream_set_network(s, true);
	if (r == 0) {
		s->resumable = s->tried_again = false;
		s->asked = (struct replacement){ 0 };
		s->account[0] = '\0';
		stream_set_step(s, STEP_WAITING, "", "");
		screencast_refresh(s->screencast);
	}
	return r;
}

/* What the signed-in page is when it has been captured, and what it says itself of whose it is. */
static int capture_signed_in(struct stream *s, struct signed_in *ret)
{
	struct target_ref page;
	int r = wait_for_sign_in(s, &page);

	return r == 0 ? park_and_capture(s, page, ret->account, &ret->state) : r;
}

/* 1: saved; 0: go on; negative: over. */
static int attempt(struct stream *s)
{
	CLEANUP(signed_in_end) struct signed_in it = { 0 };
	int r = capture_signed_in(s, &it);

	if (r == 0)
		r = stream_prove(s, &it);
	if (r == STREAM_CHANGED) { /* a token that came a moment too late; the person need not be asked for that */
		signed_in_end(&it);
		r = capture_signed_in(s, &it);
		if (r == 0)
			r = stream_prove(s, &it);
	}
	if (r == STREAM_CHANGED)
		r = 0;
	if (r >= 0 || (r != -ETIMEDOUT && r != -EREMOTE && r != -EPIPE && r != -E2BIG))
		return r;
	stream_fail_for_now(s,
		r == -E2BIG ? "The site keeps more in the browser than Stead can take along (64 MiB)." :
			      "The signed-in page did not hold still long enough to be captured.",
		STREAM_GO_ON);
	return 0;
}

static void say_failed(struct stream *s, int r)
{
	const char *why = r == -ECONNRESET && s->browser ? browser_why_ended(s->browser) : NULL;

	log_error("the sign-in %s failed: %s", s->id, r == REFUSED ? refusal_cause(&s->call->refusal) : strerror(-r));
	stream_end(s, STEP_FAILED, why ? why : "The browser stopped answering.",
		"Start the sign-in again.");
}

/* However it ended, it has a reason by now; the browser goes before anybody is told that it is over. */
static void finish(struct stream *s, int r)
{
	fiber_shield();
	if (r < 0 && !s->ending)
		say_failed(s, r);
	if (r < 0)
		stream_say_fate(s);
	s->page = NO_TARGET;
	screencast_set_page(s->screencast, NO_TARGET);
	dialogs_clear(s->dialogs);
	hands_drop(s->hands);
	s->menus = menus_free(s->menus);
	s->trouble = trouble_free(s->trouble);
	s->browser = browser_close(s->browser);
	s->resumable = false;
	stream_set_ended(s);
	stream_set_step(s, s->step, s->reason, s->advice);
	viewers_close(&s->viewers, STREAM_ENDED);
	fiber_unshield();
}

void stream_run(void *arg)
{
	struct stream *s = arg;
	int r = start(s);

	if (r == 0)
		r = look_before(s);
	while (r == 0) {
		r = attempt(s);
		if (r == 0)
			r = wait_for_resume(s);
	}
	if (r == 1) {
		s->ending = true;
		s->step = s->reached = STEP_SAVED;
		s->advice[0] = '\0'; /* the reason is what it was saved with */
	}
	finish(s, r);
}

static void tell_page(struct stream *s)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct target *page = target_of(s->page);
	struct page_changed_event event;

	if (!page)
		return;
	target_describe(page, arena, &event);
	stream_tell(s, &method_page_changed, &event);
}

static bool is_in_front(const struct stream *s, const struct target *page)
{
	return target_ref_equal(s->page, target_ref_of(page));
}

/* page may be NULL. */
static void bring_to_front(struct stream *s, const struct target *page)
{
	s->page = target_ref_of(page);
	screencast_set_page(s->screencast, s->page);
	menus_close(s->menus);
	if (s->trouble)
		trouble_navigating(s->trouble, page);
	tell_page(s);
	stream_tell_tabs(s);
	stream_poke(s);
}

void stream_tell_tabs(struct stream *s)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct tabs_changed_event event;

	if (!s->browser || s->ending)
		return;
	tabs_describe(s->browser, s->page, arena, &event);
	if (event.tabs_count <= 1 && s->tabs_told <= 1) /* nothing to choose between, as ever */
		return;
	s->tabs_told = event.tabs_count;
	stream_tell(s, &method_tabs_changed, &event);
}

/* A page behind another is painted by nobody until Chromium has it in front, too. */
void stream_show_page(struct stream *s, struct target *page)
{
	cdp_send(browser_cdp(page->browser), page->session, "Page.bringToFront");
	bring_to_front(s, page);
}

/* A popup, the identity provider's often: it is what the person must see now. */
static void on_page_opened(void *owner, struct target *page)
{
	struct stream *s = owner;

	if (s->browser && !s->ending) /* what comes while the browser is being ended is gone in a moment */
		bring_to_front(s, page);
}

/* Back to its opener, or whatever page is there. */
static void on_page_closed(void *owner, struct target *page)
{
	struct stream *s = owner;
	struct target *back;

	if (!is_in_front(s, page)) {
		stream_tell_tabs(s);
		return;
	}
	screencast_set_page(s->screencast, NO_TARGET);
	back = browser_target_by_id(s->browser, page->opener);
	back = back && back->session[0] ? back : browser_page(s->browser);
	if (back)
		stream_show_page(s, back);
	else
		bring_to_front(s, NULL);
	if (!target_of(s->page))
		stream_end(s, STEP_FAILED, "The site closed its last window.", "Start the sign-in again.");
}

static void on_page_changed(void *owner, struct target *page)
{
	struct stream *s = owner;

	if (s->stale && s->reloading && !page->loading && s->step == STEP_WAITING)
		s->stale = false;
	s->reloading = page->loading;
	if (is_in_front(s, page) && page->loading)
		menus_close(s->menus);
	/* Chromium may keep the last picture of a document to itself; one is asked for once it stands. */
	if (is_in_front(s, page) && s->loading && !page->loading)
		screencast_refresh(s->screencast);
	if (is_in_front(s, page)) {
		s->loading = page->loading;
		tell_page(s);
		if (s->trouble)
			trouble_changed(s->trouble, page);
		if (s->trouble && s->hearing)
			look_at_answer(s);
	}
	stream_tell_tabs(s);
	stream_poke(s);
}

static void on_frame(void *owner, struct target *page, const struct cbor *params)
{
	screencast_frame(((struct stream *)owner)->screencast, page, params);
}

static void on_dialog(void *owner, struct target *page, const struct cbor *params)
{
	struct stream *s = owner;
	char said[DIALOGS_SAID] = "";

	if (!params && !page->session[0])
		dialogs_leave(s->dialogs, page, true);
	else if (!params)
		dialogs_remove(s->dialogs, page);
	else if (s->step == STEP_SIGNED_IN || s->step == STEP_PROVING) /* it would keep the page from being captured */
		dialog_put_away(page, params, said, sizeof(said));
	else if (!s->ending)
		dialogs_add(s->dialogs, page, params);
	stream_poke(s);
}

/* Whether the person looks at it, or at a popup that it opened and will go back to it. */
static bool is_wanted(struct stream *s, const struct target *page)
{
	const struct target *t = target_of(s->page);

	for (int depth = 0; t && depth < MOST_POPUPS; depth++) {
		if (t == page)
			return true;
		t = browser_target_by_id(s->browser, t->opener);
	}
	return false;
}

static void on_crashed(void *owner, struct target *page)
{
	struct stream *s = owner;

	if (!s->browser || is_wanted(s, page))
		stream_end(s, STEP_FAILED, "The page crashed.", "Start the sign-in again.");
	else
		cdp_send(browser_cdp(s->browser), "", "Target.closeTarget", CDP_TEXT("targetId", page->id));
}

static void on_ended(void *owner, const char *why)
{
	stream_end(owner, STEP_FAILED, why, "Start the sign-in again.");
}

const struct browser_events stream_browser_events = {
	.page_opened = on_page_opened,
	.page_closed = on_page_closed,
	.page_changed = on_page_changed,
	.frame = on_frame,
	.dialog = on_dialog,
	.navigating = wants_navigating,
	.password = wants_password,
	.app_refused = wants_app,
	.download = wants_download,
	.file_wanted = wants_file,
	.binding = wants_binding,
	.crashed = on_crashed,
	.host_refused = wants_host,
	.host_unreached = wants_lost_host,
	.ended = on_ended,
};
