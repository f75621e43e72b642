#include "authd/watch.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "authd/state.h"
#include "authd/handlers.h"
#include "common/cleanup.h"
#include "common/loop.h"
#include "proto/call.h"

void login_use_begin(struct login_watch *watch, struct login_use *use)
{
	LIST_INSERT_HEAD(&watch->uses, use, link);
}

void login_use_end(struct login_use *use)
{
	LIST_REMOVE(use, link);
}

void login_watch_tell(struct login_watch *watch, const char *login)
{
	struct login_use *u;

	hub_tell(watch->ended, login, NULL);
	LIST_FOREACH (u, &watch->uses, link)
		if (strcmp(u->login, login) == 0)
			u->ended(u);
}

void login_watch_missed(struct login_watch *watch)
{
	struct login_use *u;

	hub_miss(watch->ended);
	LIST_FOREACH (u, &watch->uses, link)
		u->doubtful = true;
}

int login_watch(struct call *call, const struct login_watch_params *)
{
	struct authd *a = call->daemon;
	CLEANUP(watcher_freep) struct watcher *w = watcher_new(a->watch.ended, NULL);
	struct login_watch_item item;
	int r;

	while ((r = watcher_next(w, &item.login, NULL, NEVER)) == 0 && (r = send_login_watch(call, &item)) == 0)
		;
	if (r == -ESTALE)
		return call_refuse(call, ERR_unavailable, NULL,
			"Logins may have ended without word of it; check those that are in use, then watch again.");
	return r;
}
