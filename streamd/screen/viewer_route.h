/* Where viewers come in: pages that ask for a screen by its owner's path, and what they say until they go. */
#pragma once

#include "streamd/edge/edge_routes.h"

struct dispatch_row;
struct screen;
struct streamd;

/* What a page has asked for: a screen and the scopes that it has there, or else how its connection is closed, and why. */
struct screen_found {
	struct screen *screen; /* NULL: refused */
	unsigned scopes;
	int close_code;
	const char *why; /* a literal */
};

/* Whose screens these are. path: behind the prefix. */
typedef void screen_find(struct streamd *d, const char *path, const struct login *login, struct screen_found *ret);

struct viewer_route {
	struct streamd *daemon;
	const char *prefix; /* "/ws/streams/" */
	screen_find *find;
	const struct dispatch_row *rows; /* what viewers may say, ended by an empty one */
	const char *full;                /* why no more of them can look, a sentence */
};

/* r is borrowed while its edge is there. */
struct edge_route viewer_route_row(struct viewer_route *r);
