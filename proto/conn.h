/*
 * A connection: frames in and out of a Unix stream socket, each with at most one descriptor beside it.
 *
 * Every connection has the same kinds of cap: bytes of one frame, bytes queued for output (past the low mark it stops
 * reading, past the hard one it closes), descriptors that wait for their frame, and time for a frame to become whole
 * and for an idle peer. conn_close() is the only way out; the memory goes when the loop has turned. Not for fibers:
 * all of it returns at once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct bytes;
struct conn;

struct conn_limits {
	size_t frame;    /* bytes of one frame's body */
	size_t output;   /* queued bytes above which nothing more is read */
	size_t hard;     /* queued bytes above which the peer is given up */
	int64_t whole_ms; /* from a frame's first byte to its last */
	int64_t idle_ms;  /* without a frame in either direction and nothing pending; NEVER for none */
};

extern const struct conn_limits conn_default_limits; /* 1 MiB, 1 MiB, 32 MiB, 10 s, 10 min */

struct conn_events {
	/*
	 * A frame. body (length bytes, not NUL-terminated) is borrowed and cleansed afterwards. *fd is the descriptor that
	 * came with it, or -1; take it by setting it to -1. May close the connection.
	 */
	void (*frame)(struct conn *c, void *owner, const char *body, size_t length, int *fd);
	/* It has been closed, for this reason (a sentence, borrowed). The last thing heard of it. */
	void (*closed)(struct conn *c, void *owner, const char *why);
	/* Whether something is pending, so that silence is not idleness. May be NULL: nothing ever is. */
	bool (*pending)(struct conn *c, void *owner);
};

/* Takes over fd (a connected SOCK_STREAM Unix socket), non-blocking and close-on-exec from now on. */
struct conn *conn_new(int fd, const struct conn_limits *limits, const struct conn_events *events, void *owner);

/* From now on it may be idle for so long; NEVER for ever. */
void conn_set_idle(struct conn *c, int64_t idle_ms);

/* Queues a frame; fd is duplicated, -1 for none. Nothing happens on a connection that has been closed. */
void conn_send(struct conn *c, const char *body, size_t length, int fd);

/*
 * Text that goes out as a frame: begun, written, and sent, with nothing that gives way in between, so one buffer serves all
 * connections. c may be NULL: it is closed. False when the text is longer than a frame may be; then nothing is sent.
 */
struct bytes *conn_begin_output(void);
bool conn_send_output(struct conn *c, int fd);

/* Closes it for this reason (a sentence): closed() is called now, the memory goes later. A second close is ignored. */
void conn_close(struct conn *c, const char *why);

/* Closes it once what is queued has been written. */
void conn_close_when_sent(struct conn *c, const char *why);

/* Stops or goes on calling frame(), for whoever has as many calls in flight as it wants. */
void conn_pause(struct conn *c, bool paused);

/* The peer's user id, from SO_PEERCRED; (uid_t)-1 if unknown. Under socket activation a client sees root. */
uid_t conn_peer_uid(const struct conn *c);

/* Counts up from 1 in this process. */
uint64_t conn_id(const struct conn *c);
