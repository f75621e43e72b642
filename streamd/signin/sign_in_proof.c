/* The end of a sign-in: what was captured is proved and saved, or the person is told why not and what would help. */
#include "streamd/signin/sign_in_proof.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/hex.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/pause.h"
#include "common/random_name.h"
#include "common/words.h"
#include "proto/sessiond.h"
#include "streamd/browser/launch.h"
#include "streamd/browser/page.h"
#include "streamd/session/capture.h"
#include "streamd/session/caution.h"
#include "streamd/session/proof.h"
#include "streamd/session/rule.h"

#define CAPTURE_MS 60000
#define PROOF_MS   180000
#define SAVE_MS    60000
#define SAVE_PAUSE_MS 1000 /* at most, between two tries */
#define CHANGE_MS  4000 /* for a token that comes a moment after the capture: as long as a silent sign-on takes */
#define LOOK_MS    500

#define NAME_BYTES 16 /* of a save */

#define TRY_AGAIN "The session works but could not be saved. Go on in the browser in a moment, and Stead tries again."
#define LOOK_FIRST                                                                                 \
	"The session works, but it is not known whether it was saved: look on the dashboard whether it is there. If not, go on in " \
	"the browser in a moment, and Stead tries again."

static bool is_doubtful(const struct call *call)
{
	return call->refusal.code == ERR_maybe_done || call->refusal.code == ERR_timed_out;
}

static bool is_of_another(const struct call *call)
{
	return call->refusal.code == ERR_conflict && strcmp(call->refusal.field, "account") == 0;
}

/* One try. earlier: of other saves; a clear no to this one, by its name, is a no to the tries before it, too. */
static int sign_in_proof_save_once(struct sign_in *s, struct call *call, const struct session_store_params *params,
	enum save_fate earlier)
{
	enum save_fate before = s->save;
	struct session_store_result result;
	int r;

	s->save = SAVE_UNKNOWN;
	s->saving = true;
	r = call_session_store(call, s->daemon->sessiond, params, &result);
	s->saving = false;
	if (r == 0)
		s->save = SAVE_KEPT;
	else if (r == REFUSED && !is_doubtful(call))
		s->save = error_may_pass(call->refusal.code) ? before : earlier;
	return r;
}

/* Said once: the person has done their part. */
static void say_waiting(struct sign_in *s, const struct call *call)
{
	const char *why = call->refusal.code == ERR_database_down ? "Proved; waiting for the database to save it." :
								     "Proved; waiting for Stead's vault to save it.";

	if (strcmp(s->reason, why) != 0)
		sign_in_set_step(s, STEP_PROVING, why, "");
}

/* sessiond may be restarting: the same save, by its name, is tried until it is known to have been done. */
static int sign_in_proof_save(struct sign_in *s, const struct proof *proof, char *why, size_t size, bool *ret_another)
{
	int64_t deadline = deadline_in(SAVE_MS), pause = 50;
	struct session_store_params params = { .site = s->recipe->name, .kind = sign_in_kind(s),
		.fingerprint = sign_in_fingerprint(s), .account = proof->found.account,
		.in_place_of = strcmp(s->agreed.by, proof->found.account) == 0 ? s->agreed.kept : NULL,
		.proved_at_ms = wall_now(), .state = -1 };
	enum save_fate earlier = s->save;
	char name[HEX_SIZE(NAME_BYTES)];
	int r = state_memfd(proof->after, &params.state);

	words_set(why, size, "The session could not be handed to the vault (%s).", strerror(r < 0 ? -r : 0));
	random_name(name, NAME_BYTES);
	params.save = name;
	while (r == 0) {
		CLEANUP(call_freep) struct call *call = call_new(s->daemon, &s->call->acting, deadline_in(20000));
		r = sign_in_proof_save_once(s, call, &params, earlier);
		words_set(why, size, "%s", call_why(call, r));
		*ret_another = r == REFUSED && is_of_another(call);
		if (r != REFUSED || !error_may_pass(call->refusal.code) || loop_now() + pause > deadline || s->ending)
			break;
		say_waiting(s, call);
		r = fiber_sleep_until(deadline_in(pause));
		pause = pause_longer(pause, SAVE_PAUSE_MS);
	}
	if (params.state >= 0)
		close(params.state);
	return r;
}

