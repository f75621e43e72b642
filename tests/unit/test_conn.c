/* A connection against a peer that this test plays byte by byte over a socketpair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/loop.h"
#include "proto/conn.h"
#include "proto/frame.h"

#define SMALL 4096 /* bytes of the sockets' buffers */

enum reaction { KEEP, TAKE_FD, TAKE_FD_AND_CLOSE, CLOSE_NOW, CLOSE_WHEN_SENT, PAUSE, ECHO };

/* What the connection has told us. */
struct seen {
	struct conn *conn;
	enum reaction reaction;
	char frames[8][64]; /* the beginnings of the first ones */
	int fds[8];
	size_t count, bytes;
	char why[128];
	unsigned closed;
	bool pending;
};

static struct seen seen;
static int far; /* the peer's end */

static void react(struct conn *c, const char *body, size_t length, int *fd)
{
	switch (seen.reaction) {
	case KEEP: break;
	case TAKE_FD:
		seen.fds[seen.count] = *fd;
		*fd = -1;
		break;
	case TAKE_FD_AND_CLOSE:
		seen.fds[seen.count] = *fd;
		*fd = -1;
		conn_close(c, "The test closed it.");
		break;
	case CLOSE_NOW: conn_close(c, "The test closed it."); break;
	case CLOSE_WHEN_SENT: conn_close_when_sent(c, "The test closed it in the end."); break;
	case PAUSE: conn_pause(c, true); break;
	case ECHO: conn_send(c, body, length, -1); break;
	}
}

static void on_frame(struct conn *c, void *owner, const char *body, size_t length, int *fd)
{
	assert_ptr_equal(owner, &seen);
	assert_true(seen.closed == 0);
	if (seen.count < 8) {
		snprintf(seen.frames[seen.count], sizeof(seen.frames[0]), "%.*s", (int)(length < 63 ? length : 63), body);
		react(c, body, length, fd);
	}
	seen.count++;
	seen.bytes += length;
}

static void on_closed(struct conn *c, void *owner, const char *why)
{
	assert_ptr_equal(owner, &seen);
	assert_ptr_equal(c, seen.conn);
	snprintf(seen.why, sizeof(seen.why), "%s", why);
	seen.closed++;
	conn_close(c, "again"); /* the memory is still there, and nothing more is told */
	conn_send(c, "late", 4, -1);
	conn_pause(c, true);
}

static bool is_pending(struct conn *c, void *owner)
{
	(void)c, (void)owner;
	return seen.pending;
}

static const struct conn_events events = { .frame = on_frame, .closed = on_closed, .pending = is_pending };
static const struct conn_limits short_limits = { .frame = 100000, .output = 20000, .hard = 200000, .whole_ms = 80, .idle_ms = 200 };

static void make_pair(const struct conn_limits *limits, enum reaction reaction)
{
	int ends[2], size = SMALL;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	far = ends[1];
	seen = (struct seen){ .reaction = reaction };
	seen.conn = conn_new(ends[0], limits, &events, &seen);
}

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static int fds_before;

static int set_up(void **state)
{
	(void)state;
	far = -1;
	loop_init();
	fds_before = count_fds();
	return 0;
}

/* However a test ended, no descriptor may be left. */
static int tear_down(void **state)
{
	(void)state;
	if (!seen.closed)
		conn_close(seen.conn, "The test is over.");
	assert_int_equal(seen.closed, 1);
	if (far >= 0)
		close(far);
	event_base_loop(loop_base(), EVLOOP_NONBLOCK);
	int left = count_fds() - fds_before;
	loop_deinit();
	assert_int_equal(left, 0);
	return 0;
}

static void settle(void)
{
	for (int i = 0; i < 20; i++)
		event_base_loop(loop_base(), EVLOOP_NONBLOCK);
}

/* Turns until it has been closed; the timers of the connection bound it. */
static void until_closed(void)
{
	while (!seen.closed)
		loop_turn();
}

static void put(const void *bytes, size_t n)
{
	assert_int_equal(send(far, bytes, n, MSG_NOSIGNAL), n);
}

