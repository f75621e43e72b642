/*
 * The envelope: JSON-RPC 2.0 requests, responses and notifications, with what Stead adds to them.
 *
 * A request may carry "for" (whom it is made for), "ms" (how long the caller will wait: the call is given up then, after
 * ten minutes at the latest, and after 30 s if nothing is said), "credit" (items it can take, for a method that streams) and
 * "fd" (a descriptor comes beside the frame). "hello" opens every connection, "cancel", "credit" and "item" are
 * notifications of the engine itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "proto/error.h"
#include "proto/scope.h"
#include "proto/scan.h"
#include "common/bytes.h"

/* Counts up when old and new cannot talk to each other. */
#define PROTOCOL_VERSION 2

/* For whom a call is made. Strings are borrowed from the message, and printable: they go into the log. */
#define ACTING_TEXT 128 /* bytes of each at most */
struct acting {
	int64_t user;      /* 0: nobody */
	const char *name;  /* sign-in name */
	const char *login; /* which login of theirs */
	const char *ip;    /* where the request came from */
	unsigned scopes;   /* proto/scope.h */
};

struct message {
	bool response; /* else a request or notification */
	int64_t id;    /* 0: none, so a notification */
	const char *method;
	struct raw_json params_text; /* borrowed; its p is NULL if absent */
	struct raw_json result_text; /* likewise; absent for an error */
	bool refused;   /* an error response; refusal is set */
	struct refusal refusal;
	struct acting acting;
	int64_t ms;     /* 0: not said */
	int64_t credit; /* 0: not said */
	bool fd;
};

/* What the engine's own messages (hello, cancel, credit, item) say in their params. */
struct engine_params {
	int64_t id, n, version;
	struct raw_json item;
};

/*
 * Takes n bytes apart in place (scan.h); all of it is checked to be well-formed, and every member of the envelope to be
 * known and of its type. -EBADMSG with *ret_why, a fixed sentence, when it is no message.
 */
int message_scan(char *text, size_t n, struct message *ret, const char **ret_why);

/* The same of params of the engine's own; members it does not know are passed over. */
int message_scan_engine(struct raw_json params, struct engine_params *ret, const char **ret_why);

/*
 * Writing: the beginning, up to where the object of params or the result stands; then that object; then the end.
 * fd: a descriptor goes beside the frame.
 */
void message_begin_request(struct bytes *t, int64_t id, const char *method, const struct acting *acting, int64_t ms,
	int64_t credit);
void message_begin_notification(struct bytes *t, const char *method);
void message_begin_result(struct bytes *t, int64_t id);
void message_end(struct bytes *t, bool fd);

/* The object of both hellos, and the end. */
void message_end_hello(struct bytes *t, const char *program);

/* A whole answer; id 0 when the request's could not be read. */
void message_write_refusal(struct bytes *t, int64_t id, const struct refusal *refusal);