/* It works, but it is the person's to say whether it shall be kept instead of the other. */
static int ask_whether(struct sign_in *s, const char *account)
{
	CLEANUP(call_freep) struct call *call = call_new(s->daemon, &s->call->acting, deadline_in(20000));
	const struct session_show_params params = { .site = s->recipe->name, .kind = sign_in_kind(s),
		.fingerprint = sign_in_fingerprint(s) };
	struct session_show_result kept;
	char why[1024], advice[sizeof(s->advice)];
	int r = call_session_show(call, s->daemon->sessiond, &params, &kept);

	if (r == -ECANCELED)
		return r;
	if (r < 0 || !kept.account || strcmp(kept.account, account) == 0) {
		sign_in_set_step(s, STEP_FAILED, r < 0 ? call_why(call, r) : "The session that was kept has just been replaced or deleted.", TRY_AGAIN);
		return 0;
	}
	s->stale = true; /* not to be asked again before anything has changed */
	exact_must(s->asked.kept, sizeof(s->asked.kept), "%s", kept.account);
	exact_must(s->asked.by, sizeof(s->asked.by), "%s", account);
	words_set(why, sizeof(why), "This sign-in to %s works, but it is of %s, and Stead keeps the session of %s; nothing was replaced.",
		s->recipe->title, account, kept.account);
	words_set(advice, sizeof(advice),
		"Shall Stead act as %s from now on? If not, close this, or go on in the browser and sign in there as %s.",
		account, kept.account);
	sign_in_set_step(s, STEP_FAILED, why, advice);
	return 0;
}

/*
 * A session that is kept and has ended, and a sign-in that no other browser could be given: who is only told to sign in again
 * goes round in a circle. What needs it waits for its person all the same: it was taken into another browser once, so that
 * another sign-in may be, too.
 */
static int report_not_portable(struct sign_in *s, const char *why)
{
	CLEANUP(call_freep) struct call *call = call_new(s->daemon, &s->call->acting, deadline_in(20000));
	const struct session_show_params params = { .site = s->recipe->name, .kind = sign_in_kind(s),
		.fingerprint = sign_in_fingerprint(s) };
	char reason[1025];
	struct session_report_params report = { .site = s->recipe->name, .kind = sign_in_kind(s),
		.fingerprint = sign_in_fingerprint(s), .health = "not_portable", .reason = reason };
	struct session_show_result kept;
	struct session_report_result result;
	int r = call_session_show(call, s->daemon->sessiond, &params, &kept);

	words_set(reason, sizeof(reason), "It has ended, and the last sign-in could not be kept. %s", BRIEF(900, why));
	if (r == 0 && kept.version && strcmp(kept.health, "needs_sign_in") == 0) {
		report.version = kept.version;
		r = call_session_report(call, s->daemon->sessiond, &report, &result);
	}
	if (r < 0 && r != -ECANCELED)
		log_warning("it could not be noted why a new session of %s is not portable: %s", s->recipe->name, call_why(call, r));
	return r == -ECANCELED ? r : 0;
}

/*
 * Whether the site takes the person for nobody in another tab of their own browser, too, although the page shows whose it is:
 * then what the page has is in its memory, or it has been taken back.
 */
static int look_beside(struct sign_in *s, const char *account, bool *ret_nobody)
{
	struct probed seen = { .verdict = VERDICT_INCONCLUSIVE };
	struct target_ref tab;
	int r = *account ? sign_in_set_network(s, true) : -ENOENT;

	if (r == 0)
		r = browser_open_hidden(s->screen->browser, false, deadline_in(CAPTURE_MS), &tab);
	if (r == 0) {
		r = probe(tab, s->recipe, deadline_in(CAPTURE_MS), &seen);
		page_close_hidden(tab);
		browser_hear_answers(s->screen->browser, false);
		sign_in_set_network(s, false);
	}
	*ret_nobody = r == 0 && seen.verdict == VERDICT_OUT;
	return r == -ECANCELED || r == -ECONNRESET ? r : 0;
}

#define MEMORY                                                                                     \
	"In another tab of the browser you signed in with, nobody is signed in either: the site keeps the sign-in in the page's " \
	"memory, which nothing can be taken from, or has ended it."
#define HTTP_PASSWORD                                                                              \
	"A host was given a name and a password by HTTP authentication, which browsers keep in memory alone: that cannot be taken along."
#define REMEMBER                                                                                   \
	"Reload the page in the browser. If it then asks for you again, look for \"stay signed in\" or \"remember me\" there, sign in with that, and press \"Check now\"."

