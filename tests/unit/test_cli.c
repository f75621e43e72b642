/* steadctl itself, as a person would call it, against a daemon that this test plays with proto/server.h. */
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
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/listen.h"
#include "common/loop.h"
#include "common/fiber.h"
#include "proto/authd.h"
#include "proto/botd.h"
#include "proto/server.h"

static char program[4096], base[64];
static struct server *servers[2];
static char out[32768], err[32768], password[300];
static bool admin;

static int user_list(struct call *call, const void *params, void *result)
{
	static struct user_info users[] = { { .id = 1, .name = "root", .admin = true, .created_at_ms = 1700000000000 },
		{ .id = 12, .name = "d\xc3\xa9j\xc3\xa0\x1b[31m", .created_at_ms = 1700000000000 } };
	struct user_list_result *r = result;

	(void)params;
	assert_int_equal(call->role, ROLE_CONTROL);
	assert_int_equal(call->acting.user, 0);
	r->users = users;
	r->users_count = 2;
	return 0;
}

static int user_add(struct call *call, const void *params, void *result)
{
	const struct user_add_params *p = params;

	if (strcmp(p->name, "taken") == 0)
		return call_refuse(call, ERR_already, "name", "There is a taken\nalready.");
	snprintf(password, sizeof(password), "%s", p->password);
	admin = p->admin;
	((struct user_add_result *)result)->id = 13;
	return 0;
}

static int authd_status(struct call *call, const void *params, void *result)
{
	(void)call, (void)params;
	*(struct authd_status_result *)result =
		(struct authd_status_result){ .version = "0.1.0", .up_ms = 3723000, .database = true, .logins = 2 };
	return 0;
}

static int booking_list(struct call *call, const void *params, void *result)
{
	struct booking_list_result *r = result;
	static struct booking_info booking = { .id = 5, .site = "desk", .action = "book", .title = "Book a desk",
		.state = "queued", .created_at_ms = 1700000000000 };

	if (((const struct booking_list_params *)params)->limit == 7)
		return call_refuse(call, ERR_busy, NULL, "%s", "");
	if (((const struct booking_list_params *)params)->limit == 8) {
		booking.inputs = json_pack("{s:s, s:s, s:i}", "desk", "D-1\n", "notes_at_ms", "x", "n", 2);
		booking.reason = "A reason that is far too long for one cell of a table \xc3\xa9\xc3\xa9";
		call_keep(call, booking.inputs);
		r->bookings = &booking;
		r->bookings_count = 1;
	}
	return 0;
}

static const struct dispatch_row authd_rows[] = { { &method_user_list, user_list }, { &method_user_add, user_add },
	{ &method_authd_status, authd_status }, { 0 } };
static int botd_status(struct call *call, const void *params, void *result)
{
	(void)call, (void)params;
	*(struct botd_status_result *)result = (struct botd_status_result){ .version = "0.1.0" };
	return 0;
}

static const struct dispatch_row botd_rows[] = {
	{ &method_botd_status, botd_status },
	{ &method_booking_list, booking_list },
	{ 0 },
};

static struct server *serve(const char *name, const struct dispatch_row *rows)
{
	struct server *s = server_new(name, rows, NULL);
	char directory[128], path[160];

	snprintf(directory, sizeof(directory), "%s/%s", base, name);
	snprintf(path, sizeof(path), "%s/control", directory);
	int fd = listen_at(directory, path);
	assert_true(fd >= 0);
	assert_int_equal(server_listen(s, fd, ROLE_CONTROL, geteuid()), 0);
	return s;
}

/* It lies beside this test: build/VARIANT/tests/test_cli and build/VARIANT/bin/steadctl. */
static int set_up(void **state)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 32);

	(void)state;
	if (getenv("STEADCTL")) {
		snprintf(program, sizeof(program), "%s", getenv("STEADCTL"));
	} else {
		program[n > 0 ? n : 0] = '\0';
		for (int i = 0; i < 2; i++)
			*strrchr(program, '/') = '\0';
		strcat(program, "/bin/steadctl");
	}
	strcpy(base, "/tmp/stead-cli-XXXXXX");
	if (!mkdtemp(base) || access(program, X_OK) != 0)
		return -1;
	setenv("TZ", "UTC", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	loop_init();
	servers[0] = serve("authd", authd_rows);
	servers[1] = serve("botd", botd_rows);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	server_free(servers[0]);
	server_free(servers[1]);
	loop_deinit();
	fiber_drop_stacks();
	snprintf(command, sizeof(command), "rm -r '%s'", base);
	return system(command);
}

