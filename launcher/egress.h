/*
 * The egress proxy: the only way out of a browser's network namespace, and it goes by the egress
 * rule.
 *
 * It accepts on a socket that listens inside, speaks just enough HTTP (proxy_request.h), dials
 * (dial.h) and relays (relay.h). While it is cut, it has no connection and closes each new one.
 */
#pragma once

#include <stdbool.h>

#include "common/egress_rule.h"

struct egress;
struct notices;

/*
 * Takes over listener and rule; notices hears of a host that the page wanted and the rule refused, and of one that it may reach
 * and could not, until egress_free().
 */
struct egress *egress_new(int listener, struct egress_rule *rule, bool open, struct notices *notices);

/* Closes every connection now and refuses new ones, or lets them through again. */
void egress_open(struct egress *e, bool open);

/*
 * Closes all. It goes once the fibers in it have ended; nothing is told any more. Takes
 * NULL, returns NULL.
 */
struct egress *egress_free(struct egress *e);

/*
 * Whether one that was freed still has a fiber in it, which a look-up of a name can hold for some
 * seconds.
 */
bool egress_any(void);
