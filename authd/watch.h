/*
 * Logins as they end, told to every open login_watch.
 */
#pragma once

struct login_watch;

struct login_watch *login_watch_new(void);

/* No handler of it may be running. Takes NULL, returns NULL. */
struct login_watch *login_watch_free(struct login_watch *watch);

/* Tells all watchers that this login has ended. */
void login_watch_tell(struct login_watch *watch, const char *login);

/* Some endings may have been missed: ends the watchers' streams, so that they check what they know and watch anew. */
void login_watch_missed(struct login_watch *watch);
