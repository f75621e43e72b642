/*
 * One connection of the edge as both threads know it, and the letters between them. Private to streamd/edge*.c.
 *
 * The loop sends orders, the thread sends reports. A picture is no order: it lies in the line's slot, and the one order
 * to look there is posted again only after the thread has begun to look, so that nothing can pile up.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/log.h"
#include "streamd/mailbox.h"
#include "streamd/picture.h"

struct line;
struct lws;
struct line_thread; /* the thread's side */

enum order_kind {
	ORDER_ACCEPT,
	ORDER_REFUSE, /* close_code, status; bytes: the sentence */
	ORDER_ANSWER, /* status, content_type; bytes: the body */
	ORDER_STREAM, /* content_type */
	ORDER_TEXT,   /* bytes */
	ORDER_CLOSE,  /* close_code, at_once; bytes: the reason */
	ORDER_ADOPT,  /* fd: a connection whose request may be read; of no line */
	ORDER_LOOK,   /* look at the slot, the acknowledgement and the unread bytes; part of its line */
	ORDER_END,    /* of everything */
};

/* Bytes before what is sent, for the protocol's own header. */
#define ORDER_HEADROOM 32

struct order {
	struct letter letter; /* first */
	enum order_kind kind;
	struct line *line; /* a reference */
	int close_code, status;
	bool at_once; /* CLOSE: before the text that waits */
	int fd;       /* ADOPT: closed with the order unless it has been taken over; else -1 */
	char content_type[64];
	size_t size;
	uint8_t *bytes; /* behind the order, after ORDER_HEADROOM */
	STAILQ_ENTRY(order) link; /* of those that wait to be sent */
};

enum report_kind {
	REPORT_ASKED,   /* bytes: the request's texts, one after another with a NUL each */
	REPORT_MESSAGE, /* bytes: the text */
	REPORT_DRAINED, /* part of its line */
	REPORT_CLOSED,  /* part of its line */
	REPORT_LEFT,    /* a connection that was adopted is closed; of no line */
	REPORT_LOG,     /* level; bytes: the line */
};

struct report {
	struct letter letter; /* first */
	enum report_kind kind;
	struct line *line; /* a reference; NULL for LOG and LEFT */
	enum log_level level;
	size_t size;
	char bytes[]; /* and a NUL that size does not count */
};

/* The texts of REPORT_ASKED, in this order. */
enum asked_text { ASKED_PATH, ASKED_QUERY, ASKED_COOKIE, ASKED_IP, ASKED_LAST_EVENT_ID, ASKED_TEXTS };

struct line {
	atomic_uint references;
	uint64_t id;
	bool websocket, event_stream;

	_Atomic(struct picture *) slot;
	_Atomic uint64_t acked; /* ACKED | seq of the latest; 0 for none */
	atomic_size_t written;  /* bytes of text that have gone to the socket, in all */
	atomic_size_t unread;   /* of messages that the owner has not had yet */
	atomic_bool starved;    /* nothing is read until unread has gone down */
	atomic_bool look_posted, drained_posted;
	struct order look;
	struct report *drained, *closed; /* made with the line, so that telling cannot fail */

	struct {
		bool decided;  /* accepted, refused or answered */
		bool closing;  /* no more is heard of it but the end */
		size_t given;  /* bytes of text, in all */
		LIST_ENTRY(line) link;
	} loop;

	struct line_thread *thread;
};

#define ACKED (UINT64_C(1) << 32)

/* With one reference. */
struct line *line_new(uint64_t id);
struct line *line_ref(struct line *l);
void line_unref(struct line *l);

/* Both copy bytes and take a reference to the line, which may be NULL for a report. Abort on exhaustion. */
struct order *order_new(enum order_kind kind, struct line *l, const void *bytes, size_t n);
struct report *report_new(enum report_kind kind, struct line *l, const void *bytes, size_t n);

/* Cleansed, for both may carry what a person typed. What is part of a line only lets go of it. */
void order_free(struct order *o);
void report_free(struct report *r);

/* Picks the slot's picture up; the reference is the caller's. */
struct picture *line_take_picture(struct line *l);
/* Puts one there (the reference is handed over) and lets go of the one before. */
void line_put_picture(struct line *l, struct picture *p);
