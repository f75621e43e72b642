/* The flow of a sign-in, from top to bottom: starting, waiting, signed in, proving, saved; or failed, and on again. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/rand.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "proto/sessiond.h"
#include "streamd/capture.h"
#include "streamd/copy.h"
#include "streamd/dialogs.h"
#include "streamd/element.h"
#include "streamd/menu.h"
#include "streamd/proof.h"
#include "streamd/rule.h"
#include "streamd/stream.h"
#include "streamd/target_info.h"
#include "streamd/viewer.h"

#define START_MS   30000
#define CAPTURE_MS 60000
#define PROOF_MS   180000
#define SAVE_MS    60000
#define LOOK_MS    700 /* between looks while the addresses fit but the rest of the rule does not */

#define MOST_POPUPS 16 /* windows that opened each other, as far as they are followed back */

#define GO_ON     "Go on in the browser, then press Done."
#define TRY_AGAIN "The session works but could not be saved. Go on in the browser in a moment, and Stead tries again."

/* Waits until something happens, or for ms. */
static int wait_poke(struct stream *s, int64_t ms)
{
	struct wait w = { 0 };
	int r;

	s->poked = &w;
	r = wait_for(&w, deadline_in(ms));
	s->poked = NULL;
	return r == -ETIMEDOUT ? 0 : r;
}

/* Failed, but the browser is there and the person can go on in it. */
static void fail_for_now(struct stream *s, const char *reason, const char *advice)
{
	s->resumable = true;
	stream_set_step(s, STEP_FAILED, reason, advice);
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
	stream_end(s, STEP_FAILED, call_why(call, r), "Nothing was saved. Try again; if it stays so, tell the administrator.");
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
	s->menus = menus_new(s->browser, &menu_listener, s);
	s->page = browser_page(s->browser);
	screencast_set_size(s->screencast, s->width, s->height);
	screencast_set_page(s->screencast, s->page);
	stream_set_step(s, STEP_WAITING, "", "");
	r = page_navigate(s->page, s->recipe->sign_in.url, deadline_in(START_MS), why, sizeof(why));
	if (r == -EREMOTE)
		stream_set_step(s, STEP_WAITING, "The sign-in page could not be opened.",
			strcmp(why, "net::ERR_TUNNEL_CONNECTION_FAILED") == 0 ?
				"The site is down, or its recipe does not allow its host. Reload, or tell the administrator." :
				"Look whether the site is up, then reload the page.");
	if (r == -EREMOTE || r == -ETIMEDOUT || r == -EPIPE) /* the person sees it and can reload */
		r = 0;
	return r;
}

/* What the site sets for anybody must not be taken for a sign-in, so it is looked at before the person can act. */
static int look_before(struct stream *s)
{
	int r = capture(s->browser, s->recipe, deadline_in(CAPTURE_MS), &s->before);

	return r == -EREMOTE || r == -EPIPE || r == -ETIMEDOUT ? 0 : r;
}

/*
 * Until the site's rule holds. Done only makes it look at once, and say what is missing. What the proof has said no to is
 * not looked at again by itself: it would say no for ever, before the person can do anything.
 */
static int wait_for_sign_in(struct stream *s)
{
	char why[512];
	bool met = false;
	int r = 0;

	while (r == 0 && !met) {
		bool fits = rule_addresses_fit(s->browser, s->recipe, why, sizeof(why));
		bool pressed = s->done_pressed;
		s->done_pressed = false;
		if (fits && !dialogs_shown(s->dialogs) && (pressed || !s->stale))
			r = rule_check(s->browser, s->recipe, s->before, deadline_in(CAPTURE_MS), &met, why, sizeof(why));
		if (r == -ETIMEDOUT) /* a page that is busy, or that has just opened a dialog */
			r = 0;
		if (r < 0 || met)
			break;
		if (pressed)
			stream_set_step(s, STEP_WAITING, why, "Finish the sign-in in the browser, then press Done again.");
		r = wait_poke(s, fits ? LOOK_MS : 60000);
	}
	return r;
}

/* Who the page itself says is signed in, if it shows that; the proof must then show the same. */
static void read_account(struct stream *s, char account[257])
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct recipe_probe_in *in = &s->recipe->probe.in;
	const struct wish wish = { .at = in->at, .attribute = in->attribute };
	struct element e;

	account[0] = '\0';
	if (element_wait(browser_page(s->browser), &wish, 1, 0, arena, &e) < 0 || e.late || e.moved || !e.text)
		return;
	if (!recipe_account(in, e.text, account, 257))
		account[0] = '\0';
}

static int set_network(struct stream *s, bool open)
{
	CLEANUP(call_freep) struct call *call = call_new(s->daemon, NULL, deadline_in(10000));

	return browser_set_network(s->browser, call, open);
}

/* From here on the sign-in browser can neither sign itself out nor rotate anything. */
static int park_and_capture(struct stream *s, char account[257], struct state **ret)
{
	int r;

	stream_set_step(s, STEP_SIGNED_IN, "", "");
	dialogs_dismiss(s->dialogs);
	r = rule_settle(s->browser, s->recipe, deadline_in(CAPTURE_MS));
	if (r == 0) {
		read_account(s, account);
		r = set_network(s, false);
	}
	if (r == 0)
		r = capture_whole(s->browser, s->recipe, NULL, deadline_in(CAPTURE_MS), ret);
	return r;
}

