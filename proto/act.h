/* What steadctl does at a daemon: it is written down before it is done, by the daemon that is asked (server_on_act()). */
#pragma once

#include <stdbool.h>

#include "proto/call.h"

/* Whether the call is steadctl's and changes something. */
bool act_is(const struct call *call);

/*
 * Has it written down: its method, and those of its parameters (params, of the method's rows) that are texts, words of a
 * list, numbers or yes; never a secret. 0 when it may be done. What cannot be written down, or is not known to be, is not
 * done, and the refusal says so.
 */
int act_ask(struct call *call, int (*write_down)(struct call *call, const char *what), const void *params);
