#include "proto/peer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/daemon.h"
#include "common/fiber.h"
#include "common/latch.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"
#include "proto/conn.h"
#include "proto/field.h"
#include "proto/frame_text.h"
#include "proto/json.h"
#include "proto/message.h"
#include "proto/peer_inside.h"
#include "proto/text.h"

struct peer *peer_new(const char *program, const char *name, const char *path)
{
	struct peer *p = must(calloc(1, sizeof(*p)));

	p->program = must(strdup(program));
	p->name = must(strdup(name));
	p->path = must(strdup(path));
	LIST_INIT(&p->pending);
	return p;
}

const char *peer_name(const struct peer *p)
{
	return p->name;
}

void arrival_free(struct arrival *a)
{
	if (!a)
		return;
	frame_text_free(&a->frame);
	if (a->fd >= 0)
		close(a->fd);
	free(a);
}

static void lose_all(struct peer *p)
{
	struct pending *w;

	while ((w = LIST_FIRST(&p->pending))) {
		LIST_REMOVE(w, link);
		w->ended = w->lost = true;
		w->unheard = !p->greeted;
		latch_wake(&w->news, 0);
	}
}

static void peer_release(struct peer *p)
{
	if (!p->freed || p->users)
		return;
	free(p->program);
	free(p->name);
	free(p->path);
	free(p->turned_away);
	free(p);
}

void peer_let_go(struct peer *p)
{
	p->users--;
	peer_release(p);
}

struct peer *peer_free(struct peer *p)
{
	if (!p)
		return NULL;
	p->freed = true;
	if (p->conn)
		conn_close(p->conn, "The caller ends.");
	lose_all(p);
	peer_release(p);
	return NULL;
}

static struct pending *pending_by_id(struct peer *p, int64_t id)
{
	struct pending *w;

	LIST_FOREACH (w, &p->pending, link)
		if (w->id == id)
			return w;
	return NULL;
}

/* Puts what came where its caller looks. */
static void arrive(struct pending *w, const struct message *m, struct raw_json item, struct frame_text *frame, int *fd)
{
	struct arrival *a = must(calloc(1, sizeof(*a)));

	a->frame = *frame;
	frame->buffer = NULL;
	a->message = *m;
	a->item = item;
	a->fd = TAKE_FD(*fd);
	STAILQ_INSERT_TAIL(&w->arrivals, a, link);
	w->queued++;
	if (m->response) {
		LIST_REMOVE(w, link);
		w->ended = true;
	}
	latch_wake(&w->news, 0);
}

/* To hello, or to what could not be read at all. */
static void take_welcome(struct peer *p, const struct message *m)
{
	if (!m->refused) {
		p->greeted = true;
		return;
	}
	log_error("%s refused the connection: %s", p->name, refusal_cause(&m->refusal));
	free(p->turned_away);
	p->turned_away = must(strdup(m->refusal.message));
}

/* An answer to nobody (it gave up) is dropped. */
static void peer_take_answer(struct peer *p, const struct message *m, struct frame_text *frame, int *fd)
{
	struct pending *w = pending_by_id(p, m->id);

	if (w)
		arrive(w, m, (struct raw_json){ 0 }, frame, fd);
	else if (m->id == p->hello || (m->refused && !m->id))
		take_welcome(p, m);
}

static void take_item(struct peer *p, const struct message *m, struct frame_text *frame, int *fd)
{
	struct engine_params e;
	struct pending *w;
	const char *why;

	if (message_scan_engine(m->params_text, &e, &why) < 0) {
		conn_close(p->conn, why);
		return;
	}
	w = pending_by_id(p, e.id);
	if (!w || !w->streams)
		return;
	if (w->queued >= CREDIT) /* memory is not the sender's to fill */
		conn_close(p->conn, "The peer sent more items than it was given credit for.");
	else
		arrive(w, m, e.item, frame, fd);
}

static void on_peer_frame(struct conn *conn, void *owner, const char *body, size_t length, int *fd)
{
	struct peer *p = owner;
	CLEANUP(frame_text_free) struct frame_text frame = frame_text_take(conn, body, length);
	CLEANUP(closep) int own_fd = -1;
	struct message m;
	const char *why = NULL;

	if (message_scan(frame.p, frame.n, &m, &why) < 0) {
		conn_close(conn, why);
		return;
	}
	if (m.fd)
		own_fd = TAKE_FD(*fd);
	if (m.response)
		peer_take_answer(p, &m, &frame, &own_fd);
	else if (strcmp(m.method, "item") == 0)
		take_item(p, &m, &frame, &own_fd);
}

static void on_peer_closed(struct conn *, void *owner, const char *why)
{
	struct peer *p = owner;

	log_debug("connection to %s closed: %s", p->name, why);
	p->conn = NULL;
	lose_all(p);
}

static bool peer_is_pending(struct conn *, void *owner)
{
	return !LIST_EMPTY(&((struct peer *)owner)->pending);
}

static const struct conn_events peer_events = { .frame = on_peer_frame, .closed = on_peer_closed, .pending = peer_is_pending };

