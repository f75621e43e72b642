/*
 * The calling end of the RPC engine: another daemon, found by the path of its socket.
 *
 * Connects when first needed and again when the other side has gone; a call that was under way then is refused with
 * ERR_maybe_done, or, when it only reads (GET, streams), ERR_unavailable: only the caller can know whether to repeat it.
 * The typed stubs of proto/<daemon>.h are what one calls; peer_call() and its like are underneath.
 */
#pragma once

#include <stdint.h>

#include "proto/call.h"
#include "proto/method.h"
#include "proto/scan.h"

struct peer;
struct peer_stream;

/* program: who calls; name: who is called; path: its socket. All copied. */
struct peer *peer_new(const char *program, const char *name, const char *path);

/* The same by the name of the other daemon and of its socket for the like of us, where daemons have them (common/daemon.h). */
struct peer *peer_to(const char *program, const char *daemon, const char *socket);

/* A socket that is connected to a path, and does not block; or a negative errno. */
int peer_socket(const char *path);

/* The same as peer_new() over a connected socket (taken over); once that has ended, nothing can be reached any more. */
struct peer *peer_adopt(const char *program, const char *name, int fd);

/* Ends what is pending as if the other side had gone. Takes NULL, returns NULL. */
struct peer *peer_free(struct peer *p);

const char *peer_name(const struct peer *p);

/*
 * Calls and waits until call->deadline. 0 with ret (method->result_size bytes) filled; what it points to, and any
 * descriptor in it, belongs to the call. REFUSED when refused, by the other side or because it is not to be reached;
 * -ETIMEDOUT; -ECANCELED.
 */
int peer_call(struct peer *p, struct call *call, const struct method *method, const void *params, void *ret);

/* The same for authd, which passes answers on: ret is the text of one, an object, and belongs to the call. */
int peer_call_text(struct peer *p, struct call *call, const struct method *method, const void *params, struct raw_json *ret);

/*
 * Opens a stream of items. The first item, or the end, is waited for in peer_stream_next(): 0 with ret filled (valid
 * until the next call); -ENODATA at the end; REFUSED, -ETIMEDOUT (the stream stays open), -ECANCELED. Close it in any
 * case: peer_stream_close() takes NULL, returns NULL. The call must outlive the stream.
 */
int peer_stream_open(struct peer *p, struct call *call, const struct method *method, const void *params,
	struct peer_stream **ret);
int peer_stream_next(struct peer_stream *s, void *ret, int64_t deadline);
struct peer_stream *peer_stream_close(struct peer_stream *s);
