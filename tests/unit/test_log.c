/* What reaches standard error and the journal, and that no peer can forge any of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/utf.h"

static char last[8192];
static struct log_context context;
static bool with_context;

static void keep(enum log_level level, const char *line)
{
	(void)level;
	snprintf(last, sizeof(last), "%s", line);
}

static const struct log_context *find(void)
{
	return with_context ? &context : NULL;
}

static int set_up(void **state)
{
	(void)state;
	last[0] = '\0';
	with_context = false;
	log_open("test", LOG_INFO);
	log_context_hook(find);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	log_capture(NULL);
	log_context_hook(NULL);
	return 0;
}

/* What one line makes of a peer's bytes. */
static const char *escaped(const char *peer)
{
	log_capture(keep);
	log_debug("never formatted, for nobody reads it: %s", peer);
	log_write(LOG_DEBUG, "%s", peer);
	log_capture(NULL);
	return last;
}

static void test_escaping(void **state)
{
	(void)state;
	assert_string_equal(escaped("plain text, \"quoted\" \\ and d\xc3\xa9j\xc3\xa0 \xf0\x9f\x98\x80"),
		"plain text, \"quoted\" \\ and d\xc3\xa9j\xc3\xa0 \xf0\x9f\x98\x80");
	assert_string_equal(escaped("a\nMESSAGE=forged\r\x1b[2J\x7f\t"), "a\\x0aMESSAGE=forged\\x0d\\x1b[2J\\x7f\\x09");
	assert_string_equal(escaped("\xc2\x9b" "31m"), "\\xc2\\x9b31m"); /* the one-character CSI */
	assert_string_equal(escaped("a\xe2\x80\xae" "b\xe2\x81\xa7" "c\xe2\x80\xa8" "d\xe2\x80\xa6"),
		"a\\xe2\\x80\\xaeb\\xe2\\x81\\xa7c\\xe2\\x80\\xa8d\xe2\x80\xa6"); /* turned around, or another line; but not an ellipsis */
	assert_string_equal(escaped("\xff\xc3(\xed\xa0\x80\xe2\x82"), "\\xff\\xc3(\\xed\\xa0\\x80\\xe2\\x82");
}

static void test_long_lines(void **state)
{
	char wide[9000];

	(void)state;
	for (size_t i = 0; i + 3 < sizeof(wide); i += 3)
		memcpy(wide + i, "\xe2\x82\xac", 4);
	for (size_t shift = 0; shift < 3; shift++) {
		wide[0] = wide[1] = 'a';
		escaped(wide + shift);
		assert_in_range(strlen(last), 2000, 4095);
		assert_true(utf8_valid(last, strlen(last)));
		assert_null(strchr(last + 10, '\\')); /* it ends in whole characters, not in the bytes of half a one */
	}
	memset(wide, 1, sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	assert_in_range(strlen(escaped(wide)), 4000, 4095);
}

static void test_levels(void **state)
{
	(void)state;
	assert_true(log_enabled(LOG_INFO) && !log_enabled(LOG_DEBUG));
	log_open("test", LOG_ERROR);
	assert_true(log_enabled(LOG_ERROR) && !log_enabled(LOG_WARNING));
}

/* What was written to fd 2 meanwhile. */
static void with_stderr(int replacement, void (*fn)(void))
{
	int saved = dup(STDERR_FILENO);

	dup2(replacement, STDERR_FILENO);
	fn();
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static void log_two(void)
{
	errno = EDOM;
	log_warning("something about %s", "a\nb");
	log_debug("not this");
	assert_int_equal(errno, EDOM);
}

static size_t read_all(int fd, char *to, size_t size)
{
	ssize_t n = read(fd, to, size - 1);

	to[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static void test_stderr(void **state)
{
	int ends[2];
	char got[2048];

	(void)state;
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	with_context = true;
	context = (struct log_context){ .connection = "c", .call = "5", .method = "m", .user = "eve\nroot: forged\x1b[1m" };
	with_stderr(ends[1], log_two);
	read_all(ends[0], got, sizeof(got));
	assert_non_null(strstr(got, " test warning: something about a\\x0ab method=m call=5 user=eve\\x0aroot: forged\\x1b[1m\n"));
	assert_int_equal(strcspn(got, "\n"), strlen(got) - 1); /* one line */
	close(ends[0]);
	close(ends[1]);
}

/* A user name that could not be one is cut, and never pushes out the line itself. */
static void test_long_context(void **state)
{
	int ends[2];
	char got[8192], name[5000];

	(void)state;
	memset(name, '\n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	with_context = true;
	context = (struct log_context){ .user = name };
	with_stderr(ends[1], log_two);
	assert_in_range(read_all(ends[0], got, sizeof(got)), 100, 600);
	assert_non_null(strstr(got, "something about"));
	close(ends[0]);
	close(ends[1]);
}

/* The native protocol of systemd-journald: one datagram of NAME=value lines. */
static void test_journal(void **state)
{
	int ends[2], quiet[2];
	char got[8192], name[5000];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), 0);
	assert_int_equal(pipe2(quiet, O_NONBLOCK), 0);
	log_to_journal(ends[1]);
	with_context = true;
	context = (struct log_context){ .connection = "front#3", .call = "5", .method = "m", .user = "eve\nPRIORITY=0" };
	with_stderr(quiet[1], log_two);
	read_all(ends[0], got, sizeof(got));
	assert_string_equal(got, "PRIORITY=4\nSYSLOG_IDENTIFIER=test\nMESSAGE=something about a\\x0ab\n"
		"STEAD_CONNECTION=front#3\nSTEAD_CALL=5\nSTEAD_METHOD=m\nSTEAD_USER=eve\\x0aPRIORITY=0\n");
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	context.user = name; /* whatever it is, the line goes where it belongs */
	with_stderr(quiet[1], log_two);
	assert_true(read_all(ends[0], got, sizeof(got)) > 100);
	assert_int_equal(read_all(quiet[0], got, sizeof(got)), 0);
	close(ends[0]); /* the journal is gone: standard error is left */
	with_stderr(quiet[1], log_two);
	assert_true(read_all(quiet[0], got, sizeof(got)) > 0);
	log_to_journal(-1);
	close(quiet[0]);
	close(quiet[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_escaping, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_levels, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stderr, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long_context, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_journal, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
