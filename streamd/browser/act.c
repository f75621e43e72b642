#include "streamd/browser/act_inside.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"

#define MOST_KEPT   256  /* requests; further ones fail */
#define ANSWER_MS   5000 /* for what Chromium answers at once */

/* Matches no address that a page could load; factories of loaders are paused only when they were made with a pattern. */
#define NOTHING "stead-nothing:*"

struct act *act_new(struct browser *b)
{
	struct act *a = must(calloc(1, sizeof(*a)));

	a->browser = b;
	TAILQ_INIT(&a->kept);
	return a;
}

void act_go_by(struct act *a, struct egress_rule *rule)
{
	egress_rule_free(a->rule);
	a->rule = rule;
}

struct act *act_free(struct act *a)
{
	struct asked *k;

	if (!a)
		return NULL;
	fiber_cancel(a->pump);
	fiber_join(&a->pump);
	while ((k = TAILQ_FIRST(&a->kept))) {
		TAILQ_REMOVE(&a->kept, k, link);
		asked_free(k);
	}
	egress_rule_free(a->rule);
	free(a);
	return NULL;
}

/* type: of resources; NULL: any. */
static int set_pattern(struct act *a, const char *pattern, const char *type, int64_t deadline)
{
	return cdp_call(browser_cdp(a->browser), "", "Fetch.enable", deadline, NULL,
		CDP_LIST("patterns", CDP_MAP(NULL, CDP_TEXT("urlPattern", pattern), CDP_TEXT("resourceType", type))));
}

int act_prepare(struct act *a, int64_t deadline)
{
	return set_pattern(a, NOTHING, NULL, deadline);
}

/* Wakes whoever waits; something has happened. */
static void act_touch(struct act *a)
{
	a->changed = loop_now();
	act_tell(a);
}

/* What becomes of it */

/*
 * Whether it is taken for an act. What only may be one is, until something that is has gone, or much of it has: a page that shows
 * pictures as it is pressed is not to be kept waiting with each of them.
 */
static bool counts(const struct act *a, const struct asked *k)
{
	switch (a->gate) {
	case GATE_WATCH:
	case GATE_HELD:
	case GATE_STOP: return k->acts || k->may_act;
	case GATE_SEND: return k->acts || (k->may_act && !a->sure.gone && a->maybe.gone < MOST_MAYBE);
	case GATE_OFF:
	case GATE_READY:
	case GATE_LEFT: return k->acts;
	}
	return k->acts;
}

static void act_keep(struct act *a, struct asked *k)
{
	TAILQ_INSERT_TAIL(&a->kept, k, link);
	a->kept_count++;
	if (!counts(a, k))
		return act_tell(a);
	a->noticed++;
	act_touch(a);
}

static void unkeep(struct act *a, struct asked *k)
{
	TAILQ_REMOVE(&a->kept, k, link);
	a->kept_count--;
}

/* Takes k over. */
static void act_pass(struct act *a, struct asked *k)
{
	cdp_send(browser_cdp(a->browser), "", "Fetch.continueRequest", CDP_TEXT("requestId", k->id));
	if (a->gate == GATE_SEND && k->reads)
		coming_begin(a, k, false);
	asked_free(k);
}

/* Takes k over. A navigation that is aborted leaves the page that is there. */
static void act_fail(struct act *a, struct asked *k, const char *reason)
{
	cdp_send(browser_cdp(a->browser), "", "Fetch.failRequest", CDP_TEXT("requestId", k->id), CDP_TEXT("errorReason", reason));
	asked_free(k);
}

static void act_refuse(struct act *a, struct asked *k)
{
	act_fail(a, k, "BlockedByClient");
}

/* Takes k over. */
static void refuse_again(struct act *a, struct asked *k)
{
	words_set(a->why, sizeof(a->why), "The page wanted to send %s %s again by itself, and was not let.", k->method, url_shown(k->url));
	log_warning("%s", a->why);
	act_fail(a, k, "Aborted");
	act_tell(a);
}

