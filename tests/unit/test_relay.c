/*
 * The relay: all bytes in order both ways, bounded memory, an end that is passed on, and one that
 * cuts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/loop.h"
#include "launcher/relay.h"

static struct relay *relay;
static int client, server; /* the far ends */
static bool ended;

static void on_end(void *arg)
{
	(void)arg;
	ended = true;
	relay = NULL;
}

static void begin(const char *first, uint64_t client_most)
{
	int a[2], b[2];

	loop_init();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, a), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, b), 0);
	client = a[0];
	server = b[0];
	ended = false;
	relay = relay_new(a[1], b[1], first, strlen(first), client_most, on_end, NULL);
}

static int finish(void **state)
{
	(void)state;
	relay = relay_free(relay);
	close(client);
	close(server);
	loop_deinit();
	return 0;
}

/* What comes next at fd, turning the loop until something does; 0 at the end. */
static ssize_t next(int fd, char *p, size_t n)
{
	ssize_t got;

	while ((got = read(fd, p, n)) < 0 && errno == EAGAIN)
		loop_turn();
	return got;
}

static void expect(int fd, const char *text)
{
	size_t n = strlen(text), done = 0;
	char got[256];

	while (done < n) {
		ssize_t r = next(fd, got + done, n - done);
		assert_true(r > 0);
		done += (size_t)r;
	}
	assert_memory_equal(got, text, n);
}

static void test_both_ways(void **state)
{
	char byte;

	(void)state;
	begin("head ", UINT64_MAX);
	relay_say_connected(relay);
	assert_int_equal(write(client, "hello", 5), 5);
	assert_int_equal(write(server, "welcome", 7), 7);
	expect(server, "head hello");
	expect(client, "HTTP/1.1 200 Connection established\r\n\r\nwelcome");
	shutdown(client, SHUT_WR);
	assert_int_equal(next(server, &byte, 1), 0); /* half closed: the other way still goes */
	assert_int_equal(write(server, "more", 4), 4);
	expect(client, "more");
	assert_false(ended);
	shutdown(server, SHUT_WR);
	assert_int_equal(next(client, &byte, 1), 0);
	while (!ended)
		loop_turn();
}

/*
 * Somebody who does not read stops the other side instead of filling our memory; then every byte
 * comes.
 */
static void test_slow_reader(void **state)
{
	static char block[65536], got[65536];
	size_t sent = 0, received = 0;

	(void)state;
	begin("", UINT64_MAX);
	for (int turns = 0; turns < 500; turns++) {
		for (size_t i = 0; i < sizeof(block); i++)
			block[i] = (char)((sent + i) % 251);
		ssize_t n = write(server, block, sizeof(block));
		sent += n > 0 ? (size_t)n : 0;
		event_base_loop(loop_base(), EVLOOP_NONBLOCK);
	}
	assert_in_range(sent, 1 << 18, 4 << 20); /* the kernel's buffers and ours, not 500 blocks */
	shutdown(server, SHUT_WR);
	for (;;) {
		ssize_t n = next(client, got, sizeof(got));
		if (n == 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(got[i], (char)((received + (size_t)i) % 251));
		received += (size_t)n;
	}
	assert_int_equal(received, sent);
}

static void test_no_more_than_announced(void **state)
{
	char byte;

	(void)state;
	begin("POST", 4);
	assert_int_equal(write(client, "body", 4), 4);
	expect(server, "POSTbody");
	assert_int_equal(write(client, "GET http://other/", 17), 17);
	assert_int_equal(next(server, &byte, 1), 0); /* cut, with nothing of it passed on */
	assert_true(ended);
}

static void test_cut(void **state)
{
	char byte;

	(void)state;
	begin("", UINT64_MAX);
	assert_int_equal(write(client, "a", 1), 1);
	expect(server, "a");
	relay = relay_free(relay);
	assert_int_equal(read(server, &byte, 1), 0); /* at once: the loop has not turned */
	assert_int_equal(read(client, &byte, 1), 0);
	assert_false(ended);
}

static void test_broken(void **state)
{
	(void)state;
	begin("", UINT64_MAX);
	close(server);
	server = -1;
	while (!ended) {
		if (write(client, "x", 1) < 0)
			assert_true(errno == EPIPE || errno == EAGAIN);
		shutdown(client, SHUT_WR);
		loop_turn();
	}
}

#define RELAYED(test) cmocka_unit_test_teardown(test, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RELAYED(test_both_ways),
		RELAYED(test_slow_reader),
		RELAYED(test_no_more_than_announced),
		RELAYED(test_cut),
		RELAYED(test_broken),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
