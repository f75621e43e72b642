/*
 * HTTP as a straight line (RFC 9110): one request and its answer, in a fiber, by libcurl on the loop.
 *
 *	struct http_request q = { .method = "GET", .url = url, .deadline = deadline_in(10000), .most = 1 << 20 };
 *	struct http_answer answer;
 *	int r = http_fetch(h, &q, arena, &answer, why);
 *
 * What is dialled is decided by an egress rule (common/egress_rule.h): no other host, no other address, no proxy of the
 * environment's. An answer that is a redirect is an answer like others. Cookies are the caller's, as a header.
 *
 * A request that is marked `once` leaves at most once, whatever the other side does: on a connection of its own that was never used
 * and is not used again, over HTTP/1.1, with a body that libcurl cannot rewind. For what it does not know itself it asks nobody
 * again: no redirect, no authentication, no Expect (RFC 9110 section 10.1.1).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/egress_rule.h"

#define HTTP_WHY 512

struct arena;
struct resolver;

/* What the requests of one person at one site share: connections, and what they may reach. */
struct http_client;

struct http_config {
	const struct egress_rule *rule; /* borrowed, as the resolver is */
	struct resolver *resolver;
	const char *user_agent, *languages; /* as Accept-Language has them; may be NULL. Borrowed */
	const char *const *trusted_keys; /* base64 SHA-256 of public keys that need no known authority. Borrowed */
	size_t trusted_count;
};

/* Needs the loop. */
struct http_client *http_client_new(const struct http_config *config);

/* Where an answer's location leads to from base (RFC 9110 section 10.2.2); NULL: to no address of a site. In the arena. */
const char *http_join(struct arena *arena, const char *base, const char *location);

/* No fiber may be in a call of it. Takes NULL, returns NULL. */
struct http_client *http_client_free(struct http_client *h);
void http_client_freep(struct http_client **h);

struct http_header {
	const char *name, *value;
};

/* Fields as a form sends them (application/x-www-form-urlencoded, WHATWG URL section 5.2). In the arena. */
const char *http_form(struct arena *arena, const struct http_header *fields, size_t n);

struct http_request {
	const char *method, *url;
	const struct http_header *headers; /* Host, User-Agent, Accept-Encoding and the body's length are added */
	size_t headers_count;
	const void *body; /* of size bytes; NULL: none */
	size_t size;
	bool once;
	size_t most;      /* bytes of the answer's body, unpacked, that are taken at most */
	int64_t deadline; /* monotonic ms, of the whole */
};

struct http_answer {
	bool gone; /* all of the request has left, so the site may have got it; told of a failure, too */
	int status;
	const struct http_header *headers; /* in their order; no trailers */
	size_t headers_count;
	const char *body; /* unpacked; a NUL stands behind its size bytes */
	size_t size;
};

/* The first of that name, whatever its case; NULL: there is none. */
const char *http_header_of(const struct http_answer *a, const char *name);

/*
 * 0 with *ret, whose parts lie in the arena; else why says as a sentence what has happened, which names the host:
 * -EINVAL	the address or a header is none
 * -EACCES	the rule refuses the host
 * -EHOSTUNREACH	it could not be reached; nothing was sent
 * -EKEYREJECTED	its certificate is not trusted; nothing was sent
 * -ECONNRESET	the connection has ended without a whole answer
 * -EPROTO	what came is not HTTP
 * -EFBIG	the answer is larger than is taken
 * -ETIMEDOUT, -ECANCELED
 */
int http_fetch(struct http_client *h, const struct http_request *q, struct arena *arena, struct http_answer *ret,
	char why[HTTP_WHY]);

/*
 * A request that has left but for the last byte of its body, so that it has not been made: RFC 9112 section 8, a message that
 * ends before its Content-Length is incomplete.
 */
struct transfer;

/*
 * Connects, and sends all but the last byte of a request that is `once` and has a body. 0; or as http_fetch(), and nothing has
 * been made. The request is borrowed until transfer_free(), which drops what was not let go: it has not been made then.
 */
int http_hold(struct http_client *h, const struct http_request *q, struct transfer **ret, char why[HTTP_WHY]);

/* The site has ended the connection meanwhile, or answered already: it is to be held anew. */
bool http_held_lost(const struct transfer *t);

/*
 * Lets the last byte go, unless that is so already, and waits for the answer until deadline. As http_fetch(); no second time,
 * whatever it returns.
 */
int http_let_go(struct transfer *t, int64_t deadline, struct arena *arena, struct http_answer *ret, char why[HTTP_WHY]);

/* Takes NULL, returns NULL. */
struct transfer *transfer_free(struct transfer *t);
void transfer_freep(struct transfer **t);
