/* From a host to the addresses that the egress rule lets be dialled: in a fiber. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/egress_rule.h"

struct worker_pool;

/* Begins as { 0 }. */
struct resolver {
	struct worker_pool *pool; /* made when first needed: until then this process has one thread and may fork */
};

/*
 * Looks the host (length bytes, as host_parse() reads them) up once, unless the rule knows its addresses, and checks each. 0 with
 * one endpoint or more; -EACCES or -EINVAL when the rule refuses; -EHOSTUNREACH when it has no address; -EBUSY; -ETIMEDOUT;
 * -ECANCELED. Unless cancelled, why is a sentence without the host's name.
 */
int resolver_find(struct resolver *r, const struct egress_rule *rule, const char *host, size_t length, uint16_t port,
	struct egress_target *ret, char why[EGRESS_WHY]);

/* No fiber may be in there. */
void resolver_end(struct resolver *r);
