/* The flow of a sign-in, from top to bottom: starting, waiting, signed in, proving, saved; or failed, and on again. */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"
#include "streamd/browser/element.h"
#include "streamd/browser/launch.h"
#include "streamd/browser/page.h"
#include "streamd/screen/dialogs.h"
#include "streamd/screen/notes.h"
#include "streamd/screen/screencast.h"
#include "streamd/screen/trouble.h"
#include "streamd/session/account.h"
#include "streamd/session/capture.h"
#include "streamd/session/rule.h"
#include "streamd/signin/sign_in.h"
#include "streamd/signin/sign_in_proof.h"

#define START_MS   60000 /* of the browser */
#define OPEN_MS    30000 /* of the first page */
#define CAPTURE_MS 60000
#define LACKS_MS   10000 /* so long the rest of the rule may take */
#define LOOK_MS    700 /* between looks while the addresses fit but the rest of the rule does not */

/* Waits until something happens, or for ms. */
static int wait_poke(struct sign_in *s, int64_t ms)
{
	int r = latch_wait(&s->poked, deadline_in(ms));

	return r == -ETIMEDOUT ? 0 : r;
}

static void fail_start(struct sign_in *s, struct call *call, int r)
{
	sign_in_end(s, STEP_FAILED, launch_why(call, "browser", r), "Try again; if it stays so, tell the administrator.");
}

/* Of the first page, and of those that come in the place of one that is not there; not of what a form says to a wrong password. */
static void look_at_answer(struct sign_in *s)
{
	const struct target *page = browser_front(s->screen->browser);

	s->hearing = page && trouble_answered(s->screen->trouble, page, s->recipe->sign_in.url);
	browser_hear_answers(s->screen->browser, s->hearing);
}

static int sign_in_flow_start(struct sign_in *s)
{
	CLEANUP(call_freep) struct call *call = call_new(s->daemon, &s->call->acting, deadline_in(START_MS));
	struct environment e;
	struct browser *b;
	char why[256] = "";
	int r;

	sign_in_set_step(s, STEP_STARTING, "", "");
	streamd_environment(s->recipe, s->screen->width, s->screen->height, &e);
	r = browser_open(call, &s->daemon->settings, s->recipe, &e, false, &screen_driven_events, s->screen, &b);
	streamd_note_start(s->daemon, call, r);
	if (r < 0) {
		if (r != -ECANCELED)
			fail_start(s, call, r);
		return r;
	}
	sign_in_set_step(s, STEP_WAITING, "", "");
	sign_in_note_input(s);
	sign_in_arm(s);
	browser_hear_answers(b, true);
	r = page_navigate(target_ref_of(browser_front(b)), s->recipe->sign_in.url, deadline_in(OPEN_MS), why, sizeof(why));
	look_at_answer(s);
	if (r == -EREMOTE || r == -ETIMEDOUT || r == -EPIPE) /* the person is told why (trouble.h) and can reload */
		r = 0;
	return r;
}

/* What the site sets for anybody must not be taken for a sign-in, so it is looked at before the person can act. */
static int sign_in_flow_look_before(struct sign_in *s)
{
	char why[512];
	int r;

	s->fits_since = rule_addresses_fit(s->screen->browser, s->recipe, why, sizeof(why)) ? -1 : 0;
	r = capture(s->screen->browser, NO_TARGET, s->recipe, deadline_in(CAPTURE_MS), &s->before);
	return r == -EREMOTE || r == -EPIPE || r == -ETIMEDOUT ? 0 : r;
}

/* A page whose storage never rests must not keep the person from going on, so what the rule names alone counts. */
static int look_for_change(struct sign_in *s)
{
	bool changed = false;
	int r = 0;

	if (s->refused && !dialogs_shown(s->screen->dialogs))
		r = rule_has_changed(s->screen->browser, s->recipe, s->refused, deadline_in(CAPTURE_MS), &changed);
	if (changed)
		s->stale = false;
	return r == -ETIMEDOUT || r == -EREMOTE || r == -EPIPE ? 0 : r;
}

/*
 * A rule that is met but for a mark or a cookie may be wrong, and nobody would know; so it is said unasked. Not where the
 * sign-in's own page has such an address, for there the person is still typing.
 */
