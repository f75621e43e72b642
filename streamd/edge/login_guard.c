#include "streamd/edge/login_guard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/time.h>

#include <event2/event.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/latch.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/pause.h"
#include "common/words.h"
#include "proto/authd.h"
#include "proto/call.h"
#include "proto/peer.h"

#define CHECK_MS      5000  /* for one login that is asked for again */
#define FIRST_WAIT_MS 100   /* before authd is watched, or asked, again */
#define MOST_WAIT_MS  5000
#define STEADY_MS     10000 /* a watch that has lasted as long starts the waiting anew */
#define EXPIRY_MS     60000 /* the wall clock is looked at least so often, for it may be set */

struct ended_login {
	char login[LOGIN_SIZE];
	STAILQ_ENTRY(ended_login) link;
};

/* A cookie that authd is being asked about: whose login it is, is not known yet, so all that end meanwhile are kept. */
struct asking {
	STAILQ_HEAD(, ended_login) ended;
	uint64_t watch; /* the present one when it was asked */
	LIST_ENTRY(asking) link;
};

struct login_guard {
	struct peer *authd;
	struct fiber *watcher, *checker;
	struct latch idle; /* the checker has nothing to ask */
	uint64_t watch;    /* counts them */
	struct event *expiry;
	TAILQ_HEAD(, login_hold) held;
	LIST_HEAD(, asking) askings;
};

static bool has_login(const struct login_hold *h, const void *login)
{
	return strcmp(h->login, login) == 0;
}

static bool has_expired(const struct login_hold *h, const void *now)
{
	return h->expires_at_ms <= *(const int64_t *)now;
}

static struct login_hold *find_matching(struct login_guard *g, bool (*matches)(const struct login_hold *h, const void *what),
	const void *what)
{
	struct login_hold *h;

	TAILQ_FOREACH (h, &g->held, link)
		if (matches(h, what))
			return h;
	return NULL;
}

/* Ends all that match; ended() may release others, so the list is begun again after each. */
static void end_matching(struct login_guard *g, bool (*matches)(const struct login_hold *h, const void *what),
	const void *what)
{
	struct login_hold *h;

	while ((h = find_matching(g, matches, what))) {
		login_guard_release(g, h);
		h->ended(h->owner);
	}
}

/* Expiry. */

static void arm_expiry(struct login_guard *g)
{
	int64_t ms = EXPIRY_MS, now = wall_now();
	struct login_hold *h;

	TAILQ_FOREACH (h, &g->held, link)
		if (h->expires_at_ms - now < ms)
			ms = h->expires_at_ms > now ? h->expires_at_ms - now : 0;
	loop_arm(g->expiry, ms);
}

static void on_expiry(evutil_socket_t, short, void *arg)
{
	struct login_guard *g = arg;
	int64_t now = wall_now();

	end_matching(g, has_expired, &now);
	if (!TAILQ_EMPTY(&g->held))
		arm_expiry(g);
}

/* Checks: what is held is asked for by the login's name. */

static struct login_hold *next_to_ask(struct login_guard *g)
{
	struct login_hold *h;

	TAILQ_FOREACH (h, &g->held, link)
		if (!h->checked || (h->used && h->tell_at <= loop_now()))
			return h;
	return NULL;
}

/* Notes what the answer will be about; takes what is to be told about the login's use. */
static bool begin_ask(struct login_guard *g, const char *login)
{
	bool used = false;
	struct login_hold *h;

	TAILQ_FOREACH (h, &g->held, link) {
		h->asked = has_login(h, login);
		if (!h->asked)
			continue;
		used |= h->used;
		h->used = false;
	}
	return used;
}

/*
 * watch: the one that was open when the answer was asked for. What came since may have come behind the end of the login, of
 * which the answer need not know.
 */
