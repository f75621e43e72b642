/*
 * Logins as they end, told to every open login_watch.
 */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "common/hub.h"

/* A watcher this far behind is not reading; it is better told to begin again than fed for ever. */
#define LOGIN_WATCH_MOST 1024

struct login_watch {
	struct hub *ended; /* by the logins' names; hub_new(0, LOGIN_WATCH_MOST) */
	LIST_HEAD(, login_use) uses;
};

/*
 * Something of authd's own that is open with a login, until login_use_end(). ended() is called when the login has ended; it may
 * neither wait nor end the use.
 */
struct login_use {
	const char *login; /* borrowed */
	void (*ended)(struct login_use *use);
	bool doubtful;     /* it may have ended without word of it: to be looked up, and cleared, by whoever uses it */
	LIST_ENTRY(login_use) link;
};

void login_use_begin(struct login_watch *watch, struct login_use *use);
void login_use_end(struct login_use *use);

/* Tells all watchers that this login has ended. */
void login_watch_tell(struct login_watch *watch, const char *login);

/* Some endings may have been missed: ends the watchers' streams, so that they check what they know and watch anew. */
void login_watch_missed(struct login_watch *watch);
