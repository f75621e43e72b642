/*
 * What a browser asks its proxy (RFC 9110 section 9.3.6, RFC 9112 section 3.2): CONNECT host:port,
 * or a plain HTTP request in absolute form. Pure: parses, and writes the head that goes on to the
 * server.
 *
 * One request a connection: the head that goes on says "Connection: close", and just the body that
 * it announces is let through behind it. So nothing that was meant for another host can follow.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROXY_HEAD_MOST 65536 /* bytes */

struct proxy_request {
	bool connect;
	const char *host; /* host_length bytes within the input */
	size_t host_length;
	uint16_t port;
	size_t length; /* of the head in the input */
	uint64_t body; /* bytes that belong to it after the head; UINT64_MAX after a CONNECT: all */
	char *head;    /* what goes on to the server, head_length bytes; NULL after a CONNECT */
	size_t head_length;
};

/*
 * Reads one head from the n bytes at p, which must outlive ret. -EAGAIN while it is not whole,
 * -E2BIG when it is larger than PROXY_HEAD_MOST, -EBADMSG when it is not such a request (a Host
 * that differs from the address and contradictory lengths among that), -ENOTSUP for a body without
 * a length. Free ret with proxy_request_clear().
 */
int proxy_request_parse(const char *p, size_t n, struct proxy_request *ret);
void proxy_request_clear(struct proxy_request *r);