int peer_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP(closep) int fd = -1;

	if (!exact_set(address.sun_path, sizeof(address.sun_path), "%s", path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? TAKE_FD(fd) : -errno;
}

static void peer_greet(struct peer *p, int fd)
{
	struct bytes *t = conn_begin_output();

	p->conn = conn_new(fd, &conn_default_limits, &peer_events, p);
	p->greeted = false;
	free(p->turned_away);
	p->turned_away = NULL;
	p->hello = ++p->last_id;
	message_begin_request(t, p->hello, "hello", NULL, 0, 0);
	message_end_hello(t, p->program);
	conn_send_output(p->conn, -1);
}

struct peer *peer_to(const char *program, const char *daemon, const char *socket)
{
	CLEANUP(freep) char *path = daemon_socket_path(daemon, socket);

	return peer_new(program, daemon, path);
}

struct peer *peer_adopt(const char *program, const char *name, int fd)
{
	struct peer *p = peer_new(program, name, "");

	peer_greet(p, fd);
	return p;
}

static int ensure_connected(struct peer *p)
{
	int fd;

	if (p->conn)
		return 0;
	if (p->freed)
		return -ECONNRESET;
	fd = *p->path ? peer_socket(p->path) : -ENOTCONN;
	p->denied = fd == -EACCES;
	if (fd < 0)
		return fd;
	peer_greet(p, fd);
	return p->conn ? 0 : -ECONNRESET;
}

/* What a person knows a daemon by, who has never heard of daemons. */
static const char *part_away(const struct peer *p)
{
	static const struct { const char *name, *sentence; } parts[] = {
		{ "sessiond", "Stead's vault is away; what it keeps is safe." },
		{ "botd", "The part of Stead that books is away; your bookings are safe." },
		{ "streamd", "The part of Stead that shows browsers is away." },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (strcmp(parts[i].name, p->name) == 0)
			return parts[i].sentence;
	return "A part of Stead is away.";
}

static int refuse_unreachable(struct peer *p, struct call *call)
{
	if (p->denied)
		return call_refuse(call, ERR_forbidden, NULL, "You may not call %s: its socket %s is for others. Use sudo, or set control_user.",
			p->name, p->path);
	call_refuse(call, ERR_unavailable, NULL, "%s Try again in a moment.", part_away(p));
	return call_detail(call, "%s is not running or does not answer; why is said by: systemctl status stead-%s", p->name, p->name);
}

static int refuse_unheard(struct peer *p, struct call *call)
{
	call_refuse(call, ERR_unavailable, NULL, "%s Nothing was done; try again in a moment.", part_away(p));
	if (p->turned_away)
		return call_detail(call, "%s refused the connection: %s", p->name, p->turned_away);
	return call_detail(call, "%s ended the connection before it heard this. It may be starting anew%s%s.", p->name,
		*p->path ? "; if it stays so, the user who runs this may not call it at " : "", p->path);
}

/* The connection ended under a call. Calls are taken up in order, hello first. */
int peer_refuse_lost(struct peer *p, struct call *call, const struct method *method, const struct pending *w)
{
	if (w->unheard)
		return refuse_unheard(p, call);
	if (method_reads(method))
		call_refuse(call, ERR_unavailable, NULL, "A part of Stead stopped while it worked on this; try again in a moment.");
	else
		call_refuse(call, ERR_maybe_done, NULL,
			"A part of Stead stopped while it worked on this, so it may have been done; look before you repeat it.");
	return call_detail(call, "%s stopped while it worked on this; why is said by: systemctl status stead-%s", p->name, p->name);
}

static int refuse_late(struct peer *p, struct call *call, const struct method *method)
{
	call_refuse(call, ERR_timed_out, NULL, "A part of Stead took too long and was given up%s.",
		method_reads(method) ? "; try again in a moment" : "; it may have been done, so look before you repeat it");
	return call_detail(call, "%s took too long and was given up; how it is, is said by: systemctl status stead-%s", p->name, p->name);
}

/* Writes the request. REFUSED when the params break their row, as the other side would refuse them. */
static int write_request(struct call *call, const struct method *method, const struct pending *w, const void *params,
	int *ret_fd)
{
	int64_t ms = call->deadline == NEVER ? 0 : call->deadline - loop_now();
	struct bytes *t = conn_begin_output();

	if (ms <= 0 && call->deadline != NEVER)
		ms = 1;
	*ret_fd = -1;
	message_begin_request(t, w->id, method->name, &call->acting, ms, w->streams ? CREDIT : 0);
	if (fields_write(t, method->params(), params, ret_fd, &call->refusal) < 0) {
		log_debug("a call of %s breaks its row: %s", method->name, call->refusal.message);
		call->refusal.code = ERR_invalid;
		bytes_reset(t, TEXT_KEPT);
		return REFUSED;
	}
	message_end(t, *ret_fd >= 0);
	return 0;
}

/* Sends the request and lists it as pending. */
int peer_begin(struct peer *p, struct call *call, const struct method *method, const void *params, struct pending *w)
{
	int fd, r = ensure_connected(p);

	STAILQ_INIT(&w->arrivals);
	w->id = ++p->last_id;
	w->streams = method->streams;
	if (r < 0) {
		log_debug("cannot reach %s at %s: %s", p->name, p->path, strerror(-r));
		return refuse_unreachable(p, call);
	}
	r = write_request(call, method, w, params, &fd);
	if (r < 0)
		return r;
	LIST_INSERT_HEAD(&p->pending, w, link);
	p->users++;
	if (conn_send_output(p->conn, fd))
		return 0;
	LIST_REMOVE(w, link);
	peer_let_go(p);
	return call_refuse(call, ERR_too_large, NULL, "What %s takes is longer than Stead can send; send less.", method->name);
}

void peer_notify(struct peer *p, const char *method, int64_t id, int64_t n)
{
	struct bytes *t = conn_begin_output();

	message_begin_notification(t, method);
	bytes_puts(t, "{\"id\":");
	text_whole(t, id);
	if (n) {
		bytes_puts(t, ",\"n\":");
		text_whole(t, n);
	}
	bytes_puts(t, "}");
	message_end(t, false);
	conn_send_output(p->conn, -1);
}

void peer_end(struct peer *p, struct pending *w)
{
	struct arrival *a;

	if (!w->ended) {
		LIST_REMOVE(w, link);
		w->ended = true;
		peer_notify(p, "cancel", w->id, 0);
	}
	while ((a = STAILQ_FIRST(&w->arrivals))) {
		STAILQ_REMOVE_HEAD(&w->arrivals, link);
		arrival_free(a);
	}
}

/* Waits for the next thing to come: 0 with it taken out, -ECONNRESET when the peer is lost, or as wait_for(). */
int peer_await(struct pending *w, int64_t deadline, struct arrival **ret)
{
	int r = 0;

	if (STAILQ_EMPTY(&w->arrivals) && !w->ended)
		r = latch_wait(&w->news, deadline);
	*ret = STAILQ_FIRST(&w->arrivals);
	if (*ret) {
		STAILQ_REMOVE_HEAD(&w->arrivals, link);
		w->queued--;
		return 0;
	}
	return r < 0 ? r : -ECONNRESET;
}

int peer_take_refusal(struct call *call, const struct message *m)
{
	call->refusal = m->refusal;
	return REFUSED;
}

/* Calls and hands out the answer, which is to be freed. */
static int peer_exchange(struct peer *p, struct call *call, const struct method *method, const void *params,
	struct arrival **ret)
{
	struct pending w = { 0 };
	int r = peer_begin(p, call, method, params, &w);

	if (r < 0)
		return r;
	r = peer_await(&w, call->deadline, ret);
	peer_end(p, &w);
	if (r == -ECONNRESET)
		r = peer_refuse_lost(p, call, method, &w);
	else if (r == -ETIMEDOUT)
		r = refuse_late(p, call, method);
	peer_let_go(p);
	if (r < 0)
		return r;
	if (!(*ret)->message.refused)
		return 0;
	peer_take_refusal(call, &(*ret)->message);
	arrival_free(*ret);
	return REFUSED;
}

/* A descriptor in an answer lives as long as the call. */
static void keep_descriptors(struct call *call, const struct field *rows, void *ret)
{
	for (const struct field *f = rows; f->kind != FIELD_END; f++) {
		int *fd = (int *)(void *)((char *)ret + f->offset);
		if ((f->kind == FIELD_MEMFD || f->kind == FIELD_HANDLE) && *fd >= 0)
			call_keep_fd(call, *fd);
	}
}

/* Reads an answer into the struct; whatever that points to goes to the call. */
static int peer_read_answer(struct call *call, const struct method *method, struct arrival *a, void *ret)
{
	struct raw_json text = a->message.result_text;
	json_t *kept = NULL;
	int r = fields_read(call->arena, method->result(), text.p, text.n, &a->fd, ret, &kept, &call->refusal);

	if (kept)
		call_keep(call, kept);
	if (r < 0) {
		log_error("an answer to %s breaks its row: %s", method->name, call->refusal.message);
		return -EBADMSG;
	}
	call_keep_text(call, TAKE(a->frame.buffer), a->frame.size);
	keep_descriptors(call, method->result(), ret);
	return 0;
}

int peer_call(struct peer *p, struct call *call, const struct method *method, const void *params, void *ret)
{
	struct arrival *a;
	int r;

	fields_init(method->result(), ret, method->result_size);
	r = peer_exchange(p, call, method, params, &a);
	if (r < 0)
		return r;
	r = peer_read_answer(call, method, a, ret);
	arrival_free(a);
	return r;
}

int peer_call_text(struct peer *p, struct call *call, const struct method *method, const void *params, struct raw_json *ret)
{
	struct arrival *a;
	int r = peer_exchange(p, call, method, params, &a);

	if (r < 0)
		return r;
	*ret = a->message.result_text;
	call_keep_text(call, TAKE(a->frame.buffer), a->frame.size);
	arrival_free(a);
	return 0;
}