static void read_file(int fd, char *to, size_t size)
{
	ssize_t n = pread(fd, to, size - 1, 0);

	to[n > 0 ? n : 0] = '\0';
	close(fd);
}

/* ASan says of every program with fibers that it does not know them. */
static void drop_sanitizer(char *text)
{
	char *end = strncmp(text, "==", 2) == 0 ? strchr(text, '\n') : NULL;

	if (end)
		memmove(text, end + 1, strlen(end + 1) + 1);
}

/* Runs steadctl with those words, ended by NULL, and input; its exit status. */
static int ctl_with(const char *input, const char *const *words)
{
	int in = memfd_create("in", 0), o = memfd_create("out", 0), e = memfd_create("err", 0), status;
	char *argv[20] = { program, (char *)"--socket-dir", base };

	for (int i = 0; words[i]; i++)
		argv[3 + i] = (char *)words[i];
	assert_int_equal(write(in, input, strlen(input)), strlen(input));
	lseek(in, 0, SEEK_SET);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(in, STDIN_FILENO);
		dup2(o, STDOUT_FILENO);
		dup2(e, STDERR_FILENO);
		execv(program, argv);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		event_base_loop(loop_base(), EVLOOP_NONBLOCK);
	close(in);
	read_file(o, out, sizeof(out));
	read_file(e, err, sizeof(err));
	drop_sanitizer(err);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define ctl(...) ctl_with("", (const char *const[]){ __VA_ARGS__, NULL })

static void expect_in(const char *where, const char *what)
{
	if (!strstr(where, what))
		fail_msg("no \"%s\" in:\n%s", what, where);
}

static void test_table(void **state)
{
	(void)state;
	assert_int_equal(ctl("user", "list"), 0);
	assert_string_equal(out, "id  name       admin  created\n"
				 "1   root       yes    2023-11-14 22:13:20\n"
				 "12  d\xc3\xa9j\xc3\xa0 [31m  no     2023-11-14 22:13:20\n");
	assert_string_equal(err, "");
	assert_int_equal(ctl("booking", "list"), 0);
	assert_string_equal(out, "No bookings.\n");
	assert_int_equal(ctl("booking", "list", "--limit", "8"), 0);
	expect_in(out, "desk D-1 , notes x, n 2");
	expect_in(out, "A reason that is far too long for one cell of a\xe2\x80\xa6 ");
}

static void test_json(void **state)
{
	(void)state;
	assert_int_equal(ctl("user", "list", "--json"), 0);
	json_auto_t *document = json_loads(out, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(document, "users")), 2);
	assert_int_equal(ctl("--json", "user", "list"), 0);
	json_auto_t *before = json_loads(out, 0, NULL);
	assert_true(json_equal(before, document));
	assert_int_equal(ctl("--socket-dir"), 64);
	expect_in(err, "--socket-dir needs a directory");
	assert_int_equal(ctl("--socket-dir=/nonexistent", "user", "list"), 69);
}

/* Every daemon is asked; those that do not answer are said, and make the exit status. */
static void test_status(void **state)
{
	(void)state;
	assert_int_equal(ctl("status"), 69);
	expect_in(out, "authd\nversion             0.1.0\nup                  1 h 2 min\ndatabase            yes\nlogins              2\n");
	expect_in(err, "streamd is not running or does not answer");
	expect_in(err, "sessiond is not running");
	assert_int_equal(ctl("status", "--json"), 69);
	json_auto_t *document = json_loads(out, 0, NULL);
	assert_non_null(document); /* one document, however many daemons */
	assert_int_equal(json_integer_value(json_object_get(json_object_get(document, "authd"), "logins")), 2);
}

static void test_secret_from_input(void **state)
{
	(void)state;
	assert_int_equal(ctl_with("correct horse battery\n", (const char *const[]){ "user", "add", "bob", "--admin", NULL }), 0);
	assert_string_equal(password, "correct horse battery");
	assert_true(admin);
	assert_string_equal(out, "id                  13\n");
	assert_int_equal(ctl_with("", (const char *const[]){ "user", "add", "bob", NULL }), 64);
	expect_in(err, "no password was given");
	assert_int_equal(ctl("user", "add", "bob", "--password", "x"), 64);
	expect_in(err, "--password is not taken from the command line");
	assert_int_equal(ctl("user", "add", "bob", "--password=x"), 64);
}

