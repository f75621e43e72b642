/*
 * Streams of other daemons, over WebSockets. A STREAM row that has a path (proto/botd.def) is served below /ws:
 *
 *	/ws/bookings/ID/events?after=N        notifications booking_watch {cursor, line} or {booking}
 *
 * and closed with 4410 at its end. The same is served by authd as an event stream, below /api/v1.
 */
#pragma once

#include "streamd/edge/edge_routes.h"

struct feed;
struct method_list;
struct peer;

/* Of the rows of that daemon, which is borrowed, as are they. */
struct feed *feed_new(const struct method_list *rows, struct peer *peer);

/* In a fiber, once its edge has ended. Takes NULL, returns NULL. */
struct feed *feed_free(struct feed *f);

/* Its row at the edge: prefix "/ws", so it comes last. */
struct edge_route feed_route(struct feed *f);
