/* The inside of the egress proxy, for egress.c, egress_alone.c and egress_calls.c alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/fiber.h"
#include "common/host.h"
#include "common/latch.h"
#include "launcher/dial.h"
#include "launcher/egress.h"
#include "launcher/proxy_request.h"
#include "launcher/relay.h"

struct call;

/* A connection of the browser's: first a fiber, then a relay. */
struct client {
	struct egress *egress;
	int fd;
	struct fiber *fiber;
	struct relay *relay;
	struct host host; /* where it leads; name "" until that has been read */
	uint16_t port;
	bool tunnel;       /* more than one request may go over it */
	bool answered;     /* its host has said something: a tunnel's handshake has got on */
	bool only;         /* the one that egress_alone() allows */
	struct latch turn; /* it waits until others may be made */
	LIST_ENTRY(client) link;
};

/*
 * One host with one connection. A browser sends a request again by itself when its connection ends without an answer, or
 * the answer is 408 or 421, if only it can have another connection. So those that are there already are not closed, for an
 * earlier request may still wait for its answer there: they are muted.
 */
struct alone {
	struct call *call; /* egress_alone() under way, or NULL */
	struct latch news; /* that it waits for */
	struct host host;
	uint16_t port;
	bool ready;  /* those that were there before are muted: from now on there is the one */
	bool taken;  /* the one connection has been asked for */
	bool shared; /* others are let through until it is heard of */
	bool made, heard, over;
};

struct egress {
	struct acceptor *acceptor;
	struct egress_rule *rule;
	struct dialer dialer;
	bool open, closing;
	struct alone alone;
	struct latch turns; /* egress_alone() calls that wait until another has ended */
	size_t count;
	struct notices *notices;
	LIST_HEAD(, client) clients;
};

/* egress.c: ends a connection now. */
void client_cut(struct client *c);

/* egress_alone.c: 0 when a connection may be made; -ECONNREFUSED when no other may be made to its host. */
int alone_wait_turn(struct client *c, const struct proxy_request *request);

/* Whether its host has come to be spoken to alone, over another one, since it had its turn. */
bool alone_bars(const struct client *c);

/* It leads to its host from now on. */
void alone_made(struct client *c);

/* Of relay_on_heard(): before the browser learns of what has come, for that may be what makes it send again. */
void alone_heard(void *arg, bool end);

/* A connection has ended. */
void alone_end(struct client *c);

/* Who waits for what becomes of it is told. */
void alone_tell(struct egress *e);

/*
 * Every connection to the host of egress_alone() but the one: nothing more is asked over it. What waits for its answer gets that;
 * had it been closed, the browser would ask once more. What a browser asks over one that is muted never leaves, and that it does
 * ask once more. One that is not a tunnel carries nothing but the request that it was made for.
 */
void alone_mute_others(struct egress *e);

/* When something last moved to or from that host; 0: never. */
int64_t alone_moved(const struct egress *e);
