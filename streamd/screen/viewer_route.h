/* Where viewers come in: pages that ask for a screen by its owner's path, and what they say until they go. */
#pragma once

#include "streamd/edge/edge_routes.h"

struct dispatch_row;
struct screen;
struct viewer_route;

/* What a page has asked for: a screen and the scopes that it has there, or else how its connection is closed, and why. */
struct screen_found {
	struct screen *screen; /* NULL: refused */
	unsigned scopes;
	int close_code;
	const char *why; /* a literal */
};

/* Whose screens these are. path: behind the prefix. */
typedef void screen_find(void *owner, const char *path, const struct login *login, struct screen_found *ret);

struct viewer_route_config {
	const char *prefix; /* "/ws/streams/" */
	screen_find *find;
	const struct dispatch_row *rows; /* what viewers may say, ended by an empty one */
	const char *full;                /* why no more of them can look, a sentence */
};

/* routes: those that it will be one of, which must know what a person has done; looked at when somebody comes. */
struct viewer_route *viewer_route_new(const struct viewer_route_config *config, struct edge_routes *const *routes, void *owner);

/* Once the edge has gone. Takes NULL, returns NULL. */
struct viewer_route *viewer_route_free(struct viewer_route *r);

struct edge_route viewer_route_row(struct viewer_route *r);
