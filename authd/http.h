/*
 * The HTTP API: evhttp on the socket that nginx proxies to, one fiber for each request.
 *
 * A request goes through, in this order: well-formedness, Host, route, origin (unless it is a safe method), login,
 * scope, body, parameters; then authd's own handler, or the daemon whose method it is. Each refusal is JSON with a
 * status of proto/errors.def. nginx is trusted with one thing only, X-Real-IP.
 */
#pragma once

#include <stdint.h>

struct authd;
struct http;

#define HTTP_PREFIX    "/api/v1"
#define HTTP_MOST_BODY 65536 /* bytes */

/* Serves on fd (listening, taken over). -ENOMEM. */
int http_new(struct authd *a, int fd, struct http **ret);

/* In a fiber: accepts no more, waits for what is under way until the deadline, then cancels it and waits for its end. */
void http_drain(struct http *h, int64_t deadline);

/* Nothing may be under way. Takes NULL, returns NULL. */
struct http *http_free(struct http *h);