static void login_guard_note_answer(struct login_guard *g, const char *login, uint64_t watch,
	const struct login_look_result *answer)
{
	struct login_hold *h;

	TAILQ_FOREACH (h, &g->held, link) {
		if (!has_login(h, login))
			continue;
		h->checked |= h->asked && watch == g->watch;
		h->expires_at_ms = answer->expires_at_ms;
		h->tell_at = loop_now() + answer->again_ms;
	}
	arm_expiry(g);
}

/* It could not be asked for: another one is first next time. What was to be told of its use still is. */
static void put_last(struct login_guard *g, const char *login, bool used)
{
	struct login_hold *h = find_matching(g, has_login, login);

	if (!h)
		return;
	h->used |= used;
	TAILQ_REMOVE(&g->held, h, link);
	TAILQ_INSERT_TAIL(&g->held, h, link);
}

static int login_guard_ask(struct login_guard *g, const char *name)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(CHECK_MS));
	const struct login_look_params params = { .login = arena_strdup(call->arena, name), .used = begin_ask(g, name) };
	struct login_look_result result;
	uint64_t watch = g->watch;
	int r = call_login_look(call, g->authd, &params, &result);

	if (r == 0)
		login_guard_note_answer(g, params.login, watch, &result);
	else if (r == REFUSED && call->refusal.code == ERR_not_signed_in)
		end_matching(g, has_login, params.login);
	else
		put_last(g, params.login, params.used);
	return r == REFUSED && call->refusal.code == ERR_not_signed_in ? 0 : r;
}

/* While authd cannot say, what is held stays held. */
static void login_guard_check(void *arg)
{
	struct login_guard *g = arg;
	int64_t wait_ms = FIRST_WAIT_MS;
	int r = 0;

	while (r != -ECANCELED) {
		struct login_hold *h = next_to_ask(g);
		r = h ? login_guard_ask(g, h->login) : latch_wait(&g->idle, NEVER);
		if (r == 0)
			wait_ms = FIRST_WAIT_MS;
		if (r == 0 || r == -ECANCELED)
			continue;
		r = fiber_sleep_until(deadline_in(wait_ms));
		wait_ms = pause_longer(wait_ms, MOST_WAIT_MS);
	}
}

/* The watch. */

static void note_end(struct login_guard *g, const char *login)
{
	struct asking *a;

	LIST_FOREACH (a, &g->askings, link) {
		struct ended_login *e = must(calloc(1, sizeof(*e)));
		if (exact_set(e->login, sizeof(e->login), "%s", login))
			STAILQ_INSERT_TAIL(&a->ended, e, link);
		else
			free(e);
	}
	end_matching(g, has_login, login);
}

/*
 * While nobody watched a login may have ended. What is asked from here on goes to authd behind the watch, on the same
 * connection.
 */
static void begin_watch(struct login_guard *g)
{
	struct login_hold *h;

	g->watch++;
	TAILQ_FOREACH (h, &g->held, link)
		h->checked = false;
	latch_wake(&g->idle, 0);
}

static int login_guard_follow(struct login_guard *g, struct call *call)
{
	struct login_watch_params params = {};
	struct login_watch_item item;
	struct peer_stream *stream;
	int r = open_login_watch(call, g->authd, &params, &stream);

	if (r < 0)
		return r;
	begin_watch(g);
	while (r == 0) {
		r = next_login_watch(stream, &item, NEVER);
		if (r == 0)
			note_end(g, item.login);
	}
	peer_stream_close(stream);
	return r;
}

static void login_guard_watch(void *arg)
{
	struct login_guard *g = arg;
	int64_t wait_ms = FIRST_WAIT_MS;

	while (!fiber_cancelled()) {
		CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, NEVER);
		int64_t began = loop_now();
		int r = login_guard_follow(g, call);

		if (r == -ECANCELED)
			return;
		log_debug("the watch for logins that end was lost and is opened again: %s", call_why(call, r));
		if (loop_now() - began >= STEADY_MS)
			wait_ms = FIRST_WAIT_MS;
		if (fiber_sleep_until(deadline_in(wait_ms)) < 0)
			return;
		wait_ms = pause_longer(wait_ms, MOST_WAIT_MS);
	}
}

