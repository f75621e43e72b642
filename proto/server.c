#include "proto/server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/latch.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"
#include "proto/act.h"
#include "proto/conn.h"
#include "proto/field.h"
#include "proto/frame_text.h"
#include "proto/listener.h"
#include "proto/message.h"
#include "proto/text.h"

#define CALLS_A_CONNECTION   64   /* then it is not read until one has ended */
#define STREAMS_A_CONNECTION 1024 /* then further ones are refused */
#define CALLS_AT_ONCE        4096 /* of all connections: each has a fiber, and mappings are finite */
#define SESSIONS_A_ROLE      256  /* connections; whoever comes then is closed at once */
#define HELLO_MS             10000 /* from the connection to its hello */
#define MAY_ACT_FOR          (ROLE_FRONT | ROLE_STREAM | ROLE_VAULT | ROLE_BOT)
#define DEFAULT_MS           30000  /* for a caller who does not say how long it will wait */
#define MOST_MS              600000 /* for one who would wait longer; proto/message.h says so */
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
	struct call_link link; /* first: server_send_item() gets it */
	struct session *session;
	struct call *call;
	const struct dispatch_row *row;
	int64_t id;
	int64_t credit;
	struct latch credited;
	struct fiber *fiber; /* while it runs */
	bool cancelled, drained; /* drained: ended because this daemon stops, and its caller is told so */
	void *params, *result;
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
	struct listener_list listeners;
	LIST_HEAD(, session) sessions;
};

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

