#include "streamd/browser/cdp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"

#define ENVELOPE     7 /* d8 18 5a and four bytes of length */
#define MOST_MESSAGE (128u << 20) /* a captured database may be large, a gigabyte is a fault */
#define MOST_QUEUE   (128u << 20) /* what a browser that does not read is kept for it: a session to restore, and input */
#define MOST_ITEMS   (4 * CBOR_ITEMS_DEFAULT) /* as many as a state may have */
#define MOST_BROKEN  64           /* messages that cannot be read, of one browser */
#define FIRST_BUFFER 65536
#define KEPT_BUFFER  (1u << 20)
#define READS_A_TURN 8

struct pending {
	int64_t id;
	char session[CDP_ID]; /* copies, for what they were taken from may go while it is waited */
	char frame[CDP_ID];   /* whose document was asked, or "" */
	struct wait wait;
	struct arena *arena; /* of the answer */
	const struct cbor *message;
	void (*heard)(void *owner); /* nobody waits: it is called, and this freed, in place of waking */
	void *owner;
	LIST_ENTRY(pending) link;
};

struct cdp {
	int fd;
	const struct cdp_events *events;
	void *owner;
	struct event *readable, *writable;
	struct cbor_out *out; /* one message being made */
	struct bytes in, queue; /* queue: what the socket did not take yet, but for what of it has been sent */
	size_t sent;
	int64_t last_id;
	int broken; /* messages that could not be read */
	LIST_HEAD(, pending) pending;
	bool closed;
};

bool cdp_id(const struct cbor *map, const char *key, char ret[CDP_ID])
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);

	return exact_set(ret, CDP_ID, "%s", cbor_get_utf8(arena, map, key) ?: "") && *ret;
}

static void cdp_settle(struct pending *p, int result)
{
	struct pending heard = *p;

	if (!p->heard) {
		wait_wake(&p->wait, result);
		return;
	}
	LIST_REMOVE(p, link);
	free(p);
	heard.heard(heard.owner);
}

/* Whoever hears of it may send more, which is put in front. */
static void wake_all(struct cdp *c, const char *session, int result)
{
	struct pending *p, *next;

	for (p = LIST_FIRST(&c->pending); p; p = next) {
		next = LIST_NEXT(p, link);
		if (!session || strcmp(p->session, session) == 0)
			cdp_settle(p, result);
	}
}

void cdp_unhear(struct cdp *c, void *owner)
{
	struct pending *p, *next;

	for (p = LIST_FIRST(&c->pending); p; p = next) {
		next = LIST_NEXT(p, link);
		if (!p->heard || (owner && p->owner != owner))
			continue;
		LIST_REMOVE(p, link);
		free(p);
	}
}

static void close_socket(struct cdp *c)
{
	if (c->closed)
		return;
	c->closed = true;
	event_free(c->readable);
	event_free(c->writable);
	close(c->fd);
	wake_all(c, NULL, -ECONNRESET);
}

static void cdp_release(void *arg)
{
	struct cdp *c = arg;

	bytes_free(&c->in);
	bytes_free(&c->queue);
	cbor_out_free(c->out);
	free(c);
}

struct cdp *cdp_free(struct cdp *c)
{
	if (!c)
		return NULL;
	cdp_unhear(c, NULL);
	close_socket(c);
	loop_defer(cdp_release, c);
	return NULL;
}

void cdp_give_up(struct cdp *c, const char *why)
{
	if (c->closed)
		return;
	close_socket(c);
	c->events->closed(c, c->owner, why);
}

void cdp_abandon(struct cdp *c, const char *session)
{
	wake_all(c, session, -EPIPE);
}

void cdp_reply_free(struct cdp_reply *r)
{
	r->arena = arena_free(r->arena);
	r->result = NULL;
}

static void put_args(struct cbor_out *o, const struct cdp_arg *args);

static void put_as_sent(struct cbor_out *o, const struct cbor *value)
{
	size_t n = 0;
	const uint8_t *bytes = cbor_raw(value, &n);

	cbor_put_raw(o, bytes, n);
}