/* The outside. */

struct login_guard *login_guard_new(struct peer *authd)
{
	struct login_guard *g = must(calloc(1, sizeof(*g)));

	g->authd = authd;
	TAILQ_INIT(&g->held);
	LIST_INIT(&g->askings);
	g->expiry = loop_timer(on_expiry, g);
	fiber_start("login_guard", login_guard_watch, g, &g->watcher);
	fiber_start("login_check", login_guard_check, g, &g->checker);
	return g;
}

struct login_guard *login_guard_free(struct login_guard *g)
{
	if (!g)
		return NULL;
	fiber_cancel(g->watcher);
	fiber_join(&g->watcher);
	fiber_cancel(g->checker);
	fiber_join(&g->checker);
	event_free(g->expiry);
	free(g);
	return NULL;
}

static void hold(struct login_guard *g, struct login_hold *h, const char *login)
{
	*h = (struct login_hold){ .ended = h->ended, .owner = h->owner, .held = true, .expires_at_ms = INT64_MAX };
	if (!*login || !exact_set(h->login, sizeof(h->login), "%s", login))
		exact_must(h->login, sizeof(h->login), "none"); /* authd knows no such login, and says so when it is asked */
	TAILQ_INSERT_HEAD(&g->held, h, link);
}

static void begin_asking(struct login_guard *g, struct asking *a)
{
	STAILQ_INIT(&a->ended);
	a->watch = g->watch;
	LIST_INSERT_HEAD(&g->askings, a, link);
}

/* Whether that login was told to have ended meanwhile. */
static bool end_asking(struct asking *a, const char *login)
{
	struct ended_login *e;
	bool ended = false;

	LIST_REMOVE(a, link);
	while ((e = STAILQ_FIRST(&a->ended))) {
		STAILQ_REMOVE_HEAD(&a->ended, link);
		ended |= strcmp(e->login, login) == 0;
		free(e);
	}
	return ended;
}

static int login_guard_refuse_ended(struct call *call)
{
	return call_refuse(call, ERR_not_signed_in, NULL, "%s", "");
}

int login_guard_admit(struct login_guard *g, struct call *call, struct login_hold *h, const char *cookie, struct login *ret)
{
	struct login_check_params params = { .cookie = cookie };
	struct login_check_result result;
	struct asking asking;
	int r;

	if (!*cookie)
		return login_guard_refuse_ended(call);
	begin_asking(g, &asking);
	r = call_login_check(call, g->authd, &params, &result);
	if (end_asking(&asking, r == 0 ? result.login : ""))
		return login_guard_refuse_ended(call);
	if (r < 0)
		return r;
	if (result.expires_at_ms <= wall_now())
		return login_guard_refuse_ended(call);
	hold(g, h, result.login);
	h->expires_at_ms = result.expires_at_ms;
	h->checked = asking.watch == g->watch;
	if (!h->checked)
		latch_wake(&g->idle, 0);
	arm_expiry(g);
	*ret = (struct login){ .user = result.user,
		.name = result.name,
		.login = result.login,
		.ip = "",
		.scopes = scopes_read(result.scopes),
		.expires_at_ms = result.expires_at_ms };
	return 0;
}

void login_guard_hold(struct login_guard *g, struct login_hold *h, const char *login)
{
	hold(g, h, login);
	latch_wake(&g->idle, 0);
}

void login_guard_use(struct login_guard *g, struct login_hold *h)
{
	h->used = true;
	if (h->held && h->tell_at <= loop_now())
		latch_wake(&g->idle, 0);
}

void login_guard_release(struct login_guard *g, struct login_hold *h)
{
	if (h->held)
		TAILQ_REMOVE(&g->held, h, link);
	h->held = false;
}
