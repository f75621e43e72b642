#include "streamd/session/proof.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"
#include "streamd/browser/farewell.h"
#include "streamd/browser/page.h"
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

static void advise(struct proof *p, const char *advice)
{
	words_set(p->advice, sizeof(p->advice), "%s", advice);
}

/* What came of it, if that is not what a look at the site has said itself. */
static void proof_conclude(struct proof *p, enum verdict verdict, const char *advice, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void proof_conclude(struct proof *p, enum verdict verdict, const char *advice, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	words_set_v(p->found.why, sizeof(p->found.why), format, args);
	va_end(args);
	p->found.verdict = verdict;
	advise(p, advice);
}

/* A failure of the proving browser says nothing about the session. */
static int inconclusive(struct proving *v, int r, const char *where)
{
	const char *ended = r == -ECONNRESET ? browser_why_ended(v->browser) : NULL;

	if (r == -ECANCELED)
		return r;
	v->proof->found = (struct probed){ 0 }; /* nor does what has been seen until then */
	proof_conclude(v->proof, VERDICT_INCONCLUSIVE, "Go on in the browser and press \"Check now\" to try once more.",
		"The proving browser failed while %s: %s", where,
		ended             ? ended
		: r == REFUSED    ? v->call->refusal.message
		: r == -ETIMEDOUT ? "it did not answer in time."
		: r == -EPIPE     ? "its page crashed."
				  : strerror(-r));
	return 0;
}

/* The site's trouble says nothing about the session, and passes without anybody's doing. */
#define WAIT_FOR_SITE "Wait until the site is well, then press \"Check now\"."

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
		proof_conclude(v->proof, VERDICT_INCONCLUSIVE, "The administrator should correct the probe in the site's recipe.",
			"The site's probe shows an account even without the session, so it proves nothing.");
	else if (seen.verdict == VERDICT_DOWN)
		proof_conclude(v->proof, VERDICT_DOWN, WAIT_FOR_SITE, "%s", seen.why);
	else if (seen.verdict == VERDICT_INCONCLUSIVE)
		proof_conclude(v->proof, VERDICT_INCONCLUSIVE, LOOK_AND_GO_ON, "Without the session: %s", seen.why);
	v->proof->found.retry_ms = seen.retry_ms;
	return 0;
}

/* The site's data had no room in the browser's profile: the machine's fault, not the session's. */
static int say_no_room(struct proving *v, const char *why)
{
	char room[600];

	browser_room_words(v->browser, v->call, room, sizeof(room));
	proof_conclude(v->proof, VERDICT_INCONCLUSIVE, "Tell the administrator, who can make room, then press \"Check now\".",
		"The session could not be carried into a fresh browser: %s. %s", why, room);
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
		proof_conclude(v->proof, VERDICT_INCONCLUSIVE,
			"This site keeps something that cannot be taken along; tell the administrator what is named here.",
			"The session could not be carried into a fresh browser: %s.", why);
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

	if (v->account && strcmp(p->found.account, v->account) != 0)
		proof_conclude(p, VERDICT_OUT, "Sign in with the other account, or sign out there first.",
			"The site shows the account %s where %s was expected.", p->found.account, v->account);
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
static void proof_say_missing(struct proving *v)
{
	struct proof *p = v->proof;
	char text[700];

	if (state_not_portable(v->state, text, sizeof(text)))
		words_set(
			p->not_portable, sizeof(p->not_portable), "Not all of it can be taken into another browser: %s", text);
	else if (p->found.not_portable)
		words_set(p->not_portable, sizeof(p->not_portable), "It cannot be taken into another browser: %s.",
			p->found.not_portable);
	if (*p->not_portable)
		words_add(p->found.why, sizeof(p->found.why), " %s", p->not_portable);
	else if (state_left_out(v->state, text, sizeof(text)))
		words_add(p->found.why, sizeof(p->found.why), " Not everything could be taken along: %s", text);
	if (caution_fleeting(v->state, text, sizeof(text)))
		words_add(p->found.why, sizeof(p->found.why), " %s", text);
}

static int proof_judge(struct proving *v)
{
	struct proof *p = v->proof;
	int r = look_twice(v, &p->found);

	if (r < 0)
		return inconclusive(v, r, "asking the site");
	switch (p->found.verdict) {
	case VERDICT_IN: check_account(v); break;
	case VERDICT_OUT:
		proof_say_missing(v);
		advise(p, *p->not_portable ? NOT_PORTABLE : "Go on in the browser, sign in again there if it asks, and press \"Check now\".");
		break;
	case VERDICT_INCONCLUSIVE: advise(p, LOOK_AND_GO_ON); break;
	case VERDICT_DOWN: advise(p, WAIT_FOR_SITE); break;
	}
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

	state_environment(v->state, &e);
	return browser_open(v->call, v->settings, v->recipe, &e, cut, events, owner, &v->browser);
}

int proof_run(struct call *call, const struct streamd_settings *settings, const struct recipe *recipe,
	const struct state *state, const char *account, struct proof *ret)
{
	struct proving v = {
		.call = call, .settings = settings, .recipe = recipe, .state = state, .account = account, .proof = ret
	};
	bool sound = false;
	int r;

	*ret = (struct proof){ .found = { .verdict = VERDICT_INCONCLUSIVE } };
	r = open_fresh(&v, false, &proof_events, &v);
	if (r == 0)
		r = check_control(&v, &sound);
	if (r == 0 && sound)
		r = restore_state(&v);
	if (r == 0 && sound)
		r = proof_judge(&v);
	if (r == 0 && ret->found.verdict == VERDICT_IN)
		r = take_after(&v);
	browser_close(v.browser);
	if (r == -EILSEQ) /* said already */
		r = 0;
	if (*v.said && ret->found.verdict != VERDICT_IN)
		words_add(ret->found.why, sizeof(ret->found.why), " %s", v.said);
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

	*ret = (struct proof){ .found = { .verdict = VERDICT_INCONCLUSIVE } };
	r = open_fresh(&v, true, events, owner);
	if (r == 0)
		r = restore_state(&v);
	if (r == 0)
		r = proof_judge(&v);
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