static void make_name(char out[33])
{
	unsigned char bytes[16];

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		abort();
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static bool may_pass(const struct call *call)
{
	return call->refusal.code == ERR_unavailable || call->refusal.code == ERR_database_down ||
		call->refusal.code == ERR_busy || call->refusal.code == ERR_timed_out;
}

static bool is_of_another(const struct call *call)
{
	return call->refusal.code == ERR_conflict && strcmp(call->refusal.field, "account") == 0;
}

/* sessiond may be restarting: the same save, by its name, is tried until it is known to have been done. */
static int save(struct stream *s, const struct proof *proof, char *why, size_t size, bool *ret_another)
{
	int64_t deadline = deadline_in(SAVE_MS), pause = 50;
	struct session_store_params params = { .site = s->recipe->name, .account = proof->account,
		.in_place_of = strcmp(s->agreed.by, proof->account) == 0 ? s->agreed.kept : NULL,
		.proved_at_ms = wall_now(), .state = -1 };
	struct session_store_result result;
	char name[33];
	int r = state_memfd(proof->after, &params.state);

	make_name(name);
	params.save = name;
	while (r == 0) {
		CLEANUP(call_freep) struct call *call = call_new(s->daemon, &s->call->acting, deadline_in(20000));
		r = call_session_store(call, s->daemon->sessiond, &params, &result);
		snprintf(why, size, "%s", call_why(call, r));
		*ret_another = r == REFUSED && is_of_another(call);
		if (r != REFUSED || !may_pass(call) || loop_now() + pause > deadline)
			break;
		r = fiber_sleep_until(deadline_in(pause));
		pause = pause < 1000 ? pause * 2 : 1000;
	}
	if (params.state >= 0)
		close(params.state);
	return r;
}

/* It works, but it is the person's to say whether it shall be kept instead of the other. */
static int ask_whether(struct stream *s, const char *account)
{
	CLEANUP(call_freep) struct call *call = call_new(s->daemon, &s->call->acting, deadline_in(20000));
	const struct session_show_params params = { .site = s->recipe->name };
	struct session_show_result kept;
	char why[1024], advice[sizeof(s->advice)];
	int r = call_session_show(call, s->daemon->sessiond, &params, &kept);

	if (r == -ECANCELED)
		return r;
	if (r < 0 || !kept.account || strcmp(kept.account, account) == 0) {
		fail_for_now(s, r < 0 ? call_why(call, r) : "The session that was kept has just been replaced or deleted.", TRY_AGAIN);
		return 0;
	}
	s->stale = true; /* not to be asked again before anything has changed */
	snprintf(s->asked.kept, sizeof(s->asked.kept), "%s", kept.account);
	snprintf(s->asked.by, sizeof(s->asked.by), "%s", account);
	snprintf(why, sizeof(why), "This sign-in to %s works, but it is of %s, and Stead keeps the session of %s; nothing was replaced.",
		s->recipe->title, account, kept.account);
	snprintf(advice, sizeof(advice),
		"Shall Stead act as %s from now on? If not, close this, or go on in the browser and sign in there as %s.",
		account, kept.account);
	fail_for_now(s, why, advice);
	return 0;
}

/* 1: saved; 0: not, and said why; the person may go on. */
static int prove_and_save(struct stream *s, const struct state *state, const char *account)
{
	CLEANUP(call_freep) struct call *call = call_new(s->daemon, &s->call->acting, deadline_in(PROOF_MS));
	struct proof proof;
	char why[1024];
	bool another = false;
	int r;

	stream_set_step(s, STEP_PROVING, "", "");
	s->stale = s->reloading = false;
	r = proof_run(call, &s->daemon->settings, s->recipe, state, *account ? account : NULL, &proof);
	if (r == -ECANCELED)
		return r;
	if (r < 0) {
		fail_for_now(s, call_why(call, r), GO_ON);
		return 0;
	}
	if (proof.verdict != VERDICT_IN) {
		s->stale = proof.verdict == VERDICT_OUT;
		fail_for_now(s, proof.why, proof.advice);
		return 0;
	}
	snprintf(s->account, sizeof(s->account), "%s", proof.account);
	r = save(s, &proof, why, sizeof(why), &another);
	proof_clear(&proof);
	if (another)
		return ask_whether(s, proof.account);
	if (r == -ECANCELED || r == 0)
		return r < 0 ? r : 1;
	fail_for_now(s, why, TRY_AGAIN);
	return 0;
}

static int wait_for_resume(struct stream *s)
{
	int r = 0;

	s->resume_pressed = s->done_pressed = false;
	while (r == 0 && !s->resume_pressed && !s->done_pressed)
		r = wait_poke(s, 60000);
	if (r == 0)
		r = set_network(s, true);
	if (r == 0) {
		s->resumable = false;
		s->asked = (struct replacement){ 0 };
		s->account[0] = '\0';
		stream_set_step(s, STEP_WAITING, "", "");
		screencast_refresh(s->screencast);
	}
	return r;
}

/* 1: saved; 0: go on; negative: over. */
static int attempt(struct stream *s)
{
	CLEANUP(state_freep) struct state *state = NULL;
	char account[257];
	int r = wait_for_sign_in(s);

	if (r == 0)
		r = park_and_capture(s, account, &state);
	if (r == 0)
		return prove_and_save(s, state, account);
	if (r != -ETIMEDOUT && r != -EREMOTE && r != -EPIPE && r != -E2BIG)
		return r;
	fail_for_now(s,
		r == -E2BIG ? "The site keeps more in the browser than Stead can take along (64 MiB)." :
			      "The signed-in page did not hold still long enough to be captured.",
		GO_ON);
	return 0;
}

static void say_failed(struct stream *s, int r)
{
	const char *why = r == -ECONNRESET && s->browser ? browser_why_ended(s->browser) : NULL;

	log_error("the sign-in %s failed: %s", s->id, r == REFUSED ? s->call->refusal.message : strerror(-r));
	stream_end(s, STEP_FAILED, why ? why : "The browser stopped answering.",
		"Nothing was saved. Start the sign-in again.");
}

/* However it ended, it has a reason by now; the browser goes before anybody is told that it is over. */
static void finish(struct stream *s, int r)
{
	fiber_shield();
	if (r < 0 && !s->ending)
		say_failed(s, r);
	s->page = NULL;
	screencast_set_page(s->screencast, NULL);
	dialogs_clear(s->dialogs);
	s->menus = menus_free(s->menus);
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
		s->reason[0] = s->advice[0] = '\0';
	}
	finish(s, r);
}

