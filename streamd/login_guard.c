#include "streamd/login_guard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/time.h>

#include <event2/event.h>

#include "common/arena.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "proto/authd.h"
#include "proto/call.h"
#include "proto/peer.h"

#define CHECK_MS      5000  /* for one login that is asked for again */
#define FIRST_WAIT_MS 100   /* before authd is watched again */
#define MOST_WAIT_MS  5000
#define STEADY_MS     10000 /* a watch that has lasted as long starts the waiting anew */
#define EXPIRY_MS     60000 /* the wall clock is looked at least so often, for it may be set */

/* What was let in, and with what. */
struct held {
	uint64_t id;
	char *cookie; /* to ask again */
	char *login;
	int64_t expires_at_ms;
	bool checked; /* since the watch was opened */
	LIST_ENTRY(held) link;
};

struct login_guard {
	struct peer *authd;
	void (*ended)(void *owner, uint64_t id);
	void *owner;
	struct fiber *watcher;
	struct event *expiry;
	LIST_HEAD(, held) held;
};

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static void held_free(struct held *h)
{
	LIST_REMOVE(h, link);
	explicit_bzero(h->cookie, strlen(h->cookie));
	free(h->cookie);
	free(h->login);
	free(h);
}

static void end(struct login_guard *g, struct held *h)
{
	uint64_t id = h->id;

	held_free(h);
	g->ended(g->owner, id);
}

/* Ends all that match; ended() may release others, so the list is begun again after each. */
static void end_matching(struct login_guard *g, bool (*matches)(const struct held *h, const void *what),
	const void *what)
{
	struct held *h;

again:
	LIST_FOREACH (h, &g->held, link)
		if (matches(h, what)) {
			end(g, h);
			goto again;
		}
}

static bool has_login(const struct held *h, const void *login)
{
	return strcmp(h->login, login) == 0;
}

static bool has_cookie(const struct held *h, const void *cookie)
{
	return strcmp(h->cookie, cookie) == 0;
}

static bool has_expired(const struct held *h, const void *now)
{
	return h->expires_at_ms <= *(const int64_t *)now;
}

/* Expiry. */

static void arm_expiry(struct login_guard *g)
{
	int64_t ms = EXPIRY_MS;
	struct held *h;

	LIST_FOREACH (h, &g->held, link) {
		int64_t left = h->expires_at_ms - wall_now();
		if (left < ms)
			ms = left > 0 ? left : 0;
	}
	struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	event_add(g->expiry, &wait);
}

static void on_expiry(evutil_socket_t fd, short what, void *arg)
{
	struct login_guard *g = arg;
	int64_t now = wall_now();

	(void)fd, (void)what;
	end_matching(g, has_expired, &now);
	if (!LIST_EMPTY(&g->held))
		arm_expiry(g);
}

/* The watch. */

/* One that has not been asked for since the watch was opened. */
static struct held *next_unchecked(struct login_guard *g)
{
	struct held *h;

	LIST_FOREACH (h, &g->held, link)
		if (!h->checked)
			return h;
	return NULL;
}

static void mark_checked(struct login_guard *g, const char *cookie)
{
	struct held *h;

	LIST_FOREACH (h, &g->held, link)
		if (has_cookie(h, cookie))
			h->checked = true;
}

static int check_again(struct login_guard *g, struct held *h)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(CHECK_MS));
	struct login_check_params params = { .cookie = arena_strdup(call->arena, h->cookie) };
	struct login_check_result result;
	int r = call_login_check(call, g->authd, &params, &result);

	/* h may be gone by now. */
	if (r == REFUSED && call->refusal.code == ERR_not_signed_in)
		end_matching(g, has_cookie, params.cookie);
	else if (r < 0)
		return r;
	mark_checked(g, params.cookie);
	return 0;
}

/* While nobody watched a login may have ended. */
static int check_all(struct login_guard *g)
{
	struct held *h;
	int r = 0;

	LIST_FOREACH (h, &g->held, link)
		h->checked = false;
	while (r == 0 && (h = next_unchecked(g)))
		r = check_again(g, h);
	return r;
}

static int follow(struct login_guard *g, struct call *call)
{
	struct login_watch_params params = {};
	struct login_watch_item item;
	struct peer_stream *stream;
	int r = open_login_watch(call, g->authd, &params, &stream);

	if (r < 0)
		return r;
	r = check_all(g);
	while (r == 0) {
		r = next_login_watch(stream, &item, NEVER);
		if (r == 0)
			end_matching(g, has_login, item.login);
	}
	peer_stream_close(stream);
	return r;
}

static void watch(void *arg)
{
	struct login_guard *g = arg;
	int64_t wait_ms = FIRST_WAIT_MS;

	while (!fiber_cancelled()) {
		CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, NEVER);
		int64_t began = loop_now();
		int r = follow(g, call);

		if (r == -ECANCELED)
			return;
		log_debug("the watch for logins that end was lost and is opened again: %s", call_why(call, r));
		if (loop_now() - began >= STEADY_MS)
			wait_ms = FIRST_WAIT_MS;
		if (fiber_sleep_until(deadline_in(wait_ms)) < 0)
			return;
		wait_ms = 2 * wait_ms < MOST_WAIT_MS ? 2 * wait_ms : MOST_WAIT_MS;
	}
}

/* The outside. */

struct login_guard *login_guard_new(struct peer *authd, void (*ended)(void *owner, uint64_t id), void *owner)
{
	struct login_guard *g = must(calloc(1, sizeof(*g)));

	g->authd = authd;
	g->ended = ended;
	g->owner = owner;
	LIST_INIT(&g->held);
	g->expiry = must(event_new(loop_base(), -1, 0, on_expiry, g));
	fiber_start("login_guard", watch, g, &g->watcher);
	return g;
}

struct login_guard *login_guard_free(struct login_guard *g)
{
	struct held *h;

	if (!g)
		return NULL;
	fiber_cancel(g->watcher);
	fiber_join(&g->watcher);
	while ((h = LIST_FIRST(&g->held)))
		held_free(h);
	event_free(g->expiry);
	free(g);
	return NULL;
}

static void hold(struct login_guard *g, uint64_t id, const char *cookie, const struct login_check_result *login)
{
	struct held *h = must(calloc(1, sizeof(*h)));

	h->id = id;
	h->cookie = must(strdup(cookie));
	h->login = must(strdup(login->login));
	h->expires_at_ms = login->expires_at_ms;
	h->checked = true;
	LIST_INSERT_HEAD(&g->held, h, link);
	arm_expiry(g);
}

int login_guard_admit(struct login_guard *g, struct call *call, uint64_t id, const char *cookie, struct login *ret)
{
	struct login_check_params params = { .cookie = cookie };
	struct login_check_result result;
	int r;

	if (!*cookie)
		return call_refuse(call, ERR_not_signed_in, NULL, "%s", "");
	r = call_login_check(call, g->authd, &params, &result);
	if (r < 0)
		return r;
	if (result.expires_at_ms <= wall_now())
		return call_refuse(call, ERR_not_signed_in, NULL, "%s", "");
	hold(g, id, cookie, &result);
	*ret = (struct login){ .user = result.user,
		.name = result.name,
		.login = result.login,
		.ip = "",
		.admin = result.admin,
		.expires_at_ms = result.expires_at_ms };
	return 0;
}

void login_guard_release(struct login_guard *g, uint64_t id)
{
	struct held *h;

	LIST_FOREACH (h, &g->held, link)
		if (h->id == id) {
			held_free(h);
			return;
		}
}
