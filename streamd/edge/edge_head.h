/*
 * The head of a request at the edge, read before libwebsockets has a byte of it. Pure.
 *
 * That library speaks more than is wanted here: HTTP/2 by "Upgrade: h2c" (RFC 7540 section 3.2) and CONNECT as a plain
 * pipe, both of which would carry requests that nginx has never seen, past its limits, its auth_request and its
 * X-Real-IP. So it gets what is one opening of a WebSocket (RFC 6455 section 4.2.1), and in which no two readers can see
 * different things (RFC 9112 sections 2.2, 5 and 11.2); nothing else. A plain GET, of a page whose WebSockets do not come through
 * perhaps, is told to upgrade (RFC 9110 section 15.5.22).
 */
#pragma once

#include <stddef.h>

/* The largest head that is taken, bytes: what libwebsockets is given room for (edge.c). */
#define EDGE_HEAD_MOST 16384

/* How a head is refused: an HTTP status and a sentence, which is a literal. */
struct edge_head_refusal {
	int status;
	const char *sentence;
};

/*
 * Looks at the n bytes that have come so far. 0: the head is whole and may pass; -EAGAIN: there must be more of it;
 * -EBADMSG: refused, as ret says.
 */
int edge_head_check(const char *p, size_t n, struct edge_head_refusal *ret);
