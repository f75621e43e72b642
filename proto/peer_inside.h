/* The inside of a peer, for peer.c and peer_stream.c alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/latch.h"
#include "proto/frame_text.h"
#include "proto/message.h"
#include "proto/peer.h"

#define CREDIT 64 /* items a stream may have in flight or queued here */

/* A message that came, with the descriptor beside it. */
struct arrival {
	struct frame_text frame;
	struct message message; /* points into the frame */
	struct raw_json item;       /* likewise, if it is one */
	int fd;
	STAILQ_ENTRY(arrival) link;
};

/* A request that has no final answer yet. */
struct pending {
	int64_t id;
	bool streams, ended, lost, unheard; /* unheard: lost before the peer had answered our hello */
	struct latch news;
	size_t queued; /* arrivals */
	STAILQ_HEAD(, arrival) arrivals;
	LIST_ENTRY(pending) link;
};

struct peer {
	char *program, *name, *path;
	struct conn *conn;
	int64_t last_id, hello;
	size_t users; /* calls and streams that still look at it: it outlives peer_free() by them */
	bool freed, denied; /* denied: the file system did not let us connect, when last tried */
	bool greeted;       /* our hello has been answered on this connection */
	char *turned_away;  /* the words with which it was refused; NULL if it was not */
	LIST_HEAD(, pending) pending;
};

/* Asks, and takes what comes until the end. */
int peer_begin(struct peer *p, struct call *call, const struct method *method, const void *params, struct pending *w);
int peer_await(struct pending *w, int64_t deadline, struct arrival **ret);
void peer_end(struct peer *p, struct pending *w);
void arrival_free(struct arrival *a);

/* One that looked at it does so no more. */
void peer_let_go(struct peer *p);

/* Tells it something that has no answer. */
void peer_notify(struct peer *p, const char *method, int64_t id, int64_t n);

/* Why a call came to nothing. */
int peer_refuse_lost(struct peer *p, struct call *call, const struct method *method, const struct pending *w);
int peer_take_refusal(struct call *call, const struct message *m);