static void put_frame(const char *body)
{
	uint8_t header[FRAME_HEADER];

	frame_header(header, (uint32_t)strlen(body));
	put(header, sizeof(header));
	put(body, strlen(body));
}

static void put_with_fds(const char *bytes, size_t n, const int *fds, size_t count)
{
	struct iovec iov = { (void *)bytes, n };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * 16)];
	} control = { 0 };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(sizeof(int) * count) };

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int) * count);
	memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * count);
	assert_int_equal(sendmsg(far, &m, MSG_NOSIGNAL), n);
}

static size_t drain_far(void)
{
	char buffer[65536];
	size_t total = 0;
	ssize_t n;

	while ((n = recv(far, buffer, sizeof(buffer), 0)) > 0)
		total += (size_t)n;
	return total;
}

static void test_two_in_one_write(void **state)
{
	(void)state;
	make_pair(&short_limits, KEEP);
	put("\0\0\0\1a\0\0\0\2bc\0\0", 13);
	settle();
	assert_int_equal(seen.count, 2);
	assert_string_equal(seen.frames[0], "a");
	assert_string_equal(seen.frames[1], "bc");
}

static void test_byte_by_byte(void **state)
{
	static const char bytes[] = "\0\0\0\5hello\0\0\0\2hi";

	(void)state;
	make_pair(&conn_default_limits, KEEP);
	for (size_t i = 0; i + 1 < sizeof(bytes); i++) {
		put(bytes + i, 1);
		settle();
		assert_int_equal(seen.count, i < 8 ? 0 : i < 14 ? 1 : 2);
	}
	assert_string_equal(seen.frames[1], "hi");
}

static void test_large_frame(void **state)
{
	static char body[90001];
	uint8_t header[FRAME_HEADER];
	size_t at = 0;

	(void)state;
	make_pair(&short_limits, KEEP);
	memset(body, 'x', 90000);
	frame_header(header, 90000);
	put(header, sizeof(header));
	while (at < 90000) {
		ssize_t n = send(far, body + at, 90000 - at, MSG_NOSIGNAL);
		at += n > 0 ? (size_t)n : 0;
		settle();
	}
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.bytes, 90000);
	put_frame("small again");
	settle();
	assert_string_equal(seen.frames[1], "small again");
}

static void test_length_zero(void **state)
{
	(void)state;
	make_pair(&short_limits, KEEP);
	put("\0\0\0\1a\0\0\0\0", 9);
	settle();
	assert_int_equal(seen.count, 1); /* what was whole before it still counts */
	assert_string_equal(seen.why, "The peer sent a frame of length 0 or beyond the limit.");
}

static void test_over_cap(void **state)
{
	uint8_t header[FRAME_HEADER];

	(void)state;
	make_pair(&short_limits, KEEP);
	frame_header(header, (uint32_t)short_limits.frame + 1);
	put(header, sizeof(header));
	settle();
	assert_string_equal(seen.why, "The peer sent a frame of length 0 or beyond the limit.");
}

static void test_peer_gone(void **state)
{
	(void)state;
	make_pair(&short_limits, KEEP);
	put("\0\0\0\5hel", 7);
	settle();
	close(far);
	far = -1;
	settle();
	assert_int_equal(seen.count, 0);
	assert_string_equal(seen.why, "The peer closed the connection.");
}

/* A byte now and then never makes the frame whole in time. */
static void test_slow_frame(void **state)
{
	int64_t began = loop_now(), next = 0;

	(void)state;
	make_pair(&short_limits, KEEP);
	put("\0\0\1\0", 4);
	while (!seen.closed) {
		if (loop_now() >= next && send(far, "x", 1, MSG_NOSIGNAL) == 1)
			next = loop_now() + 20;
		event_base_loop(loop_base(), EVLOOP_NONBLOCK);
	}
	assert_string_equal(seen.why, "The peer began a frame and did not finish it in time.");
	assert_in_range(loop_now() - began, 80, 10000);
}