static void say_what_lacks(struct sign_in *s, bool fits, const char *why)
{
	if (!fits) {
		notes_remove(s->screen->notes, NOTE_RULE);
		s->fits_since = 0;
	} else if (s->fits_since == 0) {
		s->fits_since = loop_now();
	} else if (s->fits_since > 0 && loop_now() - s->fits_since > LACKS_MS && *why && !s->stale) {
		notes_add(s->screen->notes, NOTE_RULE, "", "plain", false,
			"If you are, tell the administrator: the recipe's rule (signed_in) may be old.",
			"Stead does not take you for signed in yet. %s", why);
	}
}

/*
 * Until the site's rule holds. "Check now" only makes it look at once, and say what is missing. What the proof has said no to is
 * not looked at again by itself: it would say no for ever, before the person can do anything; unless what the rule names,
 * a token, has come anew.
 */
static int wait_for_sign_in(struct sign_in *s, struct target_ref *ret)
{
	char why[512] = "";
	int r = 0;

	*ret = NO_TARGET;
	while (r == 0 && !ret->number) {
		bool fits = rule_addresses_fit(s->screen->browser, s->recipe, why, sizeof(why));
		bool pressed = s->done_pressed;
		s->done_pressed = false;
		if (fits && s->stale && !pressed)
			r = look_for_change(s);
		if (r == 0 && fits && !dialogs_shown(s->screen->dialogs) && (pressed || !s->stale))
			r = rule_check(s->screen->browser, s->recipe, s->before, deadline_in(CAPTURE_MS), ret, why, sizeof(why));
		if (r == -ETIMEDOUT) /* a page that is busy, or that has just opened a dialog */
			r = 0;
		if (r < 0 || ret->number)
			break;
		if (pressed || s->step != STEP_WAITING)
			sign_in_set_step(s, STEP_WAITING, why, "Finish the sign-in in the browser, then press \"Check now\" again.");
		say_what_lacks(s, fits, why);
		r = wait_poke(s, fits ? LOOK_MS : 60000);
	}
	notes_remove(s->screen->notes, NOTE_RULE);
	return r;
}

/* Who the page itself says is signed in, if it shows that; the proof must then show the same. */
static void sign_in_flow_read_account(struct sign_in *s, struct target_ref page, char account[257])
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct recipe_probe_in *in = &s->recipe->probe.in;
	const struct wish wish = { .at = in->at, .attribute = in->attribute };
	struct element e = { .text = NULL };
	char lack[ACCOUNT_LACK];

	account[0] = '\0';
	if (in->at && (element_wait(page, &wish, 1, 0, arena, &e) < 0 || e.late || e.moved))
		return;
	account_read(page, in, e.text, NULL, account, lack);
}

/* From here on the sign-in browser can neither sign itself out nor rotate anything. */
static int park_and_capture(struct sign_in *s, struct target_ref page, char account[257], struct state **ret)
{
	int r;

	sign_in_set_step(s, STEP_SIGNED_IN, "", "");
	dialogs_dismiss(s->screen->dialogs);
	r = rule_settle(s->screen->browser, s->recipe, deadline_in(CAPTURE_MS));
	if (r == 0) {
		sign_in_flow_read_account(s, page, account);
		r = sign_in_set_network(s, false);
	}
	if (r == 0)
		r = capture_whole(s->screen->browser, page, s->recipe, NULL, deadline_in(CAPTURE_MS), ret);
	return r;
}

static int wait_for_resume(struct sign_in *s)
{
	int r = 0;

	s->resume_pressed = s->done_pressed = false;
	while (r == 0 && !s->resume_pressed && !s->done_pressed)
		r = wait_poke(s, 60000);
	if (r == 0)
		r = sign_in_set_network(s, true);
	if (r == 0) {
		s->tried_again = false;
		s->asked = (struct replacement){ 0 };
		s->account[0] = '\0';
		sign_in_set_step(s, STEP_WAITING, "", "");
		screencast_refresh(s->screen->screencast);
	}
	return r;
}

/* What the signed-in page is when it has been captured, and what it says itself of whose it is. */
static int capture_signed_in(struct sign_in *s, struct signed_in *ret)
{
	struct target_ref page;
	int r = wait_for_sign_in(s, &page);

	return r == 0 ? park_and_capture(s, page, ret->account, &ret->state) : r;
}

