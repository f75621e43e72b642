/*
 * The Chrome DevTools Protocol over --remote-debugging-pipe=cbor: one socket to one Chromium.
 *
 * Each message is one CBOR map in an envelope (tag 24, d8 18 5a and a 4-byte length). What we send wraps every map and
 * array in one, since Chromium understands nothing else, and a broken one would leave it silent for good: so a call
 * that is not answered by its deadline means that the browser hangs, unless the page itself was asked to do something.
 *
 * Calls wait in a fiber; events come on the loop. https://chromedevtools.github.io/devtools-protocol/
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/cbor.h"
#include "common/cbor_out.h"

struct cdp;

/* Room for an id that Chromium gives a target, a frame, a session or a context; its own have 32 digits. */
#define CDP_ID 48

/* Such an id, from what Chromium says; false, and "", if there is none, or it has no room. */
bool cdp_id(const struct cbor *map, const char *key, char ret[CDP_ID]);

/* A parameter, or an element of a list (then without a name). In a map a text, value, map or list that is NULL is left out. */
struct cdp_arg {
	const char *name;
	enum { CDP_END, CDP_KIND_TEXT, CDP_KIND_INT, CDP_KIND_REAL, CDP_KIND_BOOL, CDP_KIND_MAP, CDP_KIND_LIST, CDP_KIND_VALUE,
		CDP_KIND_BINARY } kind;
	union {
		const char *text;
		int64_t number;
		double real;
		bool yes;
		const struct cdp_arg *inner; /* ends with CDP_END */
		const struct cbor *value;
		struct {
			const void *bytes;
			size_t length;
		};
	};
};

#define CDP_TEXT(name_, value_) { .name = name_, .kind = CDP_KIND_TEXT, .text = value_ }
#define CDP_INT(name_, value_)  { .name = name_, .kind = CDP_KIND_INT, .number = value_ }
#define CDP_REAL(name_, value_) { .name = name_, .kind = CDP_KIND_REAL, .real = value_ }
#define CDP_BOOL(name_, value_) { .name = name_, .kind = CDP_KIND_BOOL, .yes = value_ }
/* Of rows that are made elsewhere; and of those that stand here. */
#define CDP_MAP_OF(name_, rows_)  { .name = name_, .kind = CDP_KIND_MAP, .inner = rows_ }
#define CDP_LIST_OF(name_, rows_) { .name = name_, .kind = CDP_KIND_LIST, .inner = rows_ }
#define CDP_MAP(name_, ...)  CDP_MAP_OF(name_, ((const struct cdp_arg[]){ __VA_ARGS__ __VA_OPT__(,) { 0 } }))
#define CDP_LIST(name_, ...) CDP_LIST_OF(name_, ((const struct cdp_arg[]){ __VA_ARGS__ __VA_OPT__(,) { 0 } }))
/* A value as Chromium sent it. */
#define CDP_VALUE(name_, value_) { .name = name_, .kind = CDP_KIND_VALUE, .value = value_ }
/* Bytes that stand for base64. */
#define CDP_BINARY(name_, bytes_, length_)                                                         \
	{ .name = name_, .kind = CDP_KIND_BINARY, .bytes = bytes_, .length = length_ }

/* What came back from a call. */
struct cdp_reply {
	struct arena *arena;       /* owns the message and its tree */
	const struct cbor *result; /* never NULL after success */
	char error[256];           /* Chromium's own words after -EREMOTE: for the log, not for people */
};

void cdp_reply_free(struct cdp_reply *r);

struct cdp_events {
	/*
	 * An event; session is "" on the browser's own session. The tree is valid during the call, on the loop; start
	 * a fiber for anything that waits.
	 */
	void (*event)(struct cdp *c, void *owner, const char *session, const char *method, const struct cbor *params);
	/* The browser's end is gone. The last thing heard of it. why: it was we who gave it up, a sentence; or NULL. */
	void (*closed)(struct cdp *c, void *owner, const char *why);
};

/* Takes over fd, our end of a stream socketpair. */
struct cdp *cdp_new(int fd, const struct cdp_events *events, void *owner);

/* Wakes every call with -ECONNRESET; closed() is not called. Takes NULL, returns NULL. */
struct cdp *cdp_free(struct cdp *c);

/*
 * Calls a method in a session ("" for the browser; copied) and waits. What Chromium's renderers say is hostile: only an
 * answer with this call's id in this call's session is one, and the first is the only one.
 *
 * 0 with *ret to be freed; -EREMOTE when Chromium refuses (ret->error says why); -ETIMEDOUT; -EPIPE when the session has
 * crashed or gone; -ECONNRESET when the browser has; -ECANCELED. ret may be NULL.
 */
int cdp_call_args(struct cdp *c, const char *session, const char *method, int64_t deadline, struct cdp_reply *ret,
	const struct cdp_arg *args);
#define cdp_call(c_, session_, method_, deadline_, ret_, ...)                                      \
	cdp_call_args(c_, session_, method_, deadline_, ret_, (const struct cdp_arg[]){ __VA_ARGS__ __VA_OPT__(,) { 0 } })

/*
 * The same for what is asked of one document, that of a frame: when the frame gets another one, cdp_abandon_frame() ends
 * it with -EREMOTE, for Chromium does not answer it then in all cases. session NULL: whichever it was asked in.
 */
int cdp_call_in_frame(struct cdp *c, const char *session, const char *frame, const char *method, int64_t deadline,
	struct cdp_reply *ret, const struct cdp_arg *args);
void cdp_abandon_frame(struct cdp *c, const char *session, const char *frame);

/* cdp_call() without waiting: order is kept, a refusal is not heard of. */
void cdp_send_args(struct cdp *c, const char *session, const char *method, const struct cdp_arg *args);
#define cdp_send(c_, session_, method_, ...)                                                       \
	cdp_send_args(c_, session_, method_, (const struct cdp_arg[]){ __VA_ARGS__ __VA_OPT__(,) { 0 } })

/*
 * cdp_send() whose answer is heard of: once, on the loop, when Chromium has carried it out or refused it, or will not
 * answer any more. cdp_unhear() takes back all that this owner has not heard of yet; NULL: everybody's.
 */
void cdp_send_heard(struct cdp *c, const char *session, const char *method, const struct cdp_arg *args,
	void (*heard)(void *owner), void *owner);
void cdp_unhear(struct cdp *c, void *owner);

/*
 * Closes the socket as if the browser had gone: every call ends with -ECONNRESET, and closed() is called with why, a
 * sentence that outlives c, or NULL. It happens by itself when the browser does not take what it is sent, or speaks no CDP.
 */
void cdp_give_up(struct cdp *c, const char *why);

/* Ends every call that waits in this session with -EPIPE: Chromium never answers them after a crash. */
void cdp_abandon(struct cdp *c, const char *session);
