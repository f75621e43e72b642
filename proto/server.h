/*
 * The serving end of the RPC engine: listening sockets with a role each, and one fiber per call.
 *
 * It owns the envelope: refuses what is not well-formed, unknown, not for this role or scope, or does not decode;
 * then calls the handler; then turns what it returned into an answer. A peer that is gone takes its calls with it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "proto/call.h"
#include "proto/method.h"

/* A method and who carries it out; made by EXPAND_DISPATCH. */
struct dispatch_row {
	const struct method *method;
	int (*handler)(struct call *call, const void *params, void *result);
};

struct server;

/* program: this daemon's name, borrowed; rows end with one whose method is NULL, borrowed; daemon: for call->daemon. */
struct server *server_new(const char *program, const struct dispatch_row *rows, void *daemon);

/*
 * Cancels what is under way, closes every connection and waits for the last handler, on a fiber or on the loop's own
 * stack; call when the loop still exists. Takes NULL, returns NULL.
 */
struct server *server_free(struct server *s);

/*
 * Accepts on fd (taken over, listening) callers of this role, which must run as uid or root; anyone else is closed at
 * once and said in the log. Callers in the roles front, stream, vault and bot say for whom they call; a launcher's or
 * viewer's word on that is dropped, and steadctl (control) is refused if it says so.
 */
void server_listen(struct server *s, int fd, enum role role, uid_t uid);

/*
 * Serves one connection that is there already (fd is taken over), as a launcher does. closed(arg), if given, is called
 * when it has ended.
 */
void server_adopt(struct server *s, int fd, enum role role, uid_t uid, void (*closed)(void *arg), void *arg);

/*
 * fn(daemon, what) is told of every caller that was turned away for who it is, or for asking for what another socket is
 * for: half a sentence, borrowed, which is in the log already.
 */
void server_on_stranger(struct server *s, void (*fn)(void *daemon, const char *what));

/*
 * fn(call, what) is asked, on the call's fiber and before its handler, about every call of steadctl's that changes something
 * (method_reads() says of which rows that is not so): it writes that down. what: the method and its parameters, without
 * secrets, at most SERVER_ACT bytes. 0, or as a handler, and then nothing is done.
 */
#define SERVER_ACT 400
void server_on_act(struct server *s, int (*fn)(struct call *call, const char *what));

/*
 * Stops accepting, ends every stream (their callers are told that this daemon stops) and waits, in a fiber, until no
 * call is under way or the deadline has come.
 */
void server_drain(struct server *s, int64_t deadline);

/* The row that carries out a method, or NULL. */
const struct dispatch_row *server_row(const struct server *s, const char *method);
