/* A call as the server has it, and the connection that it came by; for server.c and serving.c alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/latch.h"
#include "common/log.h"
#include "proto/conn.h"
#include "proto/server.h"
#include "common/bytes.h"

#define CALLS_A_CONNECTION   64   /* then it is not read until one has ended */
#define MOST_CREDIT          1024

/* A peer's connection. It outlives the socket until its last call has ended. */
struct session {
	struct server *server;
	struct conn *conn; /* NULL once closed */
	enum role role;
	uid_t uid;
	bool greeted;
	size_t calls, streams;
	char name[32]; /* for the log */
	void (*on_end)(void *arg);
	void *on_end_arg;
	LIST_HEAD(, serving) servings;
	LIST_ENTRY(session) link;
};

/* A call as the server sees it. */
struct serving {
	struct call_link link; /* first: serving_send_item() gets it */
	struct session *session;
	struct call *call;
	const struct dispatch_row *row;
	int64_t id;
	int64_t credit;
	struct latch credited;
	struct fiber *fiber; /* while it runs */
	bool cancelled, drained; /* drained: ended because this daemon stops, and its caller is told so */
	void *params, *result; /* of the call's arena */
	char id_text[24];
	struct log_context log;
	LIST_ENTRY(serving) in_session;
};

struct server {
	const char *program;
	const struct dispatch_row *rows;
	void *daemon;
	void (*on_stranger)(void *daemon, const char *what);
	int (*on_act)(struct call *call, const char *what);
	size_t calls;
	bool stopping;
	struct latch drained;
	LIST_HEAD(, listener) listeners;
	LIST_HEAD(, session) sessions;
};

/* Answers a request that is not carried out; sentence NULL: the code's own. */
void session_send_refusal(struct session *session, int64_t id, const struct refusal *refusal);
void session_refuse(struct session *session, int64_t id, enum error_code code, const char *sentence);

/* Frees it, unless it is still connected or has a call under way. */
void session_let_go(struct session *session);

/* A call that has come: read, admitted, carried out on a fiber, which frees it. */
struct serving *serving_new(struct session *session, const struct dispatch_row *row,
	const struct message *m);
int serving_admit(struct serving *v, const struct message *m, int *fd);
void serving_run(void *arg);
/* With what its handler, or its admission, has come to. */
void serving_answer(struct serving *v, int r);
void serving_free(struct serving *v);

/* Its caller wants it no more, or is gone. */
void serving_cancel(struct serving *v);