static void cdp_put_value(struct cbor_out *o, const struct cdp_arg *a)
{
	switch (a->kind) {
	case CDP_KIND_TEXT: cbor_put_text(o, a->text); break;
	case CDP_KIND_INT: cbor_cdp_int(o, a->number); break;
	case CDP_KIND_REAL: cbor_put_double(o, a->real); break;
	case CDP_KIND_BOOL: cbor_put_bool(o, a->yes); break;
	case CDP_KIND_VALUE: put_as_sent(o, a->value); break;
	case CDP_KIND_BINARY: cbor_put_binary(o, a->bytes, a->length); break;
	case CDP_KIND_MAP: put_args(o, a->inner); break;
	case CDP_KIND_LIST:
		cbor_cdp_array_begin(o);
		for (const struct cdp_arg *i = a->inner; i->kind != CDP_END; i++)
			cdp_put_value(o, i);
		cbor_cdp_array_end(o);
		break;
	case CDP_END: break;
	}
}

/* So that callers need no cases for what is optional. */
static bool is_left_out(const struct cdp_arg *a)
{
	return (a->kind == CDP_KIND_TEXT && !a->text) || (a->kind == CDP_KIND_VALUE && !a->value) ||
		((a->kind == CDP_KIND_MAP || a->kind == CDP_KIND_LIST) && !a->inner);
}

static void put_args(struct cbor_out *o, const struct cdp_arg *args)
{
	cbor_cdp_map_begin(o);
	for (const struct cdp_arg *a = args; a->kind != CDP_END; a++) {
		if (is_left_out(a))
			continue;
		cbor_put_text(o, a->name);
		cdp_put_value(o, a);
	}
	cbor_cdp_map_end(o);
}

/* Writes what the socket takes of what is queued. */
static void cdp_flush(struct cdp *c)
{
	while (c->sent < c->queue.n) {
		ssize_t n = send(c->fd, c->queue.p + c->sent, c->queue.n - c->sent, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			event_add(c->writable, NULL);
			return;
		}
		if (n < 0) {
			cdp_give_up(c, NULL);
			return;
		}
		c->sent += (size_t)n;
	}
	event_del(c->writable);
	bytes_reset(&c->queue, KEPT_BUFFER);
	c->sent = 0;
}

static void on_cdp_writable(evutil_socket_t, short, void *arg)
{
	cdp_flush(arg);
}

/* False, and the browser is given up, when it has left too much unread. */
static bool cdp_enqueue(struct cdp *c, const uint8_t *bytes, size_t n)
{
	if (c->queue.n - c->sent + n > MOST_QUEUE) {
		cdp_give_up(c, "The browser stopped reading what it was told.");
		return false;
	}
	if (c->queue.n + n > c->queue.size) { /* what has been sent makes room */
		bytes_drop(&c->queue, c->sent);
		c->sent = 0;
	}
	bytes_put(&c->queue, bytes, n);
	return true;
}

/* Queues one message; its id, or a negative errno. */
static int64_t post(struct cdp *c, const char *session, const char *method, const struct cdp_arg *args)
{
	const uint8_t *bytes;
	size_t n;
	int r;

	if (c->closed)
		return -ECONNRESET;
	cbor_out_reset(c->out);
	cbor_cdp_map_begin(c->out);
	cbor_put_text(c->out, "id");
	cbor_cdp_int(c->out, ++c->last_id);
	cbor_put_text(c->out, "method");
	cbor_put_text(c->out, method);
	if (*session) {
		cbor_put_text(c->out, "sessionId");
		cbor_put_text(c->out, session);
	}
	cbor_put_text(c->out, "params");
	put_args(c->out, args);
	cbor_cdp_map_end(c->out);
	r = cbor_out_finish(c->out, &bytes, &n);
	if (r < 0)
		return r;
	if (cdp_enqueue(c, bytes, n))
		cdp_flush(c);
	cbor_out_reset(c->out);
	return c->closed ? -ECONNRESET : c->last_id;
}

void cdp_send_args(struct cdp *c, const char *session, const char *method, const struct cdp_arg *args)
{
	int64_t r = post(c, session, method, args);

	if (r < 0 && r != -ECONNRESET)
		log_debug("could not send %s: %s", method, strerror((int)-r));
}