/* Whether it can go beside what is under way: not to that one's host, where Chromium would have a second connection. */
static bool may_pass(const struct act *a, const struct asked *k)
{
	switch (a->gate) {
	case GATE_OFF:
	case GATE_READY: return true;
	case GATE_WATCH:
	case GATE_STOP: return !counts(a, k);
	case GATE_HELD: return false;
	case GATE_SEND: return !counts(a, k) && !(a->flying && asked_same_host(a->flying, k));
	case GATE_LEFT:
		return k->apart || method_is_safe(k->method) || (!k->own && !(a->flying && asked_same_host(a->flying, k)));
	}
	return true;
}

static void on_act_request(struct act *a, const struct cbor *params)
{
	struct asked *k = asked_new(a, params);

	if (k->repeated) {
		words_set(a->why, sizeof(a->why), "%s sent the request back to where it had been; it was not sent again.",
			url_shown(k->url));
		log_warning("%s: %s", k->method, a->why);
		act_refuse(a, k);
	} else if (k->anew && is_again(a, k)) {
		refuse_again(a, k);
	} else if (k->apart && a->hushed) {
		act_refuse(a, k);
	} else if (may_pass(a, k)) {
		act_pass(a, k);
	} else if (a->gate == GATE_STOP || a->kept_count >= MOST_KEPT) {
		act_refuse(a, k);
	} else {
		if (a->gate == GATE_WATCH)
			a->gate = GATE_HELD;
		act_keep(a, k);
	}
}

/* It has no body that anybody gets. */
static bool is_redirection(int status)
{
	return status >= 300 && status < 400;
}

/* The answer of what went alone, or that there is none. It is let on to the page at once. */
static void on_answer(struct act *a, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const char *failure = cbor_get_utf8(arena, params, "responseErrorReason");
	const struct cbor *id = cbor_get(params, "requestId");

	if (a->flying && cbor_text_is(id, a->flying->id) && !a->over) {
		a->over = true;
		a->status = failure ? 0 : (int)cbor_get_int(params, "responseStatusCode", 0);
		words_set(a->failure, sizeof(a->failure), "%s", failure ?: "");
		if (a->status && !is_redirection(a->status))
			coming_begin(a, a->flying, true);
		act_touch(a);
	}
	cdp_send(browser_cdp(a->browser), "", "Fetch.continueRequest", CDP_VALUE("requestId", id));
}

/* The page has taken it back; what it asked to be kept alive may go on all the same. */
static void on_failed(struct act *a, const struct cbor *params)
{
	coming_end(a, params);
	if (!a->flying || !a->flying->network[0] || !cbor_text_is(cbor_get(params, "requestId"), a->flying->network))
		return;
	a->withdrawn = true;
	act_tell(a);
}

static void on_socket(struct act *a)
{
	if (a->gate == GATE_OFF || a->gate == GATE_READY || a->gate == GATE_LEFT || a->socket)
		return;
	a->socket = true; /* those that follow do not count: many a page keeps talking */
	act_touch(a);
}

bool act_event(struct act *a, const char *session, const char *method, const struct cbor *params)
{
	if (!*session && strcmp(method, "Fetch.requestPaused") == 0) {
		if (cbor_get(params, "responseStatusCode") || cbor_get(params, "responseErrorReason"))
			on_answer(a, params);
		else
			on_act_request(a, params);
		return true;
	}
	if (a->apart_count)
		apart_note(a, session, method, params);
	if (strcmp(method, "Network.requestWillBeSent") == 0)
		known_note(a, params);
	else if (strcmp(method, "Network.loadingFailed") == 0)
		on_failed(a, params);
	else if (strcmp(method, "Network.loadingFinished") == 0)
		coming_end(a, params);
	else if (strcmp(method, "Network.responseReceived") == 0 || strcmp(method, "Network.dataReceived") == 0)
		coming_more(a, method, params);
	else if (strcmp(method, "Network.webSocketFrameSent") == 0)
		on_socket(a);
	else if (strcmp(method, "Page.frameStartedNavigating") == 0)
		anew_note(a, params);
	else
		coming_event(a, method, params);
	return false;
}

