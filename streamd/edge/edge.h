/*
 * The edge: WebSockets for pages, by libwebsockets on the loop.
 *
 * Nothing but edge*.c knows of that library: calls return at once, events arrive on the loop, never in a fiber. A
 * connection is known by its id, which is never used twice; a call for an id that is gone does nothing, so nobody has to
 * look before he speaks.
 *
 * A request's head is looked at on the loop, before that library has it (streamd/edge/edge_head.h). The library does not insist
 * that a client's frames are masked (RFC 6455 section 5.1 says to close on one that is not): it takes them as they are.
 *
 * A request is checked by its Origin (RFC 6455 section 10.2) before anybody hears of it. Then nothing is sent on it and
 * nothing taken from it until its owner has called edge_accept() or edge_refuse(). What asks for no WebSocket is answered here.
 *
 * Room: may include browser/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "streamd/browser/picture.h"

struct edge;
struct words;

/* WebSocket close codes: RFC 6455 section 7.4.1, IANA's registry, and Stead's own, which the pages know. */
enum edge_close {
	EDGE_CLOSE_NORMAL = 1000,
	EDGE_CLOSE_GOING = 1001,
	EDGE_CLOSE_BINARY = 1003,
	EDGE_CLOSE_UTF8 = 1007,
	EDGE_CLOSE_POLICY = 1008,
	EDGE_CLOSE_TOO_BIG = 1009,
	EDGE_CLOSE_LATER = 1013,
	EDGE_CLOSE_NOT_SIGNED_IN = 4401,
	EDGE_CLOSE_FORBIDDEN = 4403,
	EDGE_CLOSE_NOT_FOUND = 4404,
	EDGE_CLOSE_ENDED = 4410,
	EDGE_CLOSE_TOO_MANY = 4429,
	EDGE_CLOSE_UNAVAILABLE = 4503,
};

/* Zero takes what stands in brackets. */
struct edge_config {
	const struct words *origins; /* Stead's own pages, exactly as browsers send them; copied */
	const char *origins_file;    /* where they are set, for the log; copied [stead.conf] */
	size_t connections;          /* at once; the socket's backlog holds the rest [512] */
	size_t message;              /* bytes of one message from a page [65536] */
	size_t queue;                /* bytes of text that wait for one page [1 MiB] */
	unsigned ping_s, hang_up_s;  /* silence before a ping, and before it is given up [20, 45] */
	unsigned answer_s;           /* for the owner to decide on a request [15] */
	unsigned head_s;             /* for a request's head to come [10] */
	size_t waiting;              /* connections whose head is not whole, at once [64] */
};

/* Strings are borrowed, never NULL (empty if absent), as the client sent them; the cookie is cleansed afterwards. */
struct edge_request {
	const char *path;          /* begins with /ws/; percent signs are decoded */
	const char *query;         /* after the question mark */
	const char *cookie;        /* value of the login cookie; a secret */
	const char *ip;            /* X-Real-IP, from nginx */
};

struct edge_events {
	/*
	 * Somebody wants something: a visitor, what the other events are to have for it. For each there is exactly one closed(),
	 * whatever becomes of it.
	 */
	void *(*asked)(struct edge *e, void *owner, uint64_t id, const struct edge_request *request);
	/* One whole text message of an accepted WebSocket, valid UTF-8, in order; text[n] is NUL, and it may be changed. */
	void (*message)(void *visitor, char *text, size_t n);
	/* All text given to edge_send_text() has gone to the socket. May be NULL. */
	void (*drained)(void *visitor);
	/* It is gone; the last thing heard of it. */
	void (*closed)(void *visitor);
};

/*
 * listen_fd (listening, non-blocking; taken over in any case) is where nginx connects. events is
 * borrowed. 0, -ENOMEM, or -EINVAL after saying why.
 */
int edge_new(int listen_fd, const struct edge_config *config, const struct edge_events *events, void *owner,
	struct edge **ret);

/*
 * Stops accepting and closes everything with 1001, within two seconds, in which the loop does not turn. No event comes any
 * more. Not from within an event. Takes NULL, returns NULL.
 */
struct edge *edge_free(struct edge *e);

/* From here on its messages come and it may be sent to. */
void edge_accept(struct edge *e, uint64_t id);

/* Closes it with this code and sentence, before anything has been sent. */
void edge_refuse(struct edge *e, uint64_t id, int close_code, const char *sentence);

/* Queues one text message; copied, and sent in order. A reader whose queue would exceed its cap is closed with 1008. */
void edge_send_text(struct edge *e, uint64_t id, const char *text, size_t n);

/* Bytes of text that have not gone to the socket yet: wait for drained() before this grows. */
size_t edge_queued(const struct edge *e, uint64_t id);

/*
 * Puts the picture (its own reference is taken) into the viewer's one slot; one that is still there unsent is dropped.
 * At most two are on their way: the next leaves when edge_picture_acked() has named one of them or a later one.
 */
void edge_send_picture(struct edge *e, uint64_t id, struct picture *p);
void edge_picture_acked(struct edge *e, uint64_t id, uint32_t seq);

/* Closes after the text that is queued, or after five seconds if that does not go. reason: at most 123 bytes count. */
void edge_close(struct edge *e, uint64_t id, int code, const char *reason);