void cdp_send_heard(struct cdp *c, const char *session, const char *method, const struct cdp_arg *args,
	void (*heard)(void *owner), void *owner)
{
	struct pending *p = must(calloc(1, sizeof(*p)));

	p->heard = heard;
	p->owner = owner;
	p->id = exact_set(p->session, sizeof(p->session), "%s", session) ? post(c, session, method, args) : -EINVAL;
	if (p->id >= 0) {
		LIST_INSERT_HEAD(&c->pending, p, link);
		return;
	}
	free(p);
	heard(owner);
}

static int cdp_take_answer(struct pending *p, const char *method, struct cdp_reply *ret)
{
	const struct cbor *error = cbor_get(p->message, "error");
	char *text;

	if (error) {
		text = cbor_get_utf8(p->arena, error, "message");
		log_debug("%s refused: %s", method, text ? text : "?");
		if (ret)
			words_set(ret->error, sizeof(ret->error), "%s", text ? text : "?");
		arena_free(p->arena);
		return -EREMOTE;
	}
	if (!ret) {
		arena_free(p->arena);
		return 0;
	}
	ret->arena = p->arena;
	ret->result = cbor_get(p->message, "result");
	if (ret->result)
		return 0;
	cdp_reply_free(ret);
	return -EBADMSG;
}

void cdp_abandon_frame(struct cdp *c, const char *session, const char *frame)
{
	struct pending *p;

	LIST_FOREACH (p, &c->pending, link)
		if (p->frame[0] && strcmp(p->frame, frame) == 0 && (!session || strcmp(p->session, session) == 0))
			wait_wake(&p->wait, -EREMOTE);
}

int cdp_call_args(struct cdp *c, const char *session, const char *method, int64_t deadline, struct cdp_reply *ret,
	const struct cdp_arg *args)
{
	return cdp_call_in_frame(c, session, NULL, method, deadline, ret, args);
}

int cdp_call_in_frame(struct cdp *c, const char *session, const char *frame, const char *method, int64_t deadline,
	struct cdp_reply *ret, const struct cdp_arg *args)
{
	struct pending p = { 0 };
	int r;

	if (ret)
		*ret = (struct cdp_reply){ 0 };
	if (!exact_set(p.session, sizeof(p.session), "%s", session) || !exact_set(p.frame, sizeof(p.frame), "%s", frame ? frame : ""))
		return -EINVAL;
	p.id = post(c, session, method, args);
	if (p.id < 0)
		return (int)p.id;
	LIST_INSERT_HEAD(&c->pending, &p, link);
	r = wait_for(&p.wait, deadline);
	LIST_REMOVE(&p, link);
	if (p.message)
		return cdp_take_answer(&p, method, ret);
	if (r == -ETIMEDOUT)
		log_debug("%s was not answered in time", method);
	return r < 0 ? r : -ECONNRESET;
}

/*
 * Every session counts with the same numbers, and a renderer answers with whichever it likes: but Chromium's browser process
 * writes beside it whose session that was. That there is no such session it says in its own.
 */
static bool is_answered_by(const struct pending *p, const struct cbor *message)
{
	const struct cbor *session = cbor_get(message, "sessionId");

	if (!session)
		return !p->session[0] || cbor_get(message, "error");
	return cbor_text_is(session, p->session);
}

static struct pending *pending_for(struct cdp *c, int64_t id, const struct cbor *message)
{
	struct pending *p;

	LIST_FOREACH (p, &c->pending, link)
		if (p->id == id)
			return is_answered_by(p, message) ? p : NULL;
	return NULL;
}

/* An answer outlives the input buffer, so its bytes move into the arena first; an answer to nobody is not copied. */
static void take_reply(struct pending *p, const uint8_t *bytes, size_t n)
{
	const struct cbor *message;

	if (!p || p->message)
		return;
	if (p->heard) {
		cdp_settle(p, 0);
		return;
	}
	p->arena = arena_new_secret(n + 4096);
	uint8_t *copy = arena_memdup(p->arena, bytes, n);
	if (cbor_parse(p->arena, copy, n, MOST_ITEMS, &message) < 0) {
		p->arena = arena_free(p->arena);
		return;
	}
	p->message = message;
	wait_wake(&p->wait, 0);
}

