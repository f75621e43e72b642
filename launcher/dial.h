/* From a host and port to a connection, by the egress rule: in a fiber. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/resolver.h"

struct dialer {
	const struct egress_rule *rule;
	struct resolver resolver;
};

/*
 * Looks the host (length bytes) up once, checks each address, and connects to the first that
 * answers, in 10 s each. 0 with a non-blocking socket in *ret_fd; -EACCES or -EINVAL when the rule
 * refuses; -EHOSTUNREACH when it has no address or none answers; -EBUSY; -ECANCELED. Unless
 * cancelled, why is a sentence without the host's name. Before the pool is freed no fiber may be in here.
 */
int dialer_dial(struct dialer *d, const char *host, size_t length, uint16_t port, int *ret_fd,
	char why[EGRESS_WHY]);