static void tell_page(struct stream *s)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct page_changed_event event;

	if (!s->page)
		return;
	target_describe(s->page, arena, &event);
	stream_tell(s, &method_page_changed, &event);
}

static void bring_to_front(struct stream *s, struct target *page)
{
	s->page = page;
	screencast_set_page(s->screencast, page);
	menus_close(s->menus);
	tell_page(s);
	stream_poke(s);
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

	if (s->page != page)
		return;
	screencast_set_page(s->screencast, NULL);
	back = browser_target_by_id(s->browser, page->opener);
	bring_to_front(s, back && back->session[0] ? back : browser_page(s->browser));
	if (!s->page)
		stream_end(s, STEP_FAILED, "The site closed its last window.", "Nothing was saved. Start the sign-in again.");
}

static void on_page_changed(void *owner, struct target *page)
{
	struct stream *s = owner;

	if (s->stale && s->reloading && !page->loading && s->step == STEP_WAITING)
		s->stale = false;
	s->reloading = page->loading;
	if (page == s->page && page->loading)
		menus_close(s->menus);
	/* Chromium may keep the last picture of a document to itself; one is asked for once it stands. */
	if (page == s->page && s->loading && !page->loading)
		screencast_refresh(s->screencast);
	if (page == s->page)
		s->loading = page->loading;
	if (page == s->page)
		tell_page(s);
	stream_poke(s);
}

static void on_frame(void *owner, struct target *page, const struct cbor *params)
{
	screencast_frame(((struct stream *)owner)->screencast, page, params);
}

static void on_dialog(void *owner, struct target *page, const struct cbor *params)
{
	struct stream *s = owner;

	if (!params)
		dialogs_remove(s->dialogs, page);
	else if (!s->ending)
		dialogs_add(s->dialogs, page, params);
	stream_poke(s);
}

static void on_binding(void *owner, struct target *target, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_secret(0);
	struct text_copied_event copied = { .text = NULL };
	struct stream *s = owner;

	if (!s->menus)
		return;
	if (!copy_read(params, arena, &copied.text))
		menus_take(s->menus, target, params);
	else if (copied.text && *copied.text)
		stream_tell(s, &method_text_copied, &copied);
}

/* Whether the person looks at it, or at a popup that it opened and will go back to it. */
static bool is_wanted(struct stream *s, const struct target *page)
{
	const struct target *t = s->page;

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
		stream_end(s, STEP_FAILED, "The page crashed.", "Nothing was saved. Start the sign-in again.");
	else
		cdp_send(browser_cdp(s->browser), "", "Target.closeTarget", CDP_TEXT("targetId", page->id));
}

static void on_host_refused(void *owner, const char *host, const char *why)
{
	struct stream *s = owner;
	struct host_refused_event event = { .host = host };

	log_notice("the page of %s wanted %s, which was refused: %s", s->recipe->name, host, why);
	stream_tell(s, &method_host_refused, &event);
}

static void on_ended(void *owner, const char *why)
{
	stream_end(owner, STEP_FAILED, why, "Nothing was saved. Start the sign-in again.");
}

const struct browser_events stream_browser_events = {
	.page_opened = on_page_opened,
	.page_closed = on_page_closed,
	.page_changed = on_page_changed,
	.frame = on_frame,
	.dialog = on_dialog,
	.binding = on_binding,
	.crashed = on_crashed,
	.host_refused = on_host_refused,
	.ended = on_ended,
};
