/* A request under way, which the parts of authd's HTTP share; private to http.c, answer.c and events.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/event.h>
#include <event2/http.h>
#include <jansson.h>

#include "authd/audit.h"
#include "authd/front.h"
#include "authd/login.h"
#include "common/latch.h"
#include "common/log.h"
#include "proto/call.h"
#include "proto/route.h"

struct authd;
struct peer;
struct sending;

/* One request under way. */
struct exchange {
	struct front front; /* what handlers see */
	struct http *http;
	struct evhttp_connection *connection;
	struct call *call;
	struct fiber *fiber; /* once it runs */
	bool cancelled;
	struct event *gone;
	const char *verb, *path, *query;
	struct route route;
	json_t *params;
	struct login login;
	int status; /* set where it is not the refusal's own */
	char allow[64];
	char id[24];
	struct log_context log;
	bool answered;
	struct sending *sending; /* while its answer has no end yet and somebody reads it */
	struct latch written;    /* all of it that there is so far */
	LIST_ENTRY(exchange) link;
};

struct http {
	struct authd *a;
	struct evhttp *evhttp;
	struct evconnlistener *listener;
	struct event *resume;
	size_t under_way, streaming, unsent;
	uint64_t last_id;
	bool stopping;
	struct latch drained; /* wakes whenever less is left to do before authd may end */
	struct audit_limit foreign, forbidden;
	LIST_HEAD(, exchange) exchanges;
};

/* Once it has been answered. Returns NULL. */
struct exchange *exchange_free(struct exchange *x);

/* Ends it, from wherever it waits. */
void exchange_cancel(struct exchange *x);

/* answer.c: what is sent, one answer for each request. */

/* The whole answer; document is taken over. */
void answer_json(struct http *h, struct evhttp_request *request, int status, json_t *document);

/* The same of bytes, which are copied. */
void answer_bytes(struct exchange *x, const char *media, const void *bytes, size_t n);

/* status 0: the refusal's own. */
void answer_refusal(struct http *h, struct evhttp_request *request, int status, const struct refusal *refusal);

/* The body of a RAW row's result, of its media type. -EBADMSG when the descriptor is no memfd of that size. */
int answer_body(struct exchange *x, const void *result);

/* 204: there is nothing, and will be nothing. */
void answer_nothing(struct exchange *x);

/*
 * An event stream, which has no end yet: its head, each piece of it (waits until it has gone; -ECANCELED when nobody reads), its
 * end.
 */
void answer_begin(struct exchange *x);
int answer_piece(struct exchange *x, const char *text, size_t n);
void answer_end(struct exchange *x);

/* events.c */

/* The id of the event that ends a stream: a browser comes back with it as its Last-Event-ID, and is told that there is no more. */
#define EVENTS_END "end"

/*
 * In its fiber: answers with the items of a STREAM row as an event stream, as long as the login lasts. 0 once it has been
 * answered, whatever became of it; else why not.
 */
int events_serve(struct exchange *x, struct peer *peer, const void *params);