static struct tally *tally_of(struct act *a, const struct asked *k)
{
	return k->acts ? &a->sure : &a->maybe;
}

static void act_conclude(struct act *a, bool taken_back)
{
	const struct asked *k = a->flying;
	const char *refused = browser_refused(a->browser, url_whole(k->url));
	struct tally *t = tally_of(a, k);
	size_t *became = &t->unsent;

	if (taken_back) {
		words_set(a->why, sizeof(a->why), "The page took back what it was about to send to %s.", k->host.name);
	} else if (a->status && line_was_heard(a)) {
		became = &t->answered;
		t->highest = a->status > t->highest ? a->status : t->highest;
	} else if (line_may_have_carried(a)) {
		became = &t->lost;
		words_set(a->why, sizeof(a->why), "The connection to %s ended before it had answered.", k->host.name);
	} else if (a->dropped) {
		words_set(a->why, sizeof(a->why), "The page took back what it was about to send to %s, whose connection was not answered, so it was "
			"closed.", k->host.name);
	} else {
		words_set(a->why, sizeof(a->why), "No connection to %s could be made.%s%s", k->host.name, refused ? " " : "",
			refused ?: "");
	}
	++*became;
	if (became != &t->unsent)
		gone_note(a, k);
	log_debug("%s %s: %d %s", k->method, url_shown(k->url), a->status, a->failure);
}

/* The connection is ready for it: lets it go, and waits until it is over. */
static int act_let_go(struct act *a)
{
	int r = cdp_call(browser_cdp(a->browser), "", "Fetch.continueRequest", NEVER, NULL, /* it may go as long as it may be read */
		CDP_TEXT("requestId", a->flying->id), CDP_BOOL("interceptResponse", true));
	bool taken_back = r == -EREMOTE;

	if (r == 0)
		r = line_await_answer(a);
	if (r != -ECANCELED)
		act_conclude(a, taken_back);
	return r;
}

static void begin_flight(struct act *a, struct asked *k)
{
	unkeep(a, k);
	a->flying = k;
	a->over = a->withdrawn = false;
	a->status = 0;
	a->failure[0] = '\0';
	a->flown_at = loop_now();
	tally_of(a, k)->gone++;
	trail_note(a, k);
}

/* Lets one request go, alone; where it cannot be alone it does not go. Takes k over. */
static int send_alone(struct act *a, struct asked *k)
{
	bool ready;
	int r;

	begin_flight(a, k);
	r = line_begin(a);
	ready = r == 0;
	if (ready)
		r = act_let_go(a);
	line_end(a);
	a->flying = NULL;
	if (ready || r == -ECANCELED) {
		asked_free(k);
	} else {
		tally_of(a, k)->unsent++;
		log_warning("%s %s: %s", k->method, url_shown(k->url), a->why);
		act_refuse(a, k);
	}
	act_touch(a);
	return r == -ECANCELED ? r : 0;
}

/* Of what is kept, lets go what may pass, or, pass false, refuses what may not. */
static void settle_kept(struct act *a, bool pass)
{
	struct asked *k, *next;

	for (k = TAILQ_FIRST(&a->kept); k; k = next) {
		next = TAILQ_NEXT(k, link);
		if (may_pass(a, k) != pass)
			continue;
		unkeep(a, k);
		if (pass)
			act_pass(a, k);
		else
			act_refuse(a, k);
	}
}

/* What is one before what only may be. */
struct asked *act_next(const struct act *a)
{
	struct asked *k, *may = NULL;

	TAILQ_FOREACH (k, &a->kept, link) {
		if (may_pass(a, k) || !counts(a, k))
			continue;
		if (k->acts)
			return k;
		may = may ?: k;
	}
	return may;
}

/* What acts goes first; what else waits for the same host follows when none of it is left. */
static void pump(void *arg)
{
	struct act *a = arg;
	struct asked *k;
	int r = 0;

	while (r == 0) {
		k = a->gate == GATE_SEND || a->gate == GATE_LEFT ? act_next(a) : NULL;
		if (!k)
			settle_kept(a, true);
		if (k && is_again(a, k)) {
			unkeep(a, k);
			refuse_again(a, k);
		} else {
			r = k ? send_alone(a, k) : latch_wait(&a->work, NEVER);
		}
	}
}

