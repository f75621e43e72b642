/*
 * Who is told when a session is saved, changes its health or goes: from the one channel on which
 * PostgreSQL tells every sessiond on every host, also of what this one did itself, to the callers
 * that watch.
 *
 * A watcher holds at most the newest change of each session, and past HUB_PENDING_MAX of them none:
 * then it reads all anew, as it does when the channel was down for a while. So a slow reader costs
 * little and misses nothing but steps between.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HUB_CHANNEL     "vault_sessions"
#define HUB_PENDING_MAX 10000

struct hub;
struct watcher;

struct change {
	int64_t user, version;
	char health[16];
	char site[65];
};

struct hub *hub_new(void);

/* No watcher may be left. Takes NULL, returns NULL. */
struct hub *hub_free(struct hub *h);

/* Lets every watcher end: watcher_next() returns -ESHUTDOWN from now on. */
void hub_end(struct hub *h);

/*
 * A payload of the channel; one that cannot be read is ignored. NULL: it is listened to from now
 * on, so something may have been missed.
 */
void hub_notice(struct hub *h, const char *payload);

size_t hub_watchers(const struct hub *h);

/*
 * It hears of what happens from now on: at first -ESTALE, as soon as the channel is listened to, so
 * that what it reads then and what it hears leave no gap.
 */
struct watcher *watcher_new(struct hub *h);

/* Takes NULL, returns NULL. */
struct watcher *watcher_free(struct watcher *w);
void watcher_freep(struct watcher **w);

/*
 * In a fiber: waits for a change. 0; -ESTALE: read everything, what was held has been dropped;
 * -ESHUTDOWN: the hub ends; -ECANCELED, -ETIMEDOUT.
 */
int watcher_next(struct watcher *w, struct change *ret, int64_t deadline);

/* Reads "USER VERSION HEALTH SITE". -EINVAL. Pure; for tests too. */
int change_parse(const char *payload, struct change *ret);