static void test_idle(void **state)
{
	int64_t began = loop_now();

	(void)state;
	make_pair(&short_limits, KEEP);
	until_closed();
	assert_string_equal(seen.why, "The connection was idle.");
	assert_in_range(loop_now() - began, 200, 10000);
}

static void end_wait(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	*(bool *)arg = true;
}

static void turn_for(long ms)
{
	struct timeval tv = { .tv_usec = ms * 1000 };
	bool over = false;

	event_base_once(loop_base(), -1, EV_TIMEOUT, end_wait, &over, &tv);
	while (!over)
		loop_turn();
}

static void test_another_idle_time(void **state)
{
	int64_t began = loop_now();

	(void)state;
	make_pair(&conn_default_limits, KEEP);
	conn_set_idle(seen.conn, 30);
	until_closed();
	assert_string_equal(seen.why, "The connection was idle.");
	assert_true(loop_now() - began >= 30);
}

static void test_pending_is_not_idle(void **state)
{
	(void)state;
	make_pair(&short_limits, KEEP);
	seen.pending = true;
	turn_for(500);
	assert_int_equal(seen.closed, 0);
	seen.pending = false;
	until_closed();
	assert_string_equal(seen.why, "The connection was idle.");
}

static void test_close_in_frame(void **state)
{
	(void)state;
	make_pair(&short_limits, CLOSE_NOW);
	put("\0\0\0\1a\0\0\0\1b", 10);
	settle();
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.why, "The test closed it.");
	assert_int_equal(drain_far(), 0);
}

static void test_pause(void **state)
{
	(void)state;
	make_pair(&short_limits, PAUSE);
	put("\0\0\0\1a\0\0\0\1b\0\0\0\1c", 15);
	settle();
	assert_int_equal(seen.count, 1);
	conn_pause(seen.conn, false);
	settle();
	assert_int_equal(seen.count, 2); /* paused again by the second */
	seen.reaction = KEEP;
	conn_pause(seen.conn, false);
	settle();
	assert_int_equal(seen.count, 3);
}

static void test_peer_gone_while_paused(void **state)
{
	(void)state;
	make_pair(&short_limits, PAUSE);
	put_frame("a");
	settle();
	assert_int_equal(seen.closed, 0);
	close(far);
	far = -1;
	settle();
	assert_string_equal(seen.why, "The peer closed the connection.");
}

/* Closed and paused from what was deferred: nothing may look at it afterwards. */
static void test_close_after_resume(void **state)
{
	(void)state;
	make_pair(&short_limits, PAUSE);
	put("\0\0\0\1a\0\0\0\1b", 10);
	settle();
	conn_pause(seen.conn, false);
	conn_close(seen.conn, "The test closed it.");
	settle();
	assert_int_equal(seen.count, 1);
}

static void test_partial_writes(void **state)
{
	static char big[60000];
	size_t got = 0;

	(void)state;
	make_pair(&short_limits, KEEP);
	memset(big, 'y', sizeof(big));
	conn_send(seen.conn, big, sizeof(big), -1);
	conn_send(seen.conn, "tail", 4, -1);
	while (got < sizeof(big) + 4 + 2 * FRAME_HEADER) {
		got += drain_far();
		settle();
	}
	assert_int_equal(got, sizeof(big) + 4 + 2 * FRAME_HEADER);
}

/* Who does not read what they asked for is not read either, until they do. */
static void test_output_cap(void **state)
{
	static char big[40000];

	(void)state;
	make_pair(&short_limits, KEEP);
	seen.pending = true;
	conn_send(seen.conn, big, sizeof(big), -1);
	put_frame("unread");
	settle();
	assert_int_equal(seen.count, 0);
	while (seen.count == 0) {
		drain_far();
		settle();
	}
	assert_string_equal(seen.frames[0], "unread");
}

static void test_hard_cap(void **state)
{
	static char big[60000];

	(void)state;
	make_pair(&short_limits, KEEP);
	for (int i = 0; i < 4; i++)
		conn_send(seen.conn, big, sizeof(big), -1);
	assert_int_equal(seen.closed, 1);
	assert_string_equal(seen.why, "The peer does not read what it asked for.");
}