static void test_refusals(void **state)
{
	(void)state;
	assert_int_equal(ctl_with("a password\n", (const char *const[]){ "user", "add", "taken", NULL }), 65);
	assert_string_equal(err, "steadctl: name: There is a taken already.\n");
	assert_int_equal(ctl("booking", "list", "--limit", "7"), 75);
	expect_in(err, "at its limit");
	assert_int_equal(ctl("booking", "list", "--limit", "100000"), 64); /* the daemon checks: limit is 500 at most */
	expect_in(err, "limit: ");
	assert_int_equal(ctl("session", "list"), 69);
	expect_in(err, "systemctl status stead-sessiond");
}

static void test_usage(void **state)
{
	(void)state;
	assert_int_equal(ctl("nonsense"), 64);
	expect_in(err, "there is no command \"nonsense\"");
	expect_in(err, "user add NAME");
	assert_int_equal(ctl("user"), 64);
	expect_in(err, "\"user\" needs another word");
	expect_in(err, "user list");
	assert_null(strstr(err, "booking"));
	assert_int_equal(ctl("user", "show", "5"), 64);
	expect_in(err, "no command \"user show\"");
	assert_null(strstr(err, "booking"));
	assert_int_equal(ctl("use", "--help"), 64);
	expect_in(err, "no command \"use\"");
	assert_int_equal(ctl("user", "list", "more"), 64);
	expect_in(err, "does not know what to do with \"more\"");
	assert_int_equal(ctl("booking", "list", "--before"), 64);
	expect_in(err, "--before needs a value");
	assert_int_equal(ctl("booking", "list", "--before=abc"), 64);
	expect_in(err, "whole number, not \"abc\"");
	assert_int_equal(ctl("booking", "list", "--colour", "red"), 64);
	expect_in(err, "no option --colour");
	assert_int_equal(ctl("booking", "show"), 64);
	expect_in(err, "id is missing: Number of the booking.");
	assert_int_equal(ctl("user", "add", "bob", "--admin=perhaps"), 64);
	expect_in(err, "yes or no");
	assert_int_equal(ctl("user", "add", "\xff"), 64);
	expect_in(err, "UTF-8");
}

static void test_help(void **state)
{
	(void)state;
	assert_int_equal(ctl("--help"), 0);
	expect_in(out, "user add NAME");
	expect_in(out, "status                  How every part of Stead is.");
	assert_int_equal(ctl("user", "add", "--help"), 0);
	expect_in(out, "Usage: steadctl user add NAME [OPTION]...\nMake an account.\n");
	expect_in(out, "(password is asked for)");
	expect_in(out, "--admin");
	assert_int_equal(ctl("user", "-h"), 0);
	expect_in(out, "  user list");
	assert_null(strstr(out, "booking"));
	assert_int_equal(ctl("status", "-h"), 0);
	expect_in(out, "Usage: steadctl status");
	assert_int_equal(ctl("-h"), 0);
	assert_int_equal(ctl("--version"), 0);
	expect_in(out, "steadctl 0");
}

static void complete(const char *line, const char *expected)
{
	char command[9000], got[1000];

	snprintf(command, sizeof(command), "bash -c 'source <(%s completion); COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]}-1));"
		" _steadctl; echo \"${COMPREPLY[@]}\"'", program, line);
	FILE *f = popen(command, "r");
	if (!fgets(got, sizeof(got), f))
		got[0] = '\0';
	pclose(f);
	got[strcspn(got, "\n")] = '\0';
	assert_string_equal(got, expected);
}

static void test_completion(void **state)
{
	(void)state;
	complete("steadctl us", "user");
	complete("steadctl user \"\"", "add list passwd");
	complete("steadctl user l", "list");
	complete("steadctl --js", "--json");
}

#define TEST(t) cmocka_unit_test(t)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_table),
		TEST(test_json),
		TEST(test_status),
		TEST(test_secret_from_input),
		TEST(test_refusals),
		TEST(test_usage),
		TEST(test_help),
		TEST(test_completion),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
