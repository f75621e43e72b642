/*
 * Hosts as they stand in URLs, CONNECT requests and settings: a name or an IP address, and a port.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"

#define HOST_TEXT 254 /* bytes of the longest name, with its NUL (RFC 1035, section 2.3.4) */

struct host {
	char name[HOST_TEXT]; /* lower case, without a final dot; of an address, as address_format()
				 writes it */
	bool literal;         /* it is an address */
	struct address address;
};

/*
 * Reads length bytes: a host name in ASCII (punycode as it is), one final dot allowed, or an IPv4
 * address, or an IPv6 address with or without brackets. -EINVAL for anything else, also for what
 * some resolvers take for an address without its being one ("127.1", "0x7f000001": names that end
 * in a number, as in the WHATWG URL standard).
 */
int host_parse(const char *text, size_t length, struct host *ret);

/*
 * The same with a port after a colon; without one, ret_port is otherwise. An IPv6 address with a
 * port needs brackets.
 */
int host_parse_port(
	const char *text, size_t length, uint16_t otherwise, struct host *ret, uint16_t *ret_port);

/*
 * Where the host, and the port if there is one, stand in an address of a page's, without the user that may stand before them (up
 * to the last @ of the authority, as in the WHATWG URL standard): *ret_n bytes. NULL, and 0: it is none of http or https.
 */
const char *host_in_url(const char *url, size_t *ret_n);

bool host_equal(const struct host *a, const struct host *b);
