/* Reaching a launcher: its socket under systemd, or a process of our own. */
#pragma once

#include "proto/call.h"
#include "proto/peer.h"

/*
 * A launcher for one browser. where is its socket (systemd starts one launcher a connection) or its program, which is
 * then started here and ends with the connection. 0, or REFUSED with the reason in the call.
 */
int launch_connect(struct call *call, const char *where, struct peer **ret);

/* A stream socketpair: ends[0] ours and close-on-exec, ends[1] Chromium's. 0 or a negative errno. */
int launch_socketpair(int ends[2]);

/*
 * Why no browser came of it, for the person, who has to do with which ("browser", "proving browser"): a launcher that ends in the
 * middle of its work has done nothing that anybody could look for before it is tried again.
 */
const char *launch_why(struct call *call, const char *which, int r);
