#include "streamd/session/proof.h"

#include <errno.h>
#include <string.h>

#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"
#include "streamd/browser/farewell.h"
#include "streamd/session/capture.h"
#include "streamd/session/caution.h"
#include "streamd/session/dialog_policy.h"
#include "streamd/session/restore.h"

#define RESTORE_MS 60000
#define CAPTURE_MS 60000

#define NOT_PORTABLE                                                                                                   \
	"If the site needs that, to sign in again in the same way would end the same way. If it offers another one (a password in "      \
	"place of a key "                                                                                              \
	"or an app, \"stay signed in\"), sign in with that; else ask its administrator for sessions that are not "     \
	"bound to a browser."

/* A proof under way. */
struct proving {
	struct call *call;
	const struct streamd_settings *settings;
	const struct recipe *recipe;
	const struct state *state;
	const char *account;
	struct browser *browser;
	struct proof *proof;
	char said[DIALOGS_SAID]; /* by the page's dialogs */
};

static void on_proof_dialog(void *owner, struct target *page, const struct cbor *params)
{
	struct proving *v = owner;

	dialog_put_away(page, params, v->said, sizeof(v->said));
}

static const struct browser_events proof_events = { .dialog = on_proof_dialog };

/* Which of the two it is, the site or the recipe, nobody but a person can see. */
#define LOOK_AND_GO_ON                                                                                                 \
	"Look whether the site is up, then go on in the browser and press \"Check now\". If that ends the same way, "  \
	"the administrator "                                                                                           \
	"should look at the probe in the site's recipe."

static void proof_conclude(struct proof *p, enum verdict verdict, const char *why, const char *advice)
{
	p->verdict = verdict;
	if (why != p->why)
		words_set(p->why, sizeof(p->why), "%s", why);
	words_set(p->advice, sizeof(p->advice), "%s", advice);
}

/* A failure of the proving browser says nothing about the session. */
static int inconclusive(struct proving *v, int r, const char *where)
{
	const char *ended = r == -ECONNRESET ? browser_why_ended(v->browser) : NULL;

	if (r == -ECANCELED)
		return r;
	words_set(v->proof->why, sizeof(v->proof->why), "The proving browser failed while %s: %s", where,
		ended             ? ended
		: r == REFUSED    ? v->call->refusal.message
		: r == -ETIMEDOUT ? "it did not answer in time."
		: r == -EPIPE     ? "its page crashed."
				  : strerror(-r));
	proof_conclude(v->proof, VERDICT_INCONCLUSIVE, v->proof->why,
		"Go on in the browser and press \"Check now\" to try once more.");
	return 0;
}

/* The site's trouble says nothing about the session, and passes without anybody's doing. */
static void proof_say_down(struct proving *v, const struct probed *seen)
{
	v->proof->retry_ms = seen->retry_ms;
	proof_conclude(v->proof, VERDICT_DOWN, seen->why, "Wait until the site is well, then press \"Check now\".");
}

/*
 * The same probe with nobody signed in, in a context of its own. If it shows an account then, it shows it to anybody, and
 * a proof with it would prove nothing.
 */
static int check_control(struct proving *v, bool *ret_sound)
{
	struct probed seen = { .verdict = VERDICT_INCONCLUSIVE };
	struct target_ref tab;
	int r = browser_open_hidden(v->browser, true, v->call->deadline, &tab);

	*ret_sound = false;
	if (r == 0) {
		r = probe(tab, v->recipe, v->call->deadline, &seen);
		page_close_hidden(tab);
	}
	if (r < 0)
		return inconclusive(v, r, "probing without the session");
	*ret_sound = seen.verdict == VERDICT_OUT;
	if (seen.verdict == VERDICT_IN)
		proof_conclude(v->proof, VERDICT_INCONCLUSIVE,
			"The site's probe shows an account even without the session, so it proves nothing.",
			"The administrator should correct the probe in the site's recipe.");
	else if (seen.verdict == VERDICT_DOWN)
		proof_say_down(v, &seen);
	else if (seen.verdict == VERDICT_INCONCLUSIVE) {
		words_set(v->proof->why, sizeof(v->proof->why), "Without the session: %s", seen.why);
		proof_conclude(v->proof, VERDICT_INCONCLUSIVE, v->proof->why, LOOK_AND_GO_ON);
	}
	return 0;
}

