/*
 * Where nginx connects to the edge: accepts on the loop, reads each request's head there and admits what
 * streamd/edge/edge_head.h lets pass; the rest gets a short answer of HTTP/1.1 and its end. Private to streamd/edge*.c.
 *
 * The head is looked at and left where it is (MSG_PEEK), so that libwebsockets then reads the very same bytes.
 */
#pragma once

#include <stddef.h>

struct edge_door;

struct edge_door_config {
	size_t connections; /* at once; the socket's backlog holds the rest */
	size_t waiting;     /* of them for the end of their head; one more, and the one that waits longest is refused */
	unsigned head_s;    /* for a head to come */
};

/*
 * listen_fd (listening, non-blocking) is taken over in any case. admitted() takes over the descriptor of a connection,
 * with its head unread, and tells edge_door_left() once it is closed.
 */
struct edge_door *edge_door_new(int listen_fd, const struct edge_door_config *config, void (*admitted)(void *owner, int fd),
	void *owner);

/* One that was admitted has been closed: another may come in. */
void edge_door_left(struct edge_door *d);

/* Nobody is admitted any more; who waits is told. Takes NULL, returns NULL. */
struct edge_door *edge_door_free(struct edge_door *d);