static void take_event(struct cdp *c, struct arena *arena, const struct cbor *message)
{
	char *method = cbor_get_utf8(arena, message, "method");
	char *session = cbor_get_utf8(arena, message, "sessionId");

	if (method)
		c->events->event(c, c->owner, session ? session : "", method, cbor_get(message, "params"));
}

/* A call that it would have answered ends by its deadline. */
static void take_broken(struct cdp *c, size_t n, int error)
{
	if (c->broken == 0) /* said once: whoever sends them can send more */
		log_warning("a message of %zu bytes from the browser could not be read: %s", n, cbor_error(error));
	if (++c->broken >= MOST_BROKEN)
		cdp_give_up(c, "The browser sent too much that is not the protocol it is spoken to with.");
}

static void take_message(struct cdp *c, const uint8_t *bytes, size_t n)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_secret(8192);
	const struct cbor *message;
	struct pending *p;
	int64_t id;
	int r = cbor_parse(arena, bytes, n, MOST_ITEMS, &message);

	if (r < 0) {
		take_broken(c, n, r);
		return;
	}
	if (!cbor_int(cbor_get(message, "id"), &id)) {
		take_event(c, arena, message);
		return;
	}
	p = pending_for(c, id, message);
	arena = arena_free(arena); /* not two trees of it at once */
	take_reply(p, bytes, n);
}

/* Length of the message at the front with its envelope; 0: not known yet; SIZE_MAX: this is no envelope. */
static size_t message_length(const uint8_t *p, size_t n)
{
	static const uint8_t mark[] = { 0xd8, 0x18, 0x5a };

	if (n < ENVELOPE)
		return 0;
	size_t length = (size_t)p[3] << 24 | (size_t)p[4] << 16 | (size_t)p[5] << 8 | p[6];
	if (memcmp(p, mark, sizeof(mark)) != 0 || length > MOST_MESSAGE)
		return SIZE_MAX;
	return ENVELOPE + length;
}

/* Takes every whole message; false when what comes cannot be followed any more. */
static bool take_messages(struct cdp *c)
{
	size_t done = 0, length = 0;

	while (!c->closed) {
		const uint8_t *next = (const uint8_t *)c->in.p + done;
		length = message_length(next, c->in.n - done);
		if (length == 0 || length == SIZE_MAX || length > c->in.n - done)
			break;
		take_message(c, next, length);
		done += length;
	}
	if (c->closed)
		return true;
	bytes_drop(&c->in, done);
	if (length == SIZE_MAX)
		return false;
	if (c->in.n == 0)
		bytes_reset(&c->in, KEPT_BUFFER);
	else if (length > c->in.n)
		bytes_reserve(&c->in, length - c->in.n);
	return true;
}

static void on_cdp_readable(evutil_socket_t fd, short, void *arg)
{
	struct cdp *c = arg;

	for (int i = 0; i < READS_A_TURN && !c->closed; i++) {
		if (c->in.n == c->in.size)
			bytes_reserve(&c->in, FIRST_BUFFER);
		size_t room = c->in.size - c->in.n;
		ssize_t n = read(fd, c->in.p + c->in.n, room);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			cdp_give_up(c, NULL);
			return;
		}
		c->in.n += (size_t)n;
		if (!take_messages(c)) {
			log_warning("the browser sent something that is not CDP in CBOR");
			cdp_give_up(c, "The browser sent what is not the protocol it is spoken to with.");
		}
		if ((size_t)n < room)
			return;
	}
}

struct cdp *cdp_new(int fd, const struct cdp_events *events, void *owner)
{
	struct cdp *c = must(calloc(1, sizeof(*c)));

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	c->fd = fd;
	c->events = events;
	c->owner = owner;
	c->out = cbor_out_new();
	LIST_INIT(&c->pending);
	c->readable = loop_event(fd, EV_READ | EV_PERSIST, on_cdp_readable, c);
	c->writable = loop_event(fd, EV_WRITE | EV_PERSIST, on_cdp_writable, c);
	event_add(c->readable, NULL);
	return c;
}