/* The site's data had no room in the browser's profile: the machine's fault, not the session's. */
static int say_no_room(struct proving *v, const char *why)
{
	struct proof *p = v->proof;
	char room[600];

	browser_room_words(v->browser, v->call, room, sizeof(room));
	words_set(p->why, sizeof(p->why), "The session could not be carried into a fresh browser: %s. %s", why, room);
	proof_conclude(p, VERDICT_INCONCLUSIVE, p->why,
		"Tell the administrator, who can make room, then press \"Check now\".");
	return -EILSEQ;
}

static int restore_state(struct proving *v)
{
	char why[512] = "its network could not be cut";
	int r = browser_set_network(v->browser, v->call, false);

	if (r == 0)
		r = restore(
			target_ref_of(browser_page(v->browser)), v->state, deadline_in(RESTORE_MS), why, sizeof(why));
	if (r == -EILSEQ) {
		words_set(v->proof->why, sizeof(v->proof->why),
			"The session could not be carried into a fresh browser: %s.", why);
		proof_conclude(v->proof, VERDICT_INCONCLUSIVE, v->proof->why,
			"This site keeps something that cannot be taken along; tell the administrator what is named "
			"here.");
	} else if (r == -ENOSPC) {
		r = say_no_room(v, why);
	} else if (r < 0) {
		log_warning("restoring a session of %s failed: %s (%s)", v->recipe->name, why, strerror(-r));
		r = inconclusive(v, r, "restoring the session");
		return r < 0 ? r : -EILSEQ;
	}
	return r;
}

/* Another account than expected is as bad as none: the job would act for somebody else. */
static void check_account(struct proving *v)
{
	struct proof *p = v->proof;

	if (p->verdict != VERDICT_IN || !v->account || strcmp(p->account, v->account) == 0)
		return;
	words_set(
		p->why, sizeof(p->why), "The site shows the account %s where %s was expected.", p->account, v->account);
	proof_conclude(p, VERDICT_OUT, p->why, "Sign in with the other account, or sign out there first.");
}

static int look_at_site(struct proving *v, struct probed *ret)
{
	int r = browser_set_network(v->browser, v->call, true);

	v->proof->visited |= r == 0;
	return r < 0 ? r : probe(target_ref_of(browser_page(v->browser)), v->recipe, v->call->deadline, ret);
}

/* A site says for a moment, to one request of many, that nobody is signed in; so it is asked again before it is believed. */
static int look_twice(struct proving *v, struct probed *ret)
{
	int r = look_at_site(v, ret);

	if (r < 0 || ret->verdict != VERDICT_OUT)
		return r;
	r = page_leave(target_ref_of(browser_page(v->browser)), v->call->deadline);
	if (r == 0)
		r = fiber_sleep_until(deadline_in(v->recipe->probe.second_look_ms));
	return r < 0 ? r : look_at_site(v, ret);
}

/* What there was in the browser that was signed in with, and not in this one. */
static void proof_say_missing(struct proving *v, const struct probed *seen)
{
	struct proof *p = v->proof;
	char text[700];

	if (state_not_portable(v->state, text, sizeof(text)))
		words_set(
			p->not_portable, sizeof(p->not_portable), "Not all of it can be taken into another browser: %s", text);
	else if (seen->not_portable)
		words_set(p->not_portable, sizeof(p->not_portable), "It cannot be taken into another browser: %s.",
			seen->not_portable);
	if (*p->not_portable)
		words_add(p->why, sizeof(p->why), " %s", p->not_portable);
	else if (state_left_out(v->state, text, sizeof(text)))
		words_add(p->why, sizeof(p->why), " Not everything could be taken along: %s", text);
	if (caution_fleeting(v->state, text, sizeof(text)))
		words_add(p->why, sizeof(p->why), " %s", text);
}