static void test_echo_flood_is_bounded(void **state)
{
	static char big[30000];
	uint8_t header[FRAME_HEADER];

	(void)state;
	make_pair(&short_limits, ECHO);
	frame_header(header, sizeof(big));
	for (int i = 0; i < 200; i++) { /* never reads */
		if (send(far, header, sizeof(header), MSG_NOSIGNAL) != sizeof(header))
			break;
		send(far, big, sizeof(big), MSG_NOSIGNAL);
		settle();
	}
	assert_true(seen.count < 10);
}

static void test_peer_does_not_read_any_more(void **state)
{
	(void)state;
	make_pair(&short_limits, KEEP);
	close(far);
	far = -1;
	conn_send(seen.conn, "hello", 5, -1);
	assert_string_equal(seen.why, "The peer does not read any more.");
}

static void test_close_when_sent(void **state)
{
	static char big[15000]; /* below the output cap: the peer is still read */
	size_t got = 0;

	(void)state;
	make_pair(&short_limits, CLOSE_WHEN_SENT);
	conn_send(seen.conn, big, sizeof(big), -1);
	put("\0\0\0\1a\0\0\0\1b", 10);
	settle();
	assert_int_equal(seen.closed, 0);
	conn_send(seen.conn, "not any more", 12, -1);
	while (!seen.closed) {
		got += drain_far();
		settle();
	}
	got += drain_far();
	assert_int_equal(got, sizeof(big) + FRAME_HEADER);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.why, "The test closed it in the end.");
}

static void test_close_when_sent_is_bounded(void **state)
{
	static char big[30000];

	(void)state;
	make_pair(&short_limits, KEEP);
	seen.pending = true;
	conn_send(seen.conn, big, sizeof(big), -1);
	conn_close_when_sent(seen.conn, "It never reads.");
	until_closed();
	assert_string_equal(seen.why, "It never reads.");
}

static int temporary(const char *text)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void expect_content(int fd, const char *text)
{
	char buffer[16] = "";

	assert_true(fd >= 0);
	assert_true(pread(fd, buffer, sizeof(buffer) - 1, 0) > 0);
	assert_string_equal(buffer, text);
	close(fd);
}

static void test_descriptors_in_order(void **state)
{
	int first = temporary("first"), second = temporary("second");

	(void)state;
	make_pair(&short_limits, TAKE_FD);
	put_with_fds("\0\0\0\1a", 5, &first, 1);
	put_with_fds("\0\0\0\1b", 5, &second, 1);
	put_frame("c");
	close(first);
	close(second);
	settle();
	assert_int_equal(seen.count, 3);
	assert_int_equal(fcntl(seen.fds[0], F_GETFD), FD_CLOEXEC);
	expect_content(seen.fds[0], "first");
	expect_content(seen.fds[1], "second");
	assert_int_equal(seen.fds[2], -1);
}

static void test_unclaimed_descriptors(void **state)
{
	int fd = temporary("x");

	(void)state;
	make_pair(&short_limits, KEEP);
	for (int i = 0; i < 4; i++)
		put_with_fds("\0\0\0\1a", 5, &fd, 1);
	settle();
	assert_int_equal(seen.closed, 0);
	put_with_fds("\0\0\0\1a", 5, &fd, 1);
	close(fd);
	settle();
	assert_string_equal(seen.why, "The peer sent more descriptors than can be taken.");
}

static void test_many_at_once(void **state)
{
	int fd = temporary("x"), all[16];

	(void)state;
	make_pair(&short_limits, KEEP);
	for (int i = 0; i < 16; i++)
		all[i] = fd;
	put_with_fds("\0\0\0\1a", 5, all, 16); /* more than there is room for: MSG_CTRUNC */
	close(fd);
	settle();
	assert_int_equal(seen.count, 0);
	assert_string_equal(seen.why, "The peer sent more descriptors than can be taken.");
}

