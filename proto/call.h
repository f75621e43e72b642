/*
 * One call under way: for whom, until when, and what it is refused with. A handler gets one; a daemon that acts by
 * itself (a job, a proof) makes one.
 *
 * A handler fills its result with memory of the call's arena or that lives as long; descriptors that it puts into the
 * result are the call's from then on and closed with it. It returns 0, or REFUSED from call_refuse() or a stub, or a
 * negative errno, which the engine turns into a refusal after logging what is not the peer's fault.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "common/arena.h"
#include "common/words.h"
#include "proto/error.h"
#include "proto/message.h"
#include "proto/method.h"

/* "The call's refusal says why." Never an errno of the system calls we make. */
#define REFUSED (-121) /* EREMOTEIO */

struct call;

/* How a call sends items: set by the engine. */
struct call_link {
	int (*send_item)(struct call_link *link, struct call *call, const void *item);
};

struct call {
	struct arena *arena;  /* secret: cleansed with the call */
	struct acting acting; /* strings live as long as the call */
	enum role role;       /* of the socket it came by */
	uid_t uid;            /* of the process at the other end */
	int64_t deadline;     /* monotonic ms; stubs and queries keep to it */
	const struct method *method; /* NULL for a call that nobody made */
	struct refusal refusal;
	void *daemon; /* the daemon's own state */
	void *front;  /* authd: the HTTP request it came by, or NULL */
	struct call_link *link; /* of the engine: where items go, or NULL */
	struct kept *kept;      /* of the engine: what call_keep() and the like were given */
};

/*
 * A call that this daemon makes on its own behalf or, with acting, for somebody (copied; may be NULL). Freed with
 * call_free(), which takes NULL and returns NULL.
 */
struct call *call_new(void *daemon, const struct acting *acting, int64_t deadline);
struct call *call_free(struct call *call);
void call_freep(struct call **call);

/* Refuses: sets the refusal and returns REFUSED. An empty format takes the code's own sentence. */
int call_refuse(struct call *call, enum error_code code, const char *field, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Says besides after how long to ask again, which HTTP's Retry-After carries (RFC 9110 section 10.2.3). Returns REFUSED. */
int call_retry_in(struct call *call, int64_t ms);

/* Says besides what an administrator needs to know, which is not for everybody's first sentence. Returns REFUSED. */
#define call_detail(call_, ...)                                                                    \
	words_fail(REFUSED, (call_)->refusal.detail, sizeof((call_)->refusal.detail), __VA_ARGS__)

/* What went wrong with r, for a log: the refusal's detail if it has one. Borrowed from the call. */
const char *call_cause(struct call *call, int r);

/* The sentence of what went wrong with r, whether it is REFUSED or a plain errno. Borrowed from the call. */
const char *call_why(struct call *call, int r);

/* Keeps a document, a text from malloc() (cleansed in the end) or a descriptor, taken over, until the call is freed. */
void call_keep(struct call *call, json_t *document);
void call_keep_text(struct call *call, char *text, size_t length);
void call_keep_fd(struct call *call, int fd);

/* Sends an item of a STREAM; its stub is send_NAME(). -ENOTSUP when nobody takes any. */
int call_send_item(struct call *call, const void *item);

/* 0 if the caller may call it, else REFUSED with the refusal set. */
int call_check_scope(struct call *call, const struct method *method);

/* Turns a handler's return into the call's refusal, logging what is no fault of the caller's. */
void call_settle(struct call *call, int r);
