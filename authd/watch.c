#include "authd/watch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "authd/state.h"
#include "authd/handlers.h"
#include "common/fiber.h"
#include "common/latch.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"
#include "proto/call.h"

/* A watcher this far behind is not reading; it is better told to begin again than fed for ever. */
#define MOST_QUEUED 1024

struct ending {
	char login[65];
	STAILQ_ENTRY(ending) link;
};

struct watcher {
	STAILQ_HEAD(, ending) queue;
	size_t queued;
	bool missed;
	struct latch news;
	LIST_ENTRY(watcher) link;
};

struct login_watch {
	LIST_HEAD(, watcher) watchers;
	LIST_HEAD(, login_use) uses;
};

struct login_watch *login_watch_new(void)
{
	struct login_watch *watch = must(calloc(1, sizeof(*watch)));

	LIST_INIT(&watch->watchers);
	LIST_INIT(&watch->uses);
	return watch;
}

struct login_watch *login_watch_free(struct login_watch *watch)
{
	free(watch);
	return NULL;
}

void login_use_begin(struct login_watch *watch, struct login_use *use)
{
	LIST_INSERT_HEAD(&watch->uses, use, link);
}

void login_use_end(struct login_use *use)
{
	LIST_REMOVE(use, link);
}

static void tell_uses(struct login_watch *watch, const char *login)
{
	struct login_use *u;

	LIST_FOREACH (u, &watch->uses, link)
		if (strcmp(u->login, login) == 0)
			u->ended(u);
}

void login_watch_tell(struct login_watch *watch, const char *login)
{
	struct watcher *w;

	LIST_FOREACH (w, &watch->watchers, link) {
		struct ending *e = must(calloc(1, sizeof(*e)));
		exact_set(e->login, sizeof(e->login), "%s", login); /* else "": nobody's */
		STAILQ_INSERT_TAIL(&w->queue, e, link);
		if (++w->queued > MOST_QUEUED)
			w->missed = true;
		latch_wake(&w->news, 0);
	}
	tell_uses(watch, login);
}

void login_watch_missed(struct login_watch *watch)
{
	struct login_use *u;
	struct watcher *w;

	LIST_FOREACH (u, &watch->uses, link)
		u->doubtful = true;

	LIST_FOREACH (w, &watch->watchers, link) {
		w->missed = true;
		latch_wake(&w->news, 0);
	}
}

static struct ending *take(struct watcher *w)
{
	struct ending *e = STAILQ_FIRST(&w->queue);

	if (e) {
		STAILQ_REMOVE_HEAD(&w->queue, link);
		w->queued--;
	}
	return e;
}

static int send_endings(struct call *call, struct watcher *w)
{
	struct ending *e;
	int r = 0;

	while (r == 0 && !w->missed) {
		e = take(w);
		if (!e) {
			r = latch_wait(&w->news, NEVER);
			continue;
		}
		struct login_watch_item item = { .login = e->login };
		r = send_login_watch(call, &item);
		free(e);
	}
	return r;
}

int login_watch(struct call *call, const struct login_watch_params *params)
{
	struct authd *a = call->daemon;
	struct watcher w = { .queue = STAILQ_HEAD_INITIALIZER(w.queue) };
	struct ending *e;
	int r;

	(void)params;
	LIST_INSERT_HEAD(&a->watch->watchers, &w, link);
	r = send_endings(call, &w);
	LIST_REMOVE(&w, link);
	while ((e = take(&w)))
		free(e);
	if (r == 0)
		return call_refuse(call, ERR_unavailable, NULL,
			"Logins may have ended without word of it; check those that are in use, then watch again.");
	return r;
}