/* Of whoever acts */

int act_watch(struct act *a, int64_t deadline)
{
	int r;

	a->pressed = false;
	if (a->gate == GATE_READY || a->gate == GATE_WATCH || a->gate == GATE_HELD)
		return 0;
	r = set_pattern(a, "*", NULL, deadline);
	if (r < 0)
		return r;
	a->gate = GATE_READY;
	a->socket = false;
	a->sure = a->maybe = (struct tally){ 0 };
	a->why[0] = '\0';
	a->apart_count = 0; /* one of those may be what acts now */
	coming_forget_reads(a);
	a->trail_count = 0;
	browser_hear_answers(a->browser, true);
	return 0;
}

void act_press(struct act *a)
{
	if (!a)
		return;
	a->pressed = true;
	a->presses++;
	if (a->gate == GATE_READY)
		a->gate = GATE_WATCH;
	act_input(a);
}

void act_input(struct act *a)
{
	if (!a)
		return;
	a->input_at = loop_now();
	a->input_noticed = a->noticed;
}

bool act_pressed(const struct act *a)
{
	return a->pressed;
}

size_t act_noticed(const struct act *a)
{
	return a ? a->noticed : 0;
}

bool act_holds(const struct act *a)
{
	return a->gate == GATE_HELD || (a->gate == GATE_WATCH && a->socket);
}

int act_await_held(struct act *a, int64_t deadline, const bool *over)
{
	int r = 0;

	while (r == 0 && !act_holds(a) && !(over && *over))
		r = latch_wait(&a->news, deadline);
	return r;
}

int act_await_told(struct act *a, int64_t deadline, const bool *over)
{
	int r = 0;

	while (r == 0 && !*over)
		r = latch_wait(&a->news, deadline);
	return r;
}

const char *act_words(const struct act *a, struct arena *arena)
{
	const struct asked *k = act_next(a);

	if (k)
		return words_new(arena, 512, "%s %s", k->method, url_shown(k->url));
	return "a message over a WebSocket, which cannot be held back";
}

void act_send(struct act *a)
{
	if (a->gate == GATE_WATCH || a->gate == GATE_HELD) {
		a->gate = GATE_SEND;
		a->input_at = 0;
		act_touch(a);
	}
	if (!a->pump)
		fiber_start("act", pump, a, &a->pump);
}

bool act_has_begun(const struct act *a)
{
	return a && a->gate >= GATE_HELD;
}

bool act_is_open(const struct act *a)
{
	return a && (a->flying || coming_first(a, true) || ((a->gate == GATE_SEND || a->gate == GATE_LEFT) && act_next(a)));
}

int act_await_over(struct act *a, int64_t deadline)
{
	int r = 0;

	while (r == 0 && act_is_open(a)) {
		r = latch_wait(&a->news, deadline_min(deadline, coming_until(a)));
		if (r == -ETIMEDOUT && loop_now() < deadline)
			r = 0;
	}
	return r;
}

void act_stop(struct act *a)
{
	if (!a || a->gate == GATE_OFF)
		return;
	a->gate = GATE_STOP;
	settle_kept(a, false);
}

void act_leave(struct act *a)
{
	if (!a)
		return;
	a->known_count = 0;
	if (a->gate == GATE_OFF)
		return;
	if (act_is_open(a)) {
		a->gate = GATE_LEFT;
		line_share(a);
		settle_kept(a, true);
		return;
	}
	act_stop(a); /* what is held back, and nobody has let go */
	a->gate = GATE_OFF;
	a->apart_count = 0;
	/* What has acted is not sent again by a document that is loaded again, also when nothing is held back any more. */
	if (a->gone_count)
		set_pattern(a, "*", "Document", deadline_in(ANSWER_MS));
	else
		set_pattern(a, NOTHING, NULL, deadline_in(ANSWER_MS));
	settle_kept(a, true);
}
