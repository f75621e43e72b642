/*
 * Bookings for pages: botd's numbered log lines and changes of state, and the picture of the page where one failed.
 *
 *	/ws/bookings/ID?after=N        WebSocket: notifications booking_watch {line} or {booking}
 *	/ws/bookings/ID/events         the same as an event stream; an event's id is the line's number (Last-Event-ID)
 *	/ws/bookings/ID/picture        image/jpeg
 *
 * A reader gets every line after the number it names, in order and once; one that reads slowly slows botd down for
 * itself, through the credit of the subscription. 4410: the booking has ended and all was sent. 4404: there is no such
 * booking, or it is not theirs. 4503: botd is away; the page comes back and goes on after the number it holds.
 */
#pragma once

#include "streamd/edge_routes.h"

struct booking_feed;

/* botd is borrowed. */
struct booking_feed *booking_feed_new(struct peer *botd);

/* In a fiber, after edge_routes_free(). Takes NULL, returns NULL. */
struct booking_feed *booking_feed_free(struct booking_feed *f);

/* Its row: prefix "/ws/bookings/". */
struct edge_route booking_feed_route(struct booking_feed *f);
