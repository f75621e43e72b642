/*
 * Who answers which path at the edge. A request is first brought before the login guard, on a fiber; then the row whose
 * prefix its path has hears of it and of everything after. When the login ends, what was opened with it is closed with
 * 4401 (pages sign in again and come back).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "streamd/edge/edge.h"
#include "streamd/edge/login_guard.h"

struct edge_routes;

/* As struct edge_events, but asked() has passed the guard. All on the loop or a fiber; none of them may wait. */
struct edge_route {
	const char *prefix; /* "/ws/streams/" */
	void *owner;
	/*
	 * rest: the path after the prefix. request and login are borrowed until it returns. Exactly one
	 * closed() follows.
	 */
	void (*asked)(struct edge *e, void *owner, uint64_t id, const char *rest, const struct edge_request *request,
		const struct login *login);
	void (*message)(struct edge *e, void *owner, uint64_t id, char *text, size_t n); /* may be NULL */
	void (*drained)(struct edge *e, void *owner, uint64_t id);                             /* may be NULL */
	void (*closed)(struct edge *e, void *owner, uint64_t id);
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

/* The person did something with that connection. */
void edge_routes_use(struct edge_routes *r, uint64_t id);
