#include "proto/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/beside.h"
#include "common/bytes.h"
#include "common/loop.h"
#include "common/must.h"
#include "proto/frame.h"
#include "proto/frame_text.h"

#define FIRST_BUFFER 4096
#define KEPT_BUFFER  (128 * 1024) /* a larger buffer is given back once its frame is done */
#define TAKEABLE     4096  /* a smaller body is rather copied than its buffer replaced */
#define MOST_FDS     4     /* descriptors that may wait for their frames */
#define READS_A_TURN 16    /* so that one busy peer does not starve the others */

const struct conn_limits conn_default_limits = { .frame = 1 << 20,
	.output = 1 << 20,
	.hard = 32 << 20,
	.whole_ms = 10000,
	.idle_ms = 600000 };

struct output {
	STAILQ_ENTRY(output) link;
	size_t length, sent;
	int fd;
	uint8_t bytes[];
};

struct conn {
	int fd;
	uint64_t id;
	uid_t uid;
	struct conn_limits limits;
	const struct conn_events *events;
	void *owner;
	struct event *readable, *writable, *timer;
	struct event *hangup; /* while paused: a peer that is gone must be noticed all the same */
	struct bytes in; /* with room for one byte more than what may be read, so that a body that is taken can end in a NUL */
	int fds[MOST_FDS]; /* arrived, in order, not yet claimed by a frame */
	unsigned fd_count;
	STAILQ_HEAD(, output) out;
	size_t out_bytes;
	int64_t frame_began, last_frame;
	const char *close_when_sent;
	bool closed, paused;
	bool takeable; /* the body that is being delivered may be taken with its buffer */
};

static uint64_t last_id;

static uid_t peer_uid(int fd)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) != 0)
		return (uid_t)-1;
	return cred.uid;
}

static void arm_timer(struct conn *c)
{
	/* One coarse timer a connection; it looks at both clocks, so nothing is re-armed per frame. */
	int64_t ms = c->frame_began || c->close_when_sent ? c->limits.whole_ms : c->limits.idle_ms;

	if (ms == NEVER)
		event_del(c->timer);
	else
		loop_arm(c->timer, ms);
}

void conn_set_idle(struct conn *c, int64_t idle_ms)
{
	if (c->closed)
		return;
	c->limits.idle_ms = idle_ms;
	arm_timer(c);
}

uid_t conn_peer_uid(const struct conn *c)
{
	return c->uid;
}

uint64_t conn_id(const struct conn *c)
{
	return c->id;
}

static void output_free(struct output *o)
{
	explicit_bzero(o->bytes, o->length);
	if (o->fd >= 0)
		close(o->fd);
	free(o);
}

static void conn_free(void *arg)
{
	struct conn *c = arg;

	bytes_free(&c->in);
	free(c);
}

static void drop_output(struct conn *c)
{
	struct output *o;

	while ((o = STAILQ_FIRST(&c->out))) {
		STAILQ_REMOVE_HEAD(&c->out, link);
		output_free(o);
	}
}

void conn_close(struct conn *c, const char *why)
{
	if (!c || c->closed)
		return;
	c->closed = true;
	event_free(c->readable);
	event_free(c->writable);
	event_free(c->hangup);
	event_free(c->timer);
	drop_output(c);
	for (unsigned i = 0; i < c->fd_count; i++)
		close(c->fds[i]);
	close(c->fd);
	c->events->closed(c, c->owner, why);
	loop_defer(conn_free, c);
}

/* Whether it reads is decided in one place: never while the owner has enough, nor while the peer does not read. */
static void update_reading(struct conn *c)
{
	if (c->paused || c->close_when_sent || c->out_bytes > c->limits.output)
		event_del(c->readable);
	else
		event_add(c->readable, NULL);
	if (c->paused)
		event_add(c->hangup, NULL);
	else
		event_del(c->hangup);
}

/* What the socket takes of some bytes, with the descriptor that belongs to the first of them, or -1. */
static ssize_t send_bytes(struct conn *c, const struct iovec *iov, size_t count, int fd)
{
	ssize_t n = beside_send(c->fd, iov, count, fd);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return n;
}

static ssize_t send_some(struct conn *c, struct output *o)
{
	struct iovec iov = { .iov_base = o->bytes + o->sent, .iov_len = o->length - o->sent };
	ssize_t n = send_bytes(c, &iov, 1, o->fd);

	if (n > 0 && o->fd >= 0) { /* the kernel holds it now */
		close(o->fd);
		o->fd = -1;
	}
	return n;
}

/* Writes what the socket takes; -errno when the peer is gone. */
static int conn_flush(struct conn *c)
{
	struct output *o;

	while ((o = STAILQ_FIRST(&c->out))) {
		ssize_t n = send_some(c, o);
		if (n < 0)
			return (int)n;
		o->sent += (size_t)n;
		c->out_bytes -= (size_t)n;
		if (o->sent < o->length)
			return 0;
		STAILQ_REMOVE_HEAD(&c->out, link);
		output_free(o);
	}
	return 0;
}