static void turn_away(struct server *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void turn_away(struct server *s, const char *format, ...)
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

size_t server_calls(const struct server *s)
{
	return s->calls;
}

/* What is being written to some connection; nothing gives way between the first byte and the sending. */
static struct text output;

static struct text *server_begin_output(void)
{
	text_reset(&output);
	return &output;
}

/* Sends what was written. False when it is longer than a frame may be; then nothing is sent. */
static bool server_send_output(struct session *session, int fd)
{
	bool fits = output.n <= conn_default_limits.frame;

	if (session->conn && fits)
		conn_send(session->conn, output.p, output.n, fd);
	text_reset(&output);
	return fits;
}

static void send_refusal(struct session *session, int64_t id, const struct refusal *refusal)
{
	message_write_refusal(server_begin_output(), id, refusal);
	server_send_output(session, -1);
}

static void server_refuse(struct session *session, int64_t id, enum error_code code, const char *sentence)
{
	struct refusal refusal;

	if (!id)
		return; /* a notification is not answered */
	refusal_set(&refusal, code, NULL, "%s", sentence ? sentence : error_row(code)->sentence);
	send_refusal(session, id, &refusal);
}

static void server_session_release(struct session *session)
{
	if (session->conn || session->calls || session->streams)
		return;
	LIST_REMOVE(session, link);
	loop_defer(free, session); /* it may have ended in the middle of what it was sending */
}

static void serving_free(struct serving *v)
{
	struct session *session = v->session;
	struct server *server = session->server;

	LIST_REMOVE(v, in_session);
	if (v->row->method->streams)
		session->streams--;
	else
		session->calls--;
	server->calls--;
	explicit_bzero(v->params, v->row->method->params_size);
	explicit_bzero(v->result, v->row->method->result_size);
	free(v->params);
	free(v->result);
	call_free(v->call);
	free(v);
	if (session->conn && session->calls < CALLS_A_CONNECTION)
		conn_pause(session->conn, false);
	server_session_release(session);
	if (server->calls == 0)
		latch_wake(&server->drained, 0);
}

static int send_result(struct serving *v)
{
	const struct method *method = v->row->method;
	struct text *t = server_begin_output();
	int fd = -1, r = 0;

	message_begin_result(t, v->id);
	if (method->streams)
		text_puts(t, "{}");
	else
		r = fields_write(t, method->result(), v->result, &fd, &v->call->refusal);
	if (r < 0) {
		log_error("%s made a result that breaks its own row: %s", method->name, v->call->refusal.message);
		return -EINVAL;
	}
	message_end(t, fd >= 0);
	if (server_send_output(v->session, fd))
		return 0;
	log_error("the result of %s is longer than a frame may be", method->name);
	return call_refuse(v->call, ERR_too_large, NULL, "The answer is longer than Stead can send; ask for less.");
}

static void server_answer(struct serving *v, int r)
{
	if (v->drained && r < 0)
		r = call_refuse(v->call, ERR_unavailable, NULL, "%s stops; try again in a moment.",
			v->session->server->program);
	if (r == -ECANCELED && (v->cancelled || !v->session->conn))
		return;
	if (r == 0)
		r = send_result(v);
	call_settle(v->call, r);
	if (r < 0)
		send_refusal(v->session, v->id, &v->call->refusal);
}

static void server_serve(void *arg)
{
	struct serving *v = arg;
	const struct server *server = v->session->server;
	int r;

	v->fiber = fiber_self();
	fiber_set_local(&v->log);
	if (v->cancelled || v->drained)
		fiber_cancel(v->fiber);
	r = server->on_act && act_is(v->call) ? act_ask(v->call, server->on_act, v->params) : 0;
	if (r == 0)
		r = v->row->handler(v->call, v->params, v->result);
	server_answer(v, r);
	fields_close(v->row->method->params(), v->params);
	if (!v->row->method->streams)
		fields_close(v->row->method->result(), v->result);
	fiber_set_local(NULL);
	serving_free(v);
}

static void serving_cancel(struct serving *v)
{
	v->cancelled = true;
	fiber_cancel(v->fiber);
}

static int wait_for_credit(struct serving *v)
{
	if (v->credit > 0)
		return fiber_cancelled() ? -ECANCELED : 0;
	return latch_wait(&v->credited, NEVER);
}

static int server_send_item(struct call_link *link, struct call *call, const void *item)
{
	struct serving *v = (struct serving *)link;
	int fd, r = wait_for_credit(v);
	struct text *t;

	if (r < 0)
		return r;
	t = server_begin_output();
	message_begin_notification(t, "item");
	text_puts(t, "{\"id\":");
	text_whole(t, v->id);
	text_puts(t, ",\"item\":");
	r = fields_write(t, v->row->method->result(), item, &fd, &call->refusal);
	if (r < 0) {
		text_reset(t);
		return r;
	}
	text_puts(t, "}");
	message_end(t, fd >= 0);
	v->credit--;
	return server_send_output(v->session, fd) ? 0 : -EMSGSIZE;
}

static struct serving *serving_new(struct session *session, const struct dispatch_row *row,
	const struct message *m)
{
	struct serving *v = must(calloc(1, sizeof(*v)));
	int64_t ms = m->ms <= 0 ? DEFAULT_MS : m->ms < MOST_MS ? m->ms : MOST_MS;

	v->link.send_item = server_send_item;
	v->session = session;
	v->row = row;
	v->id = m->id;
	v->credit = m->credit < MOST_CREDIT ? m->credit : MOST_CREDIT; /* message_read() lets nothing below 0 through */
	v->call = call_new(session->server->daemon, session->role & MAY_ACT_FOR ? &m->acting : NULL,
		row->method->streams ? NEVER : deadline_in(ms));
	v->call->role = session->role;
	v->call->uid = session->uid;
	v->call->method = row->method;
	call_set_link(v->call, &v->link);
	v->params = must(calloc(1, row->method->params_size + 1));
	v->result = must(calloc(1, row->method->result_size + 1));
	if (!row->method->streams)
		fields_init(row->method->result(), v->result, row->method->result_size);
	exact_must(v->id_text, sizeof(v->id_text), "%lld", (long long)m->id);
	v->log = (struct log_context){ .connection = session->name,
		.call = v->id_text,
		.method = row->method->name,
		.user = v->call->acting.name };
	LIST_INSERT_HEAD(&session->servings, v, in_session);
	if (row->method->streams)
		session->streams++;
	else
		session->calls++;
	session->server->calls++;
	return v;
}

/* Everything that is decided before the handler: 0, REFUSED or -EBADMSG. */
static int server_admit(struct serving *v, const struct message *m, int *fd)
{
	const struct method *method = v->row->method;
	char none[] = "{}";
	struct span params = m->params_text.p ? m->params_text : (struct span){ none, 2 };
	json_t *kept = NULL;
	int r = 0;

	/* An administrator's call is for nobody: done as somebody it would look like theirs and reach everybody's. */
	if (m->acting.user && v->session->role == ROLE_CONTROL)
		r = call_refuse(v->call, ERR_invalid, "for", "steadctl calls for nobody.");
	if (r == 0)
		r = call_check_scope(v->call, method);
	if (r == 0)
		r = fields_read(v->call->arena, method->params(), params.p, params.n, fd, v->params, &kept, &v->call->refusal);
	if (kept)
		call_keep(v->call, kept);
	return r;
}

static void server_malformed(struct session *session, int64_t id, const char *why)
{
	struct conn *conn = session->conn; /* sending may close it and end the session */
	struct refusal refusal;

	refusal_set(&refusal, ERR_malformed, NULL, "%s", why);
	send_refusal(session, id, &refusal);
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
		server_refuse(session, m->id, ERR_unknown_method, NULL);
		return;
	}
	if (session->server->stopping || session->streams >= STREAMS_A_CONNECTION ||
		session->server->calls >= CALLS_AT_ONCE) {
		server_refuse(session, m->id, session->server->stopping ? ERR_unavailable : ERR_busy, NULL);
		return;
	}
	struct serving *v = serving_new(session, row, m);
	call_keep_text(v->call, TAKE(frame->buffer), frame->size);
	r = server_admit(v, m, fd);
	if (r == 0) {
		if (session->calls >= CALLS_A_CONNECTION)
			conn_pause(session->conn, true);
		fiber_start(row->method->name, server_serve, v, NULL);
		return;
	}
	if (r == -EBADMSG)
		server_malformed(session, m->id, v->call->refusal.message);
	else
		server_answer(v, r);
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
	struct text *t;

	if (strcmp(m->method, "hello") != 0 || !m->id) {
		server_refuse(session, m->id, ERR_invalid, "A connection begins with hello.");
		conn_close_when_sent(conn, "The peer did not begin with hello.");
		return;
	}
	if (version != PROTOCOL_VERSION) {
		char why[160];
		words_set(why, sizeof(why),
			"%s speaks protocol version %d and the caller version %lld; install the same version of Stead everywhere and restart it.",
			session->server->program, PROTOCOL_VERSION, (long long)version);
		server_refuse(session, m->id, ERR_invalid, why);
		conn_close_when_sent(conn, "The peer speaks another protocol version.");
		return;
	}
	session->greeted = true;
	conn_set_idle(conn, conn_default_limits.idle_ms);
	t = server_begin_output();
	message_begin_result(t, m->id);
	text_puts(t, "{\"version\":");
	text_whole(t, PROTOCOL_VERSION);
	text_puts(t, ",\"program\":");
	text_string(t, session->server->program, strlen(session->server->program));
	text_puts(t, "}");
	message_end(t, false);
	server_send_output(session, -1);
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

static void on_server_closed(struct conn *conn, void *owner, const char *why)
{
	struct session *session = owner;
	struct serving *v;

	log_debug("%s closed: %s", session->name, why);
	(void)conn;
	session->conn = NULL;
	LIST_FOREACH (v, &session->servings, in_session)
		serving_cancel(v);
	if (session->on_end)
		session->on_end(session->on_end_arg);
	server_session_release(session);
}

static bool server_is_pending(struct conn *conn, void *owner)
{
	(void)conn;
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

static void on_server_accepted(void *arg, int fd, enum role role, uid_t uid)
{
	server_adopt(arg, fd, role, uid, NULL, NULL);
}

int server_listen(struct server *s, int fd, enum role role, uid_t uid)
{
	return listener_new(&s->listeners, fd, role, uid, on_server_accepted, s);
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
	listeners_free(&s->listeners);
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
	listeners_free(&s->listeners);
	for (session = LIST_FIRST(&s->sessions); session; session = next) {
		next = LIST_NEXT(session, link);
		if (session->conn)
			conn_close(session->conn, "The server ends.");
	}
	wait_for_calls(s);
	free(s);
	return NULL;
}
