/* Who connects, how many at a time, and what happens when there is no descriptor left for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/acceptor.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"

#define MOST 40

static struct sockaddr_un address;
static struct acceptor *acceptor;
static int got[MOST], count, warnings;
static bool hold_after_each;

static void on_tick(int, short, void *)
{
}

static void accepted(void *arg, int fd)
{
	assert_ptr_equal(arg, &acceptor);
	assert_true(count < MOST);
	got[count++] = fd;
	if (hold_after_each)
		acceptor_hold(acceptor, true);
}

static void heard(enum log_level level, const char *line)
{
	if (level != LOG_WARNING)
		return;
	assert_non_null(strstr(line, "cannot accept the test's connections: Too many open files; they wait"));
	warnings++;
}

static int set_up(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(loop_init(), 0);
	address.sun_family = AF_UNIX; /* by itself, in no directory */
	exact_must(address.sun_path + 1, sizeof(address.sun_path) - 1, "stead-acceptor-%ld", (long)getpid());
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, MOST), 0);
	count = warnings = 0;
	hold_after_each = false;
	acceptor = acceptor_new(fd, "the test's", accepted, &acceptor);
	log_capture(heard);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	log_capture(NULL);
	acceptor = acceptor_free(acceptor);
	while (count > 0)
		close(got[--count]);
	loop_deinit();
	return 0;
}

static int dial(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* The timer makes the loop turn when nobody comes. */
static void until(int wanted)
{
	int64_t deadline = deadline_in(20000);
	struct event *tick = loop_event(-1, EV_PERSIST, on_tick, NULL);

	loop_arm(tick, 100);
	while (count < wanted && loop_now() < deadline)
		loop_turn();
	event_free(tick);
	assert_int_equal(count, wanted);
}

static void test_accepts(void **state)
{
	int mine[MOST];

	(void)state;
	for (int i = 0; i < MOST; i++)
		mine[i] = dial();
	until(MOST);
	for (int i = 0; i < MOST; i++)
		close(mine[i]);
	assert_int_equal(warnings, 0);
}

/* The others wait until they are let in. */
static void test_hold(void **state)
{
	int one = dial(), two = dial();

	(void)state;
	hold_after_each = true;
	until(1);
	loop_defer((void (*)(void *))loop_stop, NULL); /* a turn in which nobody else comes */
	loop_run();
	assert_int_equal(count, 1);
	acceptor_hold(acceptor, false);
	until(2);
	acceptor_hold(acceptor, true);
	close(one);
	close(two);
}

static void test_no_descriptor(void **state)
{
	struct rlimit before, none;
	int one = dial(), two = dial();
	int64_t deadline;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ 3, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (deadline = deadline_in(500); loop_now() < deadline;) /* more than two tries */
		loop_turn();
	assert_int_equal(count, 0);
	assert_int_equal(warnings, 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	until(2);
	close(one);
	close(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_accepts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hold, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_descriptor, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
