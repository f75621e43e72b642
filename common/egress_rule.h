/*
 * The one rule for what may be dialled on behalf of a site, by browsers and by Stead's own HTTP
 *alike.
 *
 * A host must match a pattern; a name is looked up once (or pinned); each address that comes of it
 *is checked; and exactly what was checked is dialled. Addresses that are not the public internet's
 *are refused unless they are listed one by one, pinned ones too. Pure: it looks nothing up and
 *dials nothing.
 *
 *	struct egress_target t;
 *	r = egress_rule_host(rule, "desk.example", 12, 443, &t, why, sizeof(why));
 *	if (r == 0 && t.count == 0)
 *		for each address of t.host.name: egress_rule_address(rule, &t, &address, why,
 *sizeof(why)); dial t.endpoints[0], [1], ... while t.count lasts
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/host.h"

/* What the browsers' proxy is called where it has answered itself: in Proxy-Status (RFC 9209). */
#define EGRESS_PROXY "stead-launcher"

#define EGRESS_MOST_ENDPOINTS 16
#define EGRESS_WHY            256

struct egress_rule;

/* What may be dialled for one host and port. Only the functions below put something into it. */
struct egress_target {
	struct host host;
	uint16_t port;
	size_t count;
	struct egress_endpoint {
		struct address address;
		uint16_t port;
	} endpoints[EGRESS_MOST_ENDPOINTS];
};

struct egress_words {
	const char *const *items;
	size_t count;
};

/*
 * hosts: patterns (hostpattern.h); private_addresses: addresses allowed whatever they are; pins:
 * HOST=ADDRESS or HOST=ADDRESS:PORT, an IPv6 address with a port in brackets, several of one host
 * in the order to be tried. All copied. -EINVAL with the offending list's name in *ret_field
 * (static) and a sentence in why.
 */
int egress_rule_new(struct egress_words hosts, struct egress_words private_addresses,
	struct egress_words pins, struct egress_rule **ret, const char **ret_field,
	char why[EGRESS_WHY]);
struct egress_rule *egress_rule_free(struct egress_rule *rule); /* takes NULL, returns NULL */
void egress_rule_freep(struct egress_rule **rule);

/* What is wrong with a pin, or NULL; the words go on behind a colon, without a full stop. */
const char *egress_pin_wrong(const char *text);

/*
 * Whether that host (length bytes, as host_parse() reads them) may be reached at that port. 0 with
 * ret filled: with its endpoints if the host is an address, pinned, or this machine (localhost and below), else with none, and
 * ret->host.name is to be looked up. -EACCES (or -EINVAL if it is no host) with a sentence in why
 * that does not name the host.
 */
int egress_rule_host(const struct egress_rule *rule, const char *host, size_t length, uint16_t port,
	struct egress_target *ret, char why[EGRESS_WHY]);

/*
 * Whether that address, which target's name was found to have, may be dialled; then it is added to
 * the endpoints (those beyond the last place are left out). -EACCES likewise.
 */
int egress_rule_address(const struct egress_rule *rule, struct egress_target *target,
	const struct address *address, char why[EGRESS_WHY]);
