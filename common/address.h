/*
 * IP addresses, and which of them are not the public internet.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_TEXT 46 /* bytes of the longest, with its NUL (INET6_ADDRSTRLEN) */

/*
 * IPv4-mapped IPv6 (::ffff:a.b.c.d) is always kept as the IPv4 address that a connection to it
 * would go to.
 */
struct address {
	sa_family_t family; /* AF_INET or AF_INET6 */
	uint8_t bytes[16];  /* network order; the first four for AF_INET, the others 0 */
};

/*
 * Reads dotted decimal (four numbers, without leading zeros) or IPv6 (RFC 4291, no brackets, no
 * zone). -EINVAL for anything else, the other spellings of inet_aton(3) included.
 */
int address_parse(const char *text, struct address *ret);

/* -EAFNOSUPPORT for anything but AF_INET and AF_INET6. */
int address_from_sockaddr(const struct sockaddr *sa, struct address *ret);

/* Fills ret; returns its length. */
socklen_t address_to_sockaddr(const struct address *a, uint16_t port, struct sockaddr_storage *ret);

/* Returns text. */
const char *address_format(const struct address *a, char text[ADDRESS_TEXT]);

bool address_equal(const struct address *a, const struct address *b);

/*
 * What kind of address it is ("a private address") when it is not one of the public internet:
 * IANA's special-purpose registries (RFC 6890), multicast, and the fixed addresses of cloud
 * metadata services. NULL for a public one. An address that embeds an IPv4 one (NAT64, RFC 6052) is
 * what that is.
 */
const char *address_special(const struct address *a);