static void flush_and_arm(struct conn *c)
{
	if (conn_flush(c) < 0) {
		conn_close(c, "The peer does not read any more.");
		return;
	}
	if (!STAILQ_EMPTY(&c->out))
		event_add(c->writable, NULL);
	else
		event_del(c->writable);
	if (STAILQ_EMPTY(&c->out) && c->close_when_sent)
		conn_close(c, c->close_when_sent);
	else
		update_reading(c);
}

static void on_conn_writable(evutil_socket_t, short, void *arg)
{
	flush_and_arm(arg);
}

/* Copies what the socket did not take at once; false when there is no descriptor left to duplicate fd. */
static bool queue_rest(struct conn *c, const struct iovec part[2], size_t sent, int fd)
{
	size_t length = part[0].iov_len + part[1].iov_len;
	struct output *o = must(malloc(sizeof(*o) + length));

	*o = (struct output){ .length = length, .sent = sent, .fd = -1 };
	memcpy(o->bytes, part[0].iov_base, part[0].iov_len);
	memcpy(o->bytes + part[0].iov_len, part[1].iov_base, part[1].iov_len);
	STAILQ_INSERT_TAIL(&c->out, o, link);
	c->out_bytes += length - sent;
	if (fd < 0 || sent > 0)
		return true;
	o->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return o->fd >= 0;
}

void conn_send(struct conn *c, const char *body, size_t length, int fd)
{
	uint8_t header[FRAME_HEADER];
	struct iovec part[2] = { { header, sizeof(header) }, { (char *)body, length } };
	ssize_t sent = 0;

	if (c->closed || c->close_when_sent)
		return;
	if (length > c->limits.hard || c->out_bytes > c->limits.hard - length) {
		conn_close(c, "The peer does not read what it asked for.");
		return;
	}
	frame_header(header, (uint32_t)length);
	c->last_frame = loop_now();
	if (STAILQ_EMPTY(&c->out)) /* the usual case: all of it goes at once, and is never copied here */
		sent = send_bytes(c, part, 2, fd);
	if (sent < 0)
		conn_close(c, "The peer does not read any more.");
	else if ((size_t)sent == FRAME_HEADER + length)
		return;
	else if (!queue_rest(c, part, (size_t)sent, fd))
		conn_close(c, "There was no descriptor left to send one beside a frame.");
	else
		flush_and_arm(c);
}

static struct bytes output;

struct bytes *conn_begin_output(void)
{
	bytes_reset(&output, KEPT_BUFFER);
	return &output;
}

bool conn_send_output(struct conn *c, int fd)
{
	bool fits = output.n <= conn_default_limits.frame;

	if (c && fits)
		conn_send(c, output.p, output.n, fd);
	bytes_reset(&output, KEPT_BUFFER);
	return fits;
}

void conn_close_when_sent(struct conn *c, const char *why)
{
	if (!c || c->closed || c->close_when_sent)
		return;
	c->close_when_sent = why;
	arm_timer(c); /* it does not wait for ever for a peer that does not read */
	flush_and_arm(c);
}

/* Claims the descriptors that recvmsg() brought; too many waiting ones are refused. */
static int take_fds(struct conn *c, struct msghdr *message)
{
	int r = 0;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(message); h; h = CMSG_NXTHDR(message, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(int));
			if (c->fd_count < MOST_FDS) {
				c->fds[c->fd_count++] = fd;
			} else {
				close(fd);
				r = -EMFILE;
			}
		}
	}
	return message->msg_flags & MSG_CTRUNC ? -EMFILE : r;
}

static size_t room_of(const struct conn *c)
{
	return c->in.size - c->in.n - 1;
}

/* Reads once: bytes read, 0 at the end, negative errno. */
static ssize_t receive(struct conn *c)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * MOST_FDS)];
	} control;
	struct iovec iov = { .iov_base = c->in.p + c->in.n, .iov_len = room_of(c) };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space) };
	ssize_t n = recvmsg(c->fd, &message, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return -errno;
	int r = take_fds(c, &message);
	return r < 0 ? r : n;
}

static int shift_fd(struct conn *c)
{
	if (!c->fd_count)
		return -1;
	int fd = c->fds[0];
	memmove(c->fds, c->fds + 1, --c->fd_count * sizeof(*c->fds));
	return fd;
}

static void unshift_fd(struct conn *c, int fd)
{
	memmove(c->fds + 1, c->fds, c->fd_count++ * sizeof(*c->fds));
	c->fds[0] = fd;
}

/*
 * A frame that names a descriptor gets the oldest that has arrived: sendmsg() keeps both in order. It is out of the
 * connection's hands meanwhile, so that closing the connection does not close it as well.
 */
static void conn_deliver(struct conn *c, const struct frame *f)
{
	int fd = shift_fd(c);

	c->last_frame = loop_now();
	c->takeable = f->length >= TAKEABLE && c->in.n == FRAME_HEADER + f->length;
	c->events->frame(c, c->owner, (const char *)f->body, f->length, &fd);
	c->takeable = false;
	if (fd >= 0 && c->closed)
		close(fd);
	else if (fd >= 0)
		unshift_fd(c, fd);
}

