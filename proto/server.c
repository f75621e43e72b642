#include "proto/server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/acceptor.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/latch.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"
#include "proto/act.h"
#include "proto/conn.h"
#include "proto/frame_text.h"
#include "proto/message.h"
#include "proto/serving.h"

#define STREAMS_A_CONNECTION 1024 /* then further ones are refused */
#define CALLS_AT_ONCE        4096 /* of all connections: each has a fiber, and mappings are finite */
#define SESSIONS_A_ROLE      256  /* connections; whoever comes then is closed at once */
#define HELLO_MS             10000 /* from the connection to its hello */

static const struct log_context *find_log_context(void)
{
	return fiber_local();
}

struct server *server_new(const char *program, const struct dispatch_row *rows, void *daemon)
{
	struct server *s = must(calloc(1, sizeof(*s)));

	s->program = program;
	s->rows = rows;
	s->daemon = daemon;
	LIST_INIT(&s->listeners);
	LIST_INIT(&s->sessions);
	log_context_hook(find_log_context);
	return s;
}

const struct dispatch_row *server_row(const struct server *s, const char *method)
{
	for (const struct dispatch_row *row = s->rows; row->method; row++)
		if (strcmp(row->method->name, method) == 0)
			return row;
	return NULL;
}

void server_on_stranger(struct server *s, void (*fn)(void *daemon, const char *what))
{
	s->on_stranger = fn;
}

void server_on_act(struct server *s, int (*fn)(struct call *call, const char *what))
{
	s->on_act = fn;
}

__attribute__((format(printf, 2, 3))) static void turn_away(struct server *s, const char *format, ...)
{
	char what[160];
	va_list args;

	va_start(args, format);
	words_set_v(what, sizeof(what), format, args);
	va_end(args);
	log_warning("turned away %s", what);
	if (s->on_stranger)
		s->on_stranger(s->daemon, what);
}

static void server_malformed(struct session *session, int64_t id, const char *why)
{
	struct conn *conn = session->conn; /* sending may close it and end the session */
	struct refusal refusal;

	refusal_set(&refusal, ERR_malformed, NULL, "%s", why);
	session_send_refusal(session, id, &refusal);
	conn_close_when_sent(conn, "The peer sent a message that is not well-formed.");
}

static void begin_call(struct session *session, const struct message *m, struct frame_text *frame, int *fd)
{
	const struct dispatch_row *row = server_row(session->server, m->method);
	int r;

	if (!row || !(row->method->roles & session->role)) {
		if (row)
			turn_away(session->server, "a caller with uid %u who asked for %s on the %s socket",
				(unsigned)session->uid, row->method->name, role_word(session->role));
		session_refuse(session, m->id, ERR_unknown_method, NULL);
		return;
	}
	if (session->server->stopping || session->streams >= STREAMS_A_CONNECTION ||
		session->server->calls >= CALLS_AT_ONCE) {
		session_refuse(session, m->id, session->server->stopping ? ERR_unavailable : ERR_busy, NULL);
		return;
	}
	struct serving *v = serving_new(session, row, m);
	call_keep_text(v->call, TAKE(frame->buffer), frame->size);
	r = serving_admit(v, m, fd);
	if (r == 0) {
		if (session->calls >= CALLS_A_CONNECTION)
			conn_pause(session->conn, true);
		fiber_start(row->method->name, serving_run, v, NULL);
		return;
	}
	if (r == -EBADMSG)
		server_malformed(session, m->id, v->call->refusal.message);
	else
		serving_answer(v, r);
	serving_free(v);
}

static struct serving *serving_by_id(struct session *session, int64_t id)
{
	struct serving *v;

	LIST_FOREACH (v, &session->servings, in_session)
		if (v->id == id)
			return v;
	return NULL;
}

static void give_credit(struct serving *v, int64_t n)
{
	if (n <= 0 || n > MOST_CREDIT)
		return;
	v->credit = v->credit + n < MOST_CREDIT ? v->credit + n : MOST_CREDIT;
	latch_wake(&v->credited, 0);
}

/* The first thing on a connection: both say which protocol they speak, so that a mismatch has a sentence. */
static void server_greet(struct session *session, const struct message *m, int64_t version)
{
	struct conn *conn = session->conn; /* sending may close it and end the session */
	struct bytes *t;

	if (strcmp(m->method, "hello") != 0 || !m->id) {
		session_refuse(session, m->id, ERR_invalid, "A connection begins with hello.");
		conn_close_when_sent(conn, "The peer did not begin with hello.");
		return;
	}
	if (version != PROTOCOL_VERSION) {
		char why[160];
		words_set(why, sizeof(why),
			"%s speaks protocol version %d and the caller version %lld; install the same version of Stead everywhere and restart it.",
			session->server->program, PROTOCOL_VERSION, (long long)version);
		session_refuse(session, m->id, ERR_invalid, why);
		conn_close_when_sent(conn, "The peer speaks another protocol version.");
		return;
	}
	session->greeted = true;
	conn_set_idle(conn, conn_default_limits.idle_ms);
	t = conn_begin_output();
	message_begin_result(t, m->id);
	message_end_hello(t, session->server->program);
	conn_send_output(conn, -1);
}

/* hello, cancel and credit; a notification of anything else, or about a call that has ended, is passed over. */
static void take_engine_message(struct session *session, const struct message *m)
{
	struct engine_params e;
	struct serving *v;
	const char *why;

	if (message_scan_engine(m->params_text, &e, &why) < 0) {
		server_malformed(session, m->id, why);
		return;
	}
	if (!session->greeted) {
		server_greet(session, m, e.version);
		return;
	}
	v = serving_by_id(session, e.id);
	if (v && strcmp(m->method, "cancel") == 0)
		serving_cancel(v);
	else if (v && strcmp(m->method, "credit") == 0)
		give_credit(v, e.n);
}

