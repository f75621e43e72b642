#include "streamd/proof.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "streamd/capture.h"
#include "streamd/restore.h"

#define RESTORE_MS 60000
#define CAPTURE_MS 60000

/* A proof under way. */
struct proving {
	struct call *call;
	const struct streamd_settings *settings;
	const struct recipe *recipe;
	const struct state *state;
	const char *account;
	struct browser *browser;
	struct proof *proof;
};

static const struct browser_events no_events;

static void conclude(struct proof *p, enum verdict verdict, const char *why, const char *advice)
{
	p->verdict = verdict;
	if (why != p->why)
		snprintf(p->why, sizeof(p->why), "%s", why);
	snprintf(p->advice, sizeof(p->advice), "%s", advice);
}

/* A failure of the proving browser says nothing about the session. */
static int inconclusive(struct proving *v, int r, const char *where)
{
	const char *ended = r == -ECONNRESET ? browser_why_ended(v->browser) : NULL;

	if (r == -ECANCELED)
		return r;
	snprintf(v->proof->why, sizeof(v->proof->why), "The proving browser failed while %s: %.800s", where,
		ended           ? ended :
		r == REFUSED    ? v->call->refusal.message :
		r == -ETIMEDOUT ? "it did not answer in time." :
		r == -EPIPE     ? "its page crashed." :
				  strerror(-r));
	conclude(v->proof, VERDICT_INCONCLUSIVE, v->proof->why, "Go on in the browser and press Done to try once more.");
	return 0;
}

/*
 * The same probe with nobody signed in, in a context of its own. If it shows an account then, it shows it to anybody, and
 * a proof with it would prove nothing.
 */
static int check_control(struct proving *v, bool *ret_sound)
{
	char account[257], why[1024];
	enum verdict verdict = VERDICT_INCONCLUSIVE;
	struct target *tab;
	int r = browser_open_hidden(v->browser, true, v->call->deadline, &tab);

	if (r == 0) {
		r = probe(tab, v->recipe, v->call->deadline, &verdict, account, why, sizeof(why));
		page_close_hidden(tab);
	}
	if (r < 0) {
		*ret_sound = false;
		return inconclusive(v, r, "probing without the session");
	}
	*ret_sound = verdict == VERDICT_OUT;
	if (verdict == VERDICT_IN)
		conclude(v->proof, VERDICT_INCONCLUSIVE,
			"The site's probe shows an account even without the session, so it proves nothing.",
			"The administrator should correct the probe in the site's recipe.");
	else if (verdict == VERDICT_INCONCLUSIVE) {
		snprintf(v->proof->why, sizeof(v->proof->why), "Without the session: %.900s", why);
		conclude(v->proof, VERDICT_INCONCLUSIVE, v->proof->why,
			"Look whether the site is up, then go on in the browser and press Done.");
	}
	return 0;
}

static int restore_state(struct proving *v)
{
	char why[512];
	int r = browser_set_network(v->browser, v->call, false);

	if (r == 0)
		r = restore(browser_page(v->browser), v->state, deadline_in(RESTORE_MS), why, sizeof(why));
	if (r == -EILSEQ) {
		snprintf(v->proof->why, sizeof(v->proof->why),
			"The session could not be carried into a fresh browser: %s.", why);
		conclude(v->proof, VERDICT_INCONCLUSIVE, v->proof->why,
			"This site keeps something that cannot be taken along; tell the administrator what is named here.");
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
	snprintf(p->why, sizeof(p->why), "The site shows the account %s where %s was expected.", p->account, v->account);
	conclude(p, VERDICT_OUT, p->why, "Sign in with the other account, or sign out there first.");
}

static int ask_site(struct proving *v)
{
	struct proof *p = v->proof;
	int r = browser_set_network(v->browser, v->call, true);

	if (r == 0)
		r = probe(browser_page(v->browser), v->recipe, v->call->deadline, &p->verdict, p->account, p->why,
			sizeof(p->why));
	if (r < 0)
		return inconclusive(v, r, "asking the site");
	if (p->verdict == VERDICT_OUT)
		conclude(p, VERDICT_OUT, p->why, "Go on in the browser, sign in again there if it asks, and press Done.");
	else if (p->verdict == VERDICT_INCONCLUSIVE)
		conclude(p, VERDICT_INCONCLUSIVE, p->why, "Look whether the site is up, then go on in the browser and press Done.");
	check_account(v);
	return 0;
}

static int take_after(struct proving *v)
{
	int r = browser_set_network(v->browser, v->call, false);

	if (r == 0)
		r = capture_whole(v->browser, v->recipe, v->state, deadline_in(CAPTURE_MS), &v->proof->after);
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
	struct proving v = { .call = call, .settings = settings, .recipe = recipe, .state = state, .account = account,
		.proof = ret };
	bool sound = false;
	int r;

	*ret = (struct proof){ .verdict = VERDICT_INCONCLUSIVE };
	r = open_fresh(&v, false, &no_events, NULL);
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
	if (r < 0)
		proof_clear(ret);
	return r;
}

int proof_open(struct call *call, const struct streamd_settings *settings, const struct recipe *recipe,
	const struct state *state, const char *account, const struct browser_events *events, void *owner,
	struct proof *ret, struct browser **ret_browser)
{
	struct proving v = { .call = call, .settings = settings, .recipe = recipe, .state = state, .account = account,
		.proof = ret };
	int r;

	*ret = (struct proof){ .verdict = VERDICT_INCONCLUSIVE };
	r = open_fresh(&v, true, events, owner);
	if (r == 0)
		r = restore_state(&v);
	if (r == 0)
		r = ask_site(&v);
	if (r == -EILSEQ)
		r = 0;
	if (r == 0 && ret->verdict == VERDICT_IN)
		*ret_browser = v.browser;
	else
		browser_close(v.browser);
	return r;
}

void proof_clear(struct proof *p)
{
	p->after = state_free(p->after);
}