/* 1: saved; 0: go on; negative: over. */
static int attempt(struct sign_in *s)
{
	CLEANUP(signed_in_end) struct signed_in it = { 0 };
	int r;

	do { /* again, once: a token came a moment too late; the person need not be asked for that */
		signed_in_end(&it);
		r = capture_signed_in(s, &it);
		if (r == 0)
			r = sign_in_prove(s, &it);
	} while (r == SIGN_IN_CHANGED);
	if (r >= 0 || (r != -ETIMEDOUT && r != -EREMOTE && r != -EPIPE && r != -E2BIG))
		return r;
	sign_in_set_step(s, STEP_FAILED,
		r == -E2BIG ? "The site keeps more in the browser than Stead can take along (64 MiB)." :
			      "The signed-in page did not hold still long enough to be captured.",
		SIGN_IN_GO_ON);
	return 0;
}

static void sign_in_flow_say_failed(struct sign_in *s, int r)
{
	const char *why = r == -ECONNRESET && s->screen->browser ? browser_why_ended(s->screen->browser) : NULL;

	log_error("the sign-in %s failed: %s", s->id, r == REFUSED ? refusal_cause(&s->call->refusal) : strerror(-r));
	sign_in_end(s, STEP_FAILED, why ? why : "The browser stopped answering.",
		"Start the sign-in again.");
}

/* However it ended, it has a reason by now; the browser goes before anybody is told that it is over. */
static void sign_in_flow_finish(struct sign_in *s, int r)
{
	fiber_shield();
	if (r < 0 && !s->ending)
		sign_in_flow_say_failed(s, r);
	if (r < 0)
		sign_in_say_fate(s);
	browser_close(s->screen->browser);
	sign_in_set_ended(s);
	sign_in_set_step(s, s->step, s->reason, s->advice);
	screen_end(s->screen, "This sign-in has ended.");
	fiber_unshield();
}

static void flow(void *arg)
{
	struct sign_in *s = arg;
	int r = sign_in_flow_start(s);

	if (r == 0)
		r = sign_in_flow_look_before(s);
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
	sign_in_flow_finish(s, r);
}

static void on_sign_in_flow_page_changed(void *owner, struct target *page)
{
	struct sign_in *s = owner;

	if (s->stale && s->reloading && !page->loading && s->step == STEP_WAITING)
		s->stale = false;
	s->reloading = page->loading;
	if (s->hearing && s->screen->trouble && browser_front(s->screen->browser) == page)
		look_at_answer(s);
}

static void on_used(void *owner)
{
	sign_in_note_input(owner);
}

static void on_seen(void *owner)
{
	struct sign_in *s = owner;

	s->last_seen = loop_now();
	sign_in_arm(s);
}

static void on_greet(void *owner, struct viewer *v)
{
	const struct sign_in *s = owner;
	struct step_changed_event step;
	struct limit_changed_event limit;

	sign_in_describe_step(s, &step);
	viewer_tell(v, &method_step_changed, &step);
	if (s->ended_at_ms)
		return;
	sign_in_describe_limit(s, &limit);
	viewer_tell(v, &method_limit_changed, &limit);
}

static void on_happened(void *owner)
{
	sign_in_poke(owner);
}

static void on_sign_in_flow_lost(void *owner, const char *why)
{
	sign_in_end(owner, STEP_FAILED, why, "Start the sign-in again.");
}

static const struct screen_owner screen_owner = {
	.happened = on_happened,
	.page_changed = on_sign_in_flow_page_changed,
	.used = on_used,
	.seen = on_seen,
	.greet = on_greet,
	.lost = on_sign_in_flow_lost,
};

struct sign_in *sign_in_of(struct viewer *v)
{
	return v->screen->does == &screen_owner ? v->screen->owner : NULL;
}

struct sign_in *sign_in_open(struct streamd *d, const char *id, const struct acting *acting, const struct recipe *recipe, int width,
	int height)
{
	struct sign_in *s = sign_in_new(d, id, acting, recipe, &screen_owner, width, height);

	fiber_start("sign-in", flow, s, &s->flow);
	return s;
}
