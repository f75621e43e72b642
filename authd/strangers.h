/*
 * Callers that authd's sockets turned away (another uid, another socket's method): the fiber that puts them into the
 * audit, one row a second at most, so that nobody fills it up.
 */
#pragma once

#include "common/latch.h"

/* Begins as { 0 }. */
struct strangers {
	struct latch idle; /* waits for the next one */
	char what[200];    /* the first that has not been written; "" if none */
	unsigned more;     /* others since */
};

/* server_on_stranger() of the daemon whose state this is. Does not wait. */
void strangers_note(void *authd, const char *what);

/* Of a fiber of its own, until it is cancelled; what has not been written by then is in the log alone. */
void strangers_write(void *authd);
