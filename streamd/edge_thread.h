/*
 * The thread of libwebsockets. Private to streamd/edge*.c: edge.c starts it and posts orders, among them connections that
 * edge_door.c has admitted; edge_thread.c runs it and hands orders out; edge_socket.c is what happens on one connection.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <libwebsockets.h>

#include "streamd/edge.h"
#include "streamd/edge_line.h"
#include "streamd/mailbox.h"

/* Pictures on their way to one viewer that it has not acknowledged. */
#define MOST_FLYING 2

/* What the thread knows of a connection. */
struct line_thread {
	struct line *line; /* a reference */
	struct edge_thread *thread;
	struct lws *wsi;
	bool accepted;  /* a WebSocket whose messages are wanted */
	bool streaming; /* a GET that is being answered without a length */
	bool headed;    /* the head of the answer has been sent */
	bool closing, said_close; /* the second: the library has been told and does the rest */
	int close_code;
	char reason[124]; /* RFC 6455 section 5.5: a control frame carries 125 bytes, two are the code */
	STAILQ_HEAD(, order) out;
	struct order *answer;
	size_t answered; /* bytes of it that have been sent */
	uint32_t flying[MOST_FLYING];
	unsigned flying_count;
	char *message; /* the message that is coming in */
	size_t got, room; /* bytes of it */
	lws_sorted_usec_list_t give_up;
	bool turn_wanted, turn_missed; /* to write: asked for; not come since edge_socket_check() */
	int64_t control_since_ms;      /* what these are counted from */
	unsigned odd_turns, pongs;
	LIST_ENTRY(line_thread) link;
};

struct edge_thread {
	struct edge_config config; /* complete */
	struct mailbox orders, *reports;
	int report_fd; /* an eventfd: the loop is to look at the reports */
	atomic_uint logs; /* lines that the loop has not had yet */
	pthread_t thread;
	struct lws_context *context;
	struct lws_vhost *vhost;
	unsigned made; /* connections of the library, ever */
	unsigned turns; /* of the service loop, since checked_ms */
	int64_t checked_ms;
	int64_t foreign_said_ms; /* when the log was last told of a page of another site */
	uint64_t last_id;
	bool ending;
	int64_t end_by_ms;
	lws_sorted_usec_list_t end;
	LIST_HEAD(, line_thread) lines;
};

/*
 * config must be complete; its origins are borrowed. Reports go into the box and then, if it was empty, wake report_fd. 0,
 * -ENOMEM or -EIO.
 */
int edge_thread_start(const struct edge_config *config, struct mailbox *reports, int report_fd, struct edge_thread **ret);

/* The order is taken over. Any thread but this one. */
void edge_thread_post(struct edge_thread *t, struct order *o);

/* Closes everything, waits for the thread's end. Takes NULL, returns NULL. Reports may still lie in the box. */
struct edge_thread *edge_thread_stop(struct edge_thread *t);

/* On the thread. */
void edge_report(struct edge_thread *t, struct report *r);
void edge_say(struct edge_thread *t, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* edge_socket.c, on the thread. */
struct edge_session {
	struct line_thread *line; /* NULL until somebody has asked */
};
int edge_socket_event(struct edge_thread *t, struct lws *wsi, enum lws_callback_reasons reason,
	struct edge_session *session, const char *in, size_t n);
void edge_socket_order(struct line_thread *l, struct order *o); /* takes it over */
void edge_socket_close(struct line_thread *l, int code, const char *reason);
void edge_socket_check(struct line_thread *l);
