/* One request on its way, at one of the endpoints of its host (private to http/). */
#pragma once

#include "common/bytes.h"
#include "common/latch.h"
#include "http/http_inside.h"
#include "http/place.h"

struct transfer {
	struct http_client *http;
	const struct http_request *request;
	struct place place;
	struct egress_target target;
	const struct egress_endpoint *endpoint; /* of the target's: the one that is tried */
	int fd; /* of the connection that was last made for it */
	CURL *easy;
	struct curl_slist *fields, *connect_to;
	int64_t deadline;   /* monotonic ms */
	struct latch moved; /* held or done */
	bool holding;       /* the last byte of the body is kept back ... */
	bool held;          /* ... and all before it have left */
	bool gone;          /* the whole body has been handed to the connection */
	bool done;
	bool too_large;
	CURLcode result;      /* when done */
	const char *distrust; /* why its certificate is not trusted; NULL: it is, or was not seen */
	size_t sent;          /* bytes of the body */
	size_t head;          /* bytes of the answer's head, interim ones before it included */
	bool headed;          /* it is whole */
	struct bytes body;    /* the answer's */
};

/* Checks the request and finds where it may go. 0, or as http_fetch(). Not yet on its way. */
int transfer_new(struct http_client *h, const struct http_request *q, struct transfer **ret, char why[HTTP_WHY]);

/*
 * Sends it to the first endpoint that can be connected to and waits until it is done, or held if it is to be. 0; or as
 * http_fetch() with why.
 */
int transfer_run(struct transfer *t, char why[HTTP_WHY]);

/* From held to done, likewise. */
int transfer_finish(struct transfer *t, int64_t deadline, char why[HTTP_WHY]);

/* Of one that is held: the site has ended the connection, or begun to answer. */
bool transfer_is_lost(const struct transfer *t);

/* Of libcurl's word that it is. */
void transfer_done(struct transfer *t, CURLcode result);