/* What a handler has taken is its own, also when it closes the connection; what it has not goes with it, once. */
static void test_descriptors_at_close(void **state)
{
	int first = temporary("first"), second = temporary("second");

	(void)state;
	make_pair(&short_limits, TAKE_FD_AND_CLOSE);
	put_with_fds("\0\0\0\1a", 5, &first, 1);
	put_with_fds("\0\0\0\1b", 5, &second, 1);
	close(first);
	close(second);
	settle();
	assert_int_equal(seen.count, 1);
	expect_content(seen.fds[0], "first");
}

static void test_unclaimed_at_close(void **state)
{
	int fd = temporary("x");

	(void)state;
	make_pair(&short_limits, CLOSE_NOW);
	put_with_fds("\0\0\0\1a", 5, &fd, 1);
	close(fd);
	settle();
	assert_int_equal(seen.closed, 1); /* tear_down() looks for what is left open */
}

/* The descriptor goes with the first byte, and once, however often the rest is tried. */
static void test_send_descriptor(void **state)
{
	static char big[30000];
	char control[CMSG_SPACE(sizeof(int))], byte[100000];
	struct iovec iov = { byte, sizeof(byte) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	int fd = temporary("sent"), got;
	size_t total;
	ssize_t n;

	(void)state;
	make_pair(&short_limits, KEEP);
	conn_send(seen.conn, big, sizeof(big), -1); /* so that the second waits in the queue */
	conn_send(seen.conn, big, sizeof(big), fd);
	close(fd);
	for (total = 0, got = -1; total < 2 * (sizeof(big) + FRAME_HEADER);) {
		m.msg_controllen = sizeof(control);
		n = recvmsg(far, &m, MSG_CMSG_CLOEXEC);
		if (n > 0)
			total += (size_t)n;
		if (n > 0 && CMSG_FIRSTHDR(&m)) {
			assert_int_equal(got, -1);
			memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(got));
			assert_true(total >= sizeof(big) + FRAME_HEADER); /* not with the first frame's bytes */
		}
		settle();
	}
	expect_content(got, "sent");
}

static void test_out_of_descriptors(void **state)
{
	static char big[30000];
	struct rlimit before, none;
	int fd = temporary("x");

	(void)state;
	make_pair(&short_limits, KEEP);
	conn_send(seen.conn, big, sizeof(big), -1);
	getrlimit(RLIMIT_NOFILE, &before);
	none = before;
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
	conn_send(seen.conn, "x", 1, fd);
	setrlimit(RLIMIT_NOFILE, &before);
	close(fd);
	assert_string_equal(seen.why, "There was no descriptor left to send one beside a frame.");
}

static void test_identity(void **state)
{
	uint64_t first;

	(void)state;
	make_pair(&short_limits, KEEP);
	assert_int_equal(conn_peer_uid(seen.conn), geteuid());
	first = conn_id(seen.conn);
	conn_close(seen.conn, "The test closed it.");
	close(far);
	settle();
	make_pair(&short_limits, KEEP);
	assert_int_equal(conn_id(seen.conn), first + 1);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_two_in_one_write),
		TEST(test_byte_by_byte),
		TEST(test_large_frame),
		TEST(test_length_zero),
		TEST(test_over_cap),
		TEST(test_peer_gone),
		TEST(test_slow_frame),
		TEST(test_idle),
		TEST(test_another_idle_time),
		TEST(test_pending_is_not_idle),
		TEST(test_close_in_frame),
		TEST(test_pause),
		TEST(test_peer_gone_while_paused),
		TEST(test_close_after_resume),
		TEST(test_partial_writes),
		TEST(test_output_cap),
		TEST(test_hard_cap),
		TEST(test_echo_flood_is_bounded),
		TEST(test_peer_does_not_read_any_more),
		TEST(test_close_when_sent),
		TEST(test_close_when_sent_is_bounded),
		TEST(test_descriptors_in_order),
		TEST(test_unclaimed_descriptors),
		TEST(test_many_at_once),
		TEST(test_descriptors_at_close),
		TEST(test_unclaimed_at_close),
		TEST(test_send_descriptor),
		TEST(test_out_of_descriptors),
		TEST(test_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
