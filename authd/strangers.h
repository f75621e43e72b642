/*
 * Callers that authd's sockets turned away (another uid, another socket's method): the fiber that puts them into the
 * audit, one row a second at most, so that nobody fills it up.
 */
#pragma once

struct authd;
struct strangers;

struct strangers *strangers_new(struct authd *a);

/* server_on_stranger() of the daemon whose state this is. Does not wait. */
void strangers_note(void *authd, const char *what);

/* In a fiber: stops it; what has not been written by then is in the log alone. */
void strangers_stop(struct strangers *s);

/* After strangers_stop(). Takes NULL, returns NULL. */
struct strangers *strangers_free(struct strangers *s);
