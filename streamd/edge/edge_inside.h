/*
 * What the edge's parts share; private to streamd/edge*.c. edge.c makes it and turns it, edge_request.c reads what is asked
 * for, edge_input.c what comes in, edge_line.c is what is said and how it ends.
 *
 * libwebsockets runs on the loop (its Debian build knows no other loop than its own poll()): libevent watches each
 * connection, whatever is ready is followed by one turn of the library that waits for nothing, and what then still wants to
 * write is watched for that. Only in a turn does the library call back or free a connection, so a line stays while anybody
 * else's code runs.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <libwebsockets.h>

#include "common/settings.h"
#include "streamd/edge/edge.h"

struct event;

/* Pictures on their way to one viewer that it has not acknowledged. */
#define MOST_FLYING 2

#define BUCKETS 256 /* ids count up, so they spread evenly */

/* What waits to be sent, LWS_PRE bytes behind the start of room. */
struct piece {
	STAILQ_ENTRY(piece) link;
	size_t size;
	uint8_t room[];
};

/* As the client sent it; what it does not say is "". */
struct request {
	char path[512], query[512], cookies[8192], cookie[129], ip[64], origin[256], host[256];
	char site[32];   /* Sec-Fetch-Site */
	const char *own; /* the one of Stead's origins that Host names, or NULL */
};

/* One connection, from when the door lets it in until the library has closed it. */
struct line {
	struct edge *edge;
	struct lws *wsi;
	struct event *readable, *writable; /* watched for once, while there is a reason */
	struct event *late;                /* something should have become of it; NULL: no time has been set */
	LIST_ENTRY(line) link, same_bucket;

	uint64_t id;             /* 0: nobody has asked for anything yet */
	void *visitor;           /* what its owner calls it */
	struct request *request; /* until the owner has heard of it */
	bool decided;  /* accepted or refused */
	bool accepted; /* its messages are wanted */
	bool closing;  /* no more is heard of it but the end */
	bool said_close; /* the library has been told and does the rest */
	int close_code;
	char reason[124]; /* RFC 6455 section 5.5: a control frame carries 125 bytes, two are the code */

	STAILQ_HEAD(, piece) out;
	size_t queued;           /* bytes of it */
	struct picture *picture; /* the newest that has not been sent */
	uint32_t flying[MOST_FLYING];
	unsigned flying_count;
	bool wants;       /* its turn to write */
	bool once_more;   /* the library may have something of its own to write */

	char *message;    /* the message that is coming in */
	size_t got, room; /* bytes of it */
	bool reading;     /* what comes is wanted; else only whether it hangs up */
	bool read;        /* in this turn; whether that brought anything: */
	bool brought;
	size_t ahead;     /* bytes that the frame under way still had after the last turn */
	int64_t control_since_ms; /* what this is counted from */
	unsigned control;         /* frames of it, as far as they can be told */
};

struct edge {
	struct edge_config config; /* complete */
	struct edge_door *door;
	const struct edge_events *events;
	void *owner;
	struct words origins;
	char *origins_file;
	struct lws_context *context;
	struct lws_vhost *vhost;
	struct event *turn, *tick;
	bool turning, ending;
	int64_t foreign_said_ms; /* when the log was last told of a page of another site */
	uint64_t last_id;
	LIST_HEAD(, line) lines, buckets[BUCKETS];
};

/* edge_request.c: what the library is to return. */

int edge_upgrade_asked(struct line *l);
/* Tells the owner of the request that has come. */
void edge_request_tell(struct line *l);

/* edge_input.c */

int edge_received(struct line *l, const char *in, size_t n);
void edge_ponged(struct line *l);
/* After a turn: whether what was read is more than a person's browser sends beside its messages. */
void edge_check_control(struct line *l);

/* edge_line.c */

/* The library gets a turn before the loop waits again. */
void edge_turn_soon(struct edge *e);
void edge_request_free(struct line *l);
/* Whether what it sends is read. */
void edge_read_on(struct line *l, bool on);
/* What the library is to return when it can write. */
int edge_writable(struct line *l);
/* So many seconds from now, something has to have become of it; then it is closed. */
void edge_give_up_in(struct line *l, unsigned s);
/* The one way out that we take: it leads through edge_writable(), after the text that is queued. */
void edge_line_close(struct line *l, int code, const char *reason);
/* The same where what is queued matters no more. */
void edge_line_close_now(struct line *l, int code, const char *reason);
/* At once, and without a word. */
void edge_line_kill(struct line *l);
void edge_line_free(struct line *l);
