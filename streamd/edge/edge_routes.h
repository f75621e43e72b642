/*
 * Who answers which path at the edge. A request is first brought before the login guard, on a fiber; then the row whose
 * prefix its path has hears of it and of everything after. When the login ends, what was opened with it is closed with
 * 4401 (pages sign in again and come back).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "streamd/edge/edge.h"
#include "streamd/edge/login_guard.h"

struct edge_routes;

/* As struct edge_events, but who asks has passed the guard. All on the loop or a fiber; none of them may wait. */
struct edge_route {
	const char *prefix; /* "/ws/streams/" */
	void *owner;
	/*
	 * rest: the path after the prefix. request and login are borrowed until it returns. NULL: refused, and nothing more is
	 * heard of it; else exactly one closed() follows.
	 */
	void *(*asked)(struct edge *e, void *owner, uint64_t id, const char *rest, const struct edge_request *request,
		const struct login *login);
	/* Whether the person has done something, so that their login does not idle out. May be NULL. */
	bool (*message)(void *visitor, char *text, size_t n);
	void (*drained)(void *visitor); /* may be NULL */
	void (*closed)(void *visitor);
};

/*
 * Makes the edge on listen_fd (taken over in any case) and routes its requests. rows: count of them, copied. authd is
 * borrowed. 0 or as edge_new().
 */
int edge_routes_new(int listen_fd, const struct edge_config *config, struct peer *authd,
	const struct edge_route *rows, size_t count, struct edge_routes **ret);

/*
 * In a fiber: ends the edge with all connections (their closed() is called), then the guard. Owners must still be
 * there. Takes NULL, returns NULL.
 */
struct edge_routes *edge_routes_free(struct edge_routes *r);

/* The guard that it asks, for others who hold something with a login. */
struct login_guard *edge_routes_guard(struct edge_routes *r);