static void proof_say_out(struct proving *v, const struct probed *seen)
{
	struct proof *p = v->proof;

	proof_conclude(p, VERDICT_OUT, seen->why,
		"Go on in the browser, sign in again there if it asks, and press \"Check now\".");
	proof_say_missing(v, seen);
	if (*p->not_portable)
		proof_conclude(p, VERDICT_OUT, p->why, NOT_PORTABLE);
}

static int ask_site(struct proving *v)
{
	struct proof *p = v->proof;
	struct probed seen;
	int r = look_twice(v, &seen);

	if (r < 0)
		return inconclusive(v, r, "asking the site");
	exact_must(p->account, sizeof(p->account), "%s", seen.account);
	p->verdict = seen.verdict;
	if (seen.verdict == VERDICT_OUT)
		proof_say_out(v, &seen);
	else if (seen.verdict == VERDICT_INCONCLUSIVE)
		proof_conclude(p, VERDICT_INCONCLUSIVE, seen.why, LOOK_AND_GO_ON);
	else if (seen.verdict == VERDICT_DOWN)
		proof_say_down(v, &seen);
	check_account(v);
	return 0;
}

static int take_after(struct proving *v)
{
	int r = browser_set_network(v->browser, v->call, false);

	if (r == 0)
		r = capture_whole(v->browser, NO_TARGET, v->recipe, v->state, deadline_in(CAPTURE_MS), &v->proof->after);
	return r < 0 ? inconclusive(v, r, "capturing the session once more") : 0;
}

static int open_fresh(struct proving *v, bool cut, const struct browser_events *events, void *owner)
{
	struct environment e;
	int r;

	state_environment(v->state, &e);
	r = browser_open(v->call, v->settings, v->recipe, &e, cut, events, owner, &v->browser);
	return r;
}

int proof_run(struct call *call, const struct streamd_settings *settings, const struct recipe *recipe,
	const struct state *state, const char *account, struct proof *ret)
{
	struct proving v = {
		.call = call, .settings = settings, .recipe = recipe, .state = state, .account = account, .proof = ret
	};
	bool sound = false;
	int r;

	*ret = (struct proof){ .verdict = VERDICT_INCONCLUSIVE };
	r = open_fresh(&v, false, &proof_events, &v);
	if (r == 0)
		r = check_control(&v, &sound);
	if (r == 0 && sound)
		r = restore_state(&v);
	if (r == 0 && sound)
		r = ask_site(&v);
	if (r == 0 && ret->verdict == VERDICT_IN)
		r = take_after(&v);
	browser_close(v.browser);
	if (r == -EILSEQ) /* said already */
		r = 0;
	if (*v.said && ret->verdict != VERDICT_IN)
		words_add(ret->why, sizeof(ret->why), " %s", v.said);
	if (r < 0)
		proof_clear(ret);
	return r;
}

int proof_open(struct call *call, const struct streamd_settings *settings, const struct recipe *recipe,
	const struct state *state, const char *account, const struct browser_events *events, void *owner,
	struct proof *ret, struct browser **ret_browser)
{
	struct proving v = {
		.call = call, .settings = settings, .recipe = recipe, .state = state, .account = account, .proof = ret
	};
	int r;

	*ret = (struct proof){ .verdict = VERDICT_INCONCLUSIVE };
	r = open_fresh(&v, true, events, owner);
	if (r == 0)
		r = restore_state(&v);
	if (r == 0)
		r = ask_site(&v);
	if (r == -EILSEQ)
		r = 0;
	if (ret->visited && !browser_ended(v.browser))
		*ret_browser = v.browser;
	else
		browser_close(v.browser);
	return r;
}

void proof_clear(struct proof *p)
{
	p->after = state_free(p->after);
}