struct frame_text frame_text_take(struct conn *c, const char *body, size_t n)
{
	struct frame_text t = { .size = FRAME_HEADER + n, .n = n };
	size_t size = c->in.size;

	if (!c->takeable) {
		t.size = n;
		t.buffer = t.p = must(malloc(n + 1));
		memcpy(t.p, body, n);
	} else {
		t.buffer = c->in.p;
		t.p = t.buffer + FRAME_HEADER;
		c->in = (struct bytes){ 0 };
		bytes_reserve(&c->in, size); /* the next frame is likely of the same kind */
		c->takeable = false;
	}
	t.p[n] = '\0';
	return t;
}

static void consume(struct conn *c, size_t n)
{
	if (c->in.n == 0) /* the body was taken */
		return;
	bytes_drop(&c->in, n);
	if (c->in.n == 0)
		bytes_reset(&c->in, KEPT_BUFFER);
}

/* Hands over every frame that is whole, and makes room for the next. */
static void conn_dispatch(struct conn *c)
{
	struct frame f = { 0 };
	enum frame_state state = FRAME_INCOMPLETE;
	size_t done = 0;

	while (!c->closed && !c->paused && !c->close_when_sent) {
		state = frame_parse((uint8_t *)c->in.p + done, c->in.n - done, c->limits.frame, &f);
		if (state != FRAME_COMPLETE)
			break;
		conn_deliver(c, &f);
		done += FRAME_HEADER + f.length;
		if (!c->in.n)
			break;
	}
	if (c->closed)
		return;
	if (state == FRAME_FATAL) {
		conn_close(c, "The peer sent a frame of length 0 or beyond the limit.");
		return;
	}
	if (done)
		consume(c, done);
	if (state == FRAME_INCOMPLETE && f.length && c->in.n)
		bytes_reserve(&c->in, FRAME_HEADER + f.length + 1 - c->in.n);
	int64_t began = c->in.n == 0 || c->paused ? 0 : done || !c->frame_began ? loop_now() : c->frame_began;
	if ((began != 0) != (c->frame_began != 0)) {
		c->frame_began = began;
		arm_timer(c);
	}
	c->frame_began = began;
}

static void on_conn_readable(evutil_socket_t, short, void *arg)
{
	struct conn *c = arg;

	for (int i = 0; i < READS_A_TURN && !c->closed && !c->paused && !c->close_when_sent; i++) {
		if (c->in.size <= c->in.n + 1)
			bytes_reserve(&c->in, FIRST_BUFFER);
		size_t room = room_of(c);
		ssize_t n = receive(c);
		if (n == -EAGAIN || n == -EINTR)
			return;
		if (n <= 0) {
			conn_close(c, n == 0 ? "The peer closed the connection." :
					n == -EMFILE ? "The peer sent more descriptors than can be taken." :
						       "The connection broke.");
			return;
		}
		c->in.n += (size_t)n;
		conn_dispatch(c);
		if ((size_t)n < room || (!c->closed && c->in.n == 0)) /* most likely there is no more */
			return;
	}
}

static void on_conn_timer(evutil_socket_t, short, void *arg)
{
	struct conn *c = arg;
	int64_t now = loop_now();

	if (c->close_when_sent) {
		conn_close(c, c->close_when_sent);
		return;
	}
	if (c->frame_began && now - c->frame_began >= c->limits.whole_ms) {
		conn_close(c, "The peer began a frame and did not finish it in time.");
		return;
	}
	if (!c->frame_began && now - c->last_frame >= c->limits.idle_ms &&
		!(c->events->pending && c->events->pending(c, c->owner))) {
		conn_close(c, "The connection was idle.");
		return;
	}
	arm_timer(c);
}

static void on_hangup(evutil_socket_t, short, void *arg)
{
	conn_close(arg, "The peer closed the connection.");
}

static void conn_go_on(void *arg)
{
	struct conn *c = arg;

	if (!c->closed && !c->paused && c->in.n)
		conn_dispatch(c);
}

void conn_pause(struct conn *c, bool paused)
{
	if (c->closed || c->paused == paused)
		return;
	c->paused = paused;
	update_reading(c);
	if (!paused && c->in.n)
		loop_defer(conn_go_on, c);
}

struct conn *conn_new(int fd, const struct conn_limits *limits, const struct conn_events *events, void *owner)
{
	struct conn *c = must(calloc(1, sizeof(*c)));

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	c->fd = fd;
	c->id = ++last_id;
	c->uid = peer_uid(fd);
	c->limits = *limits;
	c->events = events;
	c->owner = owner;
	c->last_frame = loop_now();
	STAILQ_INIT(&c->out);
	c->readable = loop_event(fd, EV_READ | EV_PERSIST, on_conn_readable, c);
	c->writable = loop_event(fd, EV_WRITE | EV_PERSIST, on_conn_writable, c);
	c->hangup = loop_event(fd, EV_CLOSED | EV_PERSIST, on_hangup, c);
	c->timer = loop_timer(on_conn_timer, c);
	event_add(c->readable, NULL);
	arm_timer(c);
	return c;
}