/* Whether what the page holds becomes something else within a moment, once it may speak again, and the rule still holds. */
static int await_change(struct sign_in *s, bool *ret)
{
	int64_t deadline = deadline_in(CHANGE_MS);
	struct target_ref page = NO_TARGET;
	char why[512];
	int r = sign_in_set_network(s, true);

	*ret = false;
	while (r == 0 && !*ret && loop_now() < deadline) {
		CLEANUP(state_freep) struct state *now = NULL;
		r = fiber_sleep_until(deadline_in(LOOK_MS));
		if (r == 0)
			r = capture(s->screen->browser, NO_TARGET, s->recipe, deadline_in(CAPTURE_MS), &now);
		*ret = r == 0 && !state_equal(s->refused, now);
	}
	if (r == 0 && *ret)
		r = rule_check(s->screen->browser, s->recipe, s->before, deadline_in(CAPTURE_MS), &page, why, sizeof(why));
	*ret = r == 0 && page.number;
	if (!*ret && r != -ECANCELED && r != -ECONNRESET)
		r = sign_in_set_network(s, false);
	return r == -ETIMEDOUT || r == -EREMOTE || r == -EPIPE ? 0 : r;
}

/* The site takes the restored session for nobody's. SIGN_IN_CHANGED: it may have come too early. */
static int sign_in_proof_say_refused(struct sign_in *s, const struct proof *proof, const struct signed_in *it)
{
	bool nobody = false, changed = false;
	char why[1024];
	int r = 0;

	s->stale = true;
	s->refused = state_free(s->refused);
	words_set(why, sizeof(why), "%s", proof->found.why);
	if (!*proof->found.account)
		r = capture(s->screen->browser, NO_TARGET, s->recipe, deadline_in(CAPTURE_MS), &s->refused);
	if (r == 0 && s->refused && !s->tried_again)
		r = await_change(s, &changed);
	if (r == 0 && changed) {
		s->tried_again = true;
		s->stale = false;
		return SIGN_IN_CHANGED;
	}
	if (r == -ECANCELED || r == -ECONNRESET)
		return r;
	r = 0; /* that the page could not be looked at is no news */
	if (*proof->not_portable)
		r = report_not_portable(s, proof->not_portable);
	else if (!*proof->found.account)
		r = look_beside(s, it->account, &nobody);
	if (nobody)
		words_add(why, sizeof(why), " %s", MEMORY);
	if (!*proof->not_portable && browser_used_http_auth(s->screen->browser))
		words_add(why, sizeof(why), " %s", HTTP_PASSWORD);
	if (r == 0)
		sign_in_set_step(s, STEP_FAILED, why, nobody ? REMEMBER : proof->advice);
	return r;
}

/* It works: 1 once it is saved, 0 if it is not, and said why. */
static int save_proved(struct sign_in *s, const struct proof *proof)
{
	char why[1024];
	bool another = false;
	int r;

	exact_must(s->account, sizeof(s->account), "%s", proof->found.account);
	r = sign_in_proof_save(s, proof, why, sizeof(why), &another);
	if (r == 0)
		return 1;
	if (r == -ECANCELED || s->ending)
		return -ECANCELED;
	if (another)
		return ask_whether(s, proof->found.account);
	sign_in_set_step(s, STEP_FAILED, why, s->save == SAVE_UNKNOWN ? LOOK_FIRST : TRY_AGAIN);
	return 0;
}

int sign_in_prove(struct sign_in *s, const struct signed_in *it)
{
	CLEANUP(call_freep) struct call *call = call_new(s->daemon, &s->call->acting, deadline_in(PROOF_MS));
	struct proof proof;
	int r;

	sign_in_set_step(s, STEP_PROVING, "", "");
	s->stale = s->reloading = false;
	r = proof_run(call, &s->daemon->settings, s->recipe, it->state, *it->account ? it->account : NULL, &proof);
	if (r == -ECANCELED)
		return r;
	if (r < 0) {
		sign_in_set_step(s, STEP_FAILED, launch_why(call, "proving browser", r), SIGN_IN_GO_ON);
		return 0;
	}
	if (proof.found.verdict == VERDICT_OUT)
		return sign_in_proof_say_refused(s, &proof, it);
	if (proof.found.verdict != VERDICT_IN) {
		sign_in_set_step(s, STEP_FAILED, proof.found.why, proof.advice);
		return 0;
	}
	r = save_proved(s, &proof);
	if (r == 1)
		caution_words(s->screen->browser, s->recipe, it->state, s->reason, sizeof(s->reason));
	proof_clear(&proof);
	return r;
}

int sign_in_set_network(struct sign_in *s, bool open)
{
	CLEANUP(call_freep) struct call *call = call_new(s->daemon, NULL, deadline_in(10000));

	return browser_set_network(s->screen->browser, call, open);
}

void signed_in_end(struct signed_in *it)
{
	it->state = state_free(it->state);
	it->account[0] = '\0';
}