static void on_server_frame(struct conn *conn, void *owner, const char *body, size_t length, int *fd)
{
	struct session *session = owner;
	CLEANUP(frame_text_free) struct frame_text frame = frame_text_take(conn, body, length);
	CLEANUP(closep) int own_fd = -1;
	struct message m;
	const char *why = NULL;

	if (message_scan(frame.p, frame.n, &m, &why) < 0) {
		server_malformed(session, 0, why);
		return;
	}
	if (m.fd) /* it belongs to this message, whether anybody claims it or not */
		own_fd = TAKE_FD(*fd);
	if (m.response)
		conn_close(conn, "The peer sent an answer that nobody asked for.");
	else if (session->greeted && m.id)
		begin_call(session, &m, &frame, &own_fd);
	else
		take_engine_message(session, &m);
}

static void on_server_closed(struct conn *, void *owner, const char *why)
{
	struct session *session = owner;
	struct serving *v;

	log_debug("%s closed: %s", session->name, why);
	session->conn = NULL;
	LIST_FOREACH (v, &session->servings, in_session)
		serving_cancel(v);
	if (session->on_end)
		session->on_end(session->on_end_arg);
	session_let_go(session);
}

static bool server_is_pending(struct conn *, void *owner)
{
	struct session *session = owner;

	return session->calls || session->streams;
}

static const struct conn_events session_events = {
	.frame = on_server_frame,
	.closed = on_server_closed,
	.pending = server_is_pending,
};

static size_t count_sessions(const struct server *s, enum role role)
{
	const struct session *session;
	size_t n = 0;

	LIST_FOREACH (session, &s->sessions, link)
		n += session->role == role;
	return n;
}

void server_adopt(struct server *s, int fd, enum role role, uid_t uid, void (*closed)(void *arg), void *arg)
{
	struct session *session = must(calloc(1, sizeof(*session)));
	struct conn_limits before_hello = conn_default_limits;

	before_hello.idle_ms = HELLO_MS;
	session->server = s;
	session->role = role;
	session->on_end = closed;
	session->on_end_arg = arg;
	LIST_INIT(&session->servings);
	session->conn = conn_new(fd, &before_hello, &session_events, session);
	session->uid = conn_peer_uid(session->conn);
	exact_must(session->name, sizeof(session->name), "%s#%llu", role_word(role),
		(unsigned long long)conn_id(session->conn));
	LIST_INSERT_HEAD(&s->sessions, session, link);
	if (session->uid != uid && session->uid != 0) {
		turn_away(s, "a caller with uid %u from the %s socket, which is for uid %u alone", (unsigned)session->uid,
			role_word(role), (unsigned)uid);
		conn_close(session->conn, "The peer runs as another user than this socket is for.");
	} else if (count_sessions(s, role) > SESSIONS_A_ROLE) {
		log_warning("closed a connection to the %s socket: there are %d already", role_word(role), SESSIONS_A_ROLE);
		conn_close(session->conn, "There are too many connections.");
	}
}

/* A socket on which callers of one role connect. */
struct listener {
	struct server *server;
	enum role role;
	uid_t uid;
	struct acceptor *acceptor;
	LIST_ENTRY(listener) link;
};

static void on_server_accepted(void *arg, int fd)
{
	struct listener *l = arg;

	server_adopt(l->server, fd, l->role, l->uid, NULL, NULL);
}

void server_listen(struct server *s, int fd, enum role role, uid_t uid)
{
	struct listener *l = must(calloc(1, sizeof(*l)));

	*l = (struct listener){ .server = s, .role = role, .uid = uid };
	l->acceptor = acceptor_new(fd, role_word(role), on_server_accepted, l);
	LIST_INSERT_HEAD(&s->listeners, l, link);
}

static void stop_listening(struct server *s)
{
	struct listener *l;

	while ((l = LIST_FIRST(&s->listeners))) {
		LIST_REMOVE(l, link);
		acceptor_free(l->acceptor);
		free(l);
	}
}

/* A stream lasts as long as its caller likes, so nothing would come of waiting for it. */
static void end_streams(struct server *s)
{
	struct session *session;
	struct serving *v;

	LIST_FOREACH (session, &s->sessions, link) {
		LIST_FOREACH (v, &session->servings, in_session) {
			if (!v->row->method->streams)
				continue;
			v->drained = true;
			fiber_cancel(v->fiber);
		}
	}
}

void server_drain(struct server *s, int64_t deadline)
{
	stop_listening(s);
	s->stopping = true;
	if (s->calls == 0)
		return;
	end_streams(s);
	latch_wait(&s->drained, deadline);
}

/* After every connection has been closed: each call has been cancelled and ends as soon as it runs. */
static void wait_for_calls(struct server *s)
{
	while (s->calls && !fiber_self())
		loop_turn();
	if (s->calls) /* in a fiber, where the loop is not to be entered a second time */
		LATCH_AWAIT(&s->drained, s->calls == 0);
}

struct server *server_free(struct server *s)
{
	struct session *session, *next;

	if (!s)
		return NULL;
	stop_listening(s);
	for (session = LIST_FIRST(&s->sessions); session; session = next) {
		next = LIST_NEXT(session, link);
		if (session->conn)
			conn_close(session->conn, "The server ends.");
	}
	wait_for_calls(s);
	free(s);
	return NULL;
}
