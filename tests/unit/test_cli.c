/* steadctl itself, as a person would call it, against a daemon that this test plays with proto/server.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
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
#include "proto/sessiond.h"
#include "proto/streamd.h"

static char program[4096], base[64], well[72];
static struct server *servers[6];
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
		.state = "queued", .created_at_ms = 1700000000000, .user = 1 };

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

#define LONG_LINE "Asked for desk D-204 on Thursday 26 November 2026, and the site answered with a page that has the mark of a booking, \xe6\xa1\x8c\xe5\xad\x90, to its end."

static int booking_log(struct call *call, const void *params, void *result)
{
	static struct log_line lines[] = { { .n = 1, .at_ms = 1700000000000, .level = "info", .text = LONG_LINE } };
	struct booking_log_result *r = result;

	(void)call, (void)params;
	r->lines = lines;
	r->lines_count = 1;
	return 0;
}

static int standard_error = -1;

/* Answers once whoever asked has been told that it takes its time. */
static int site_list(struct call *call, const void *params, void *result)
{
	char said[200];

	(void)call, (void)params, (void)result;
	for (;;) {
		ssize_t n = pread(standard_error, said, sizeof(said) - 1, 0);
		said[n > 0 ? n : 0] = '\0';
		if (strstr(said, "waiting for"))
			return 0;
		fiber_sleep_until(deadline_in(20));
	}
}

static const struct dispatch_row botd_rows[] = {
	{ &method_botd_status, botd_status },
	{ &method_booking_list, booking_list },
	{ &method_booking_log, booking_log },
	{ &method_site_list, site_list },
	{ 0 },
};

static const char *recipe_trouble, *database_trouble;

static int well_streamd(struct call *call, const void *params, void *result)
{
	(void)call, (void)params;
	*(struct streamd_status_result *)result = (struct streamd_status_result){ .version = "0.1.0" };
	return 0;
}

static int well_sessiond(struct call *call, const void *params, void *result)
{
	(void)call, (void)params;
	*(struct sessiond_status_result *)result =
		(struct sessiond_status_result){ .version = "0.1.0", .database = !database_trouble, .database_trouble = database_trouble, .master_key = 1 };
	return 0;
}

static int well_botd(struct call *call, const void *params, void *result)
{
	(void)call, (void)params;
	*(struct botd_status_result *)result =
		(struct botd_status_result){ .version = "0.1.0", .database = true, .recipe_trouble = recipe_trouble };
	return 0;
}

#define STREAM "9e82ff4b-962d7119ecbdbaa4802629f7"

static int well_stream_list(struct call *call, const void *params, void *result)
{
	static struct stream_info streams[] = { { .id = STREAM, .site = "a-site-with-a-long-name", .step = "failed",
		.reason = "A reason that is far too long for one cell of a table", .advice = "Advice that is as long",
		.reached = "waiting", .opened_at_ms = 1700000000000 } };
	struct stream_list_result *r = result;

	(void)call, (void)params;
	r->streams = streams;
	r->streams_count = 1;
	return 0;
}

static const struct dispatch_row well_streamd_rows[] = { { &method_streamd_status, well_streamd },
	{ &method_stream_list, well_stream_list }, { 0 } };
static const struct dispatch_row well_sessiond_rows[] = { { &method_sessiond_status, well_sessiond }, { 0 } };
static const struct dispatch_row well_botd_rows[] = { { &method_botd_status, well_botd }, { 0 } };

static struct server *serve(const char *dir, const char *name, const struct dispatch_row *rows)
{
	struct server *s = server_new(name, rows, NULL);
	char directory[128], path[160];

	snprintf(directory, sizeof(directory), "%s/%s", dir, name);
	snprintf(path, sizeof(path), "%s/control", directory);
	int fd = listen_at(directory, path);
	assert_true(fd >= 0);
	server_listen(s, fd, ROLE_CONTROL, geteuid());
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
	snprintf(well, sizeof(well), "%s/well", base);
	if (mkdir(well, 0700) < 0)
		return -1;
	servers[0] = serve(base, "authd", authd_rows);
	servers[1] = serve(base, "botd", botd_rows);
	servers[2] = serve(well, "authd", authd_rows);
	servers[3] = serve(well, "streamd", well_streamd_rows);
	servers[4] = serve(well, "sessiond", well_sessiond_rows);
	servers[5] = serve(well, "botd", well_botd_rows);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	for (int i = 0; i < 6; i++)
		server_free(servers[i]);
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

static pid_t start(const char *dir, const char *const *words, int in, int o, int e)
{
	char *argv[20] = { program, (char *)"--socket-dir", (char *)dir };
	pid_t pid;

	for (int i = 0; words[i]; i++)
		argv[3 + i] = (char *)words[i];
	pid = fork();
	if (pid != 0)
		return pid;
	dup2(in, STDIN_FILENO);
	dup2(o, STDOUT_FILENO);
	dup2(e, STDERR_FILENO);
	execv(program, argv);
	_exit(127);
}

static int ended(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0)
		event_base_loop(loop_base(), EVLOOP_NONBLOCK);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Runs steadctl against the daemons in dir with those words, ended by NULL, and input; its exit status. */
static int ctl_in(const char *dir, const char *input, const char *const *words)
{
	int in = memfd_create("in", 0), o = memfd_create("out", 0), e = memfd_create("err", 0), status;

	assert_int_equal(write(in, input, strlen(input)), strlen(input));
	lseek(in, 0, SEEK_SET);
	standard_error = e;
	status = ended(start(dir, words, in, o, e));
	close(in);
	read_file(o, out, sizeof(out));
	read_file(e, err, sizeof(err));
	drop_sanitizer(err);
	return status;
}

#define ctl_with(input, ...) ctl_in(base, input, __VA_ARGS__)

/* The same on a terminal of so many columns, whose output comes into out with \n as the line's end. */
static int ctl_in_on_terminal(const char *dir, unsigned short columns, const char *const *words)
{
	struct winsize size = { .ws_row = 24, .ws_col = columns };
	int near, far, e = memfd_create("err", 0), status;
	ssize_t n;

	assert_int_equal(openpty(&near, &far, NULL, NULL, &size), 0);
	status = ended(start(dir, words, far, far, e));
	close(far);
	close(e);
	out[0] = '\0';
	for (size_t got = 0; (n = read(near, out + got, sizeof(out) - 1 - got)) > 0; got += (size_t)n)
		out[got + (size_t)n] = '\0'; /* less than the terminal holds, but it is had in pieces */
	close(near);
	for (char *c = out; (c = strchr(c, '\r'));)
		memmove(c, c + 1, strlen(c));
	return status;
}

#define ctl_on_terminal(columns, ...) ctl_in_on_terminal(base, columns, __VA_ARGS__)
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
				 "1   root       yes    2023-11-14 22:13:20 UTC\n"
				 "12  d\xc3\xa9j\xc3\xa0 [31m  no     2023-11-14 22:13:20 UTC\n");
	assert_string_equal(err, "");
	assert_int_equal(ctl("booking", "list"), 0);
	assert_string_equal(out, "No bookings.\n");
	assert_int_equal(ctl("booking", "list", "--limit", "8"), 0);
	expect_in(out, "desk D-1 , notes x, n 2");
	expect_in(out, "  root\n"); /* and not a number, which says nothing */
	assert_int_equal(ctl("booking", "list", "--limit", "8", "--json"), 0);
	expect_in(out, "\"user\": 1");
	expect_in(out, "A reason that is far too long for one cell of a table \xc3\xa9\xc3\xa9"); /* never cut in a pipe */
}

static void expect_begin(const char *what)
{
	if (strncmp(out, what, strlen(what)) != 0)
		fail_msg("not \"%s\" but:\n%s", what, out);
}

static void expect_narrow(size_t columns)
{
	for (const char *line = out; *line;) {
		size_t n = strcspn(line, "\n"), width = 0;
		char copy[1024];
		snprintf(copy, sizeof(copy), "%.*s", (int)n, line);
		for (const char *c = copy; *c; c++)
			width += ((unsigned char)*c & 0xc0) != 0x80;
		if (width > columns)
			fail_msg("%zu columns: %s", width, copy);
		line += n + (line[n] != '\0');
	}
}

/* The words of out, from those on, with one blank between them. */
static void join(const char *from, char *to, size_t size)
{
	char copy[sizeof(out)], *save, *word;

	snprintf(copy, sizeof(copy), "%s", strstr(out, from) ? strstr(out, from) : "");
	*to = '\0';
	for (word = strtok_r(copy, " \n", &save); word; word = strtok_r(NULL, " \n", &save))
		snprintf(to + strlen(to), size - strlen(to), "%s%s", *to ? " " : "", word);
}

/* A log is read whole: in a pipe in one line each, on a terminal in as many as it takes. */
static void test_log_is_never_cut(void **state)
{
	char joined[1024];

	(void)state;
	assert_int_equal(ctl("log", "5"), 0);
	expect_in(out, "  info   " LONG_LINE "\n");
	for (unsigned short columns = 60; columns <= 160; columns += 20) {
		assert_int_equal(ctl_on_terminal(columns, (const char *const[]){ "log", "5", NULL }), 0);
		expect_narrow(columns);
		join("Asked for", joined, sizeof(joined));
		assert_string_equal(joined, LONG_LINE);
	}
	assert_int_equal(ctl_on_terminal(80, (const char *const[]){ "log", "5", "--wide", NULL }), 0);
	expect_in(out, LONG_LINE "\n");
}

static void test_fits_the_terminal(void **state)
{
	(void)state;
	assert_int_equal(ctl_on_terminal(80, (const char *const[]){ "booking", "list", "--limit", "8", NULL }), 0);
	expect_narrow(80);
	expect_in(out, "No room for: ");
	expect_in(out, "--wide shows all");
	assert_int_equal(ctl_on_terminal(110, (const char *const[]){ "booking", "list", "--limit", "8", NULL }), 0);
	expect_narrow(110);
	expect_in(out, "A reason that ");
	expect_in(out, "\xe2\x80\xa6");
	assert_int_equal(ctl_on_terminal(80, (const char *const[]){ "--wide", "booking", "list", "--limit", "8", NULL }), 0);
	expect_in(out, "one cell of a table \xc3\xa9\xc3\xa9");
	assert_null(strstr(out, "No room"));
	assert_int_equal(ctl_in_on_terminal(well, 60, (const char *const[]){ "stream", "list", NULL }), 0);
	expect_narrow(60);
	expect_in(out, STREAM "  "); /* half of it names nothing in "stream close ID" */
}

static void test_slow(void **state)
{
	(void)state;
	assert_int_equal(ctl("site", "list"), 0);
	assert_string_equal(err, "steadctl: waiting for botd \xe2\x80\xa6\n");
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
	expect_in(err, "/nonexistent/authd/control");
}

/* Every daemon is asked; those that do not answer are said, and make the exit status. */
static void test_status(void **state)
{
	(void)state;
	assert_int_equal(ctl("status"), 69);
	expect_begin("3 problems:\n");
	expect_in(out, "\nauthd\nversion             0.1.0\nup                  1 h 2 min\ndatabase            yes\nlogins              2\n");
	expect_in(out, "  streamd is not running: there is no socket ");
	expect_in(out, "\nsessiond\nno answer           sessiond is not running: there is no socket ");
	expect_in(out, "  botd: the database does not answer\n");
	assert_string_equal(err, "");
	assert_int_equal(ctl("status", "--json"), 69);
	json_auto_t *document = json_loads(out, 0, NULL);
	assert_non_null(document); /* one document, however many daemons */
	assert_int_equal(json_integer_value(json_object_get(json_object_get(document, "authd"), "logins")), 2);
	json_t *error = json_object_get(json_object_get(document, "streamd"), "error");
	assert_string_equal(json_string_value(json_object_get(error, "code")), "unavailable");
}

/* One line says it, and for a program the exit status. */
static void test_all_well(void **state)
{
	const char *const status[] = { "status", NULL }, *const quiet[] = { "status", "--quiet", NULL };

	(void)state;
	assert_int_equal(ctl_in(well, "", status), 0);
	expect_begin("All well.\n\nauthd\nversion ");
	assert_int_equal(ctl_in(well, "", quiet), 0);
	assert_string_equal(out, "");
	recipe_trouble = "/etc/stead/sites/a.json:3: frobnicate";
	assert_int_equal(ctl_in(well, "", status), 69);
	expect_begin("1 problem: botd: recipe trouble: /etc/stead/sites/a.json:3: frobnicate\n\nauthd\n");
	assert_int_equal(ctl_in(well, "", quiet), 69);
	assert_string_equal(out, "1 problem: botd: recipe trouble: /etc/stead/sites/a.json:3: frobnicate\n");
	database_trouble = "no route";
	assert_int_equal(ctl_in(well, "", quiet), 69);
	assert_string_equal(out, "2 problems:\n  sessiond: database trouble: no route\n"
				 "  botd: recipe trouble: /etc/stead/sites/a.json:3: frobnicate\n");
	recipe_trouble = database_trouble = NULL;
	assert_int_equal(ctl("user", "list", "--quiet"), 64);
	expect_in(err, "--quiet is for status alone");
}

/* Whoever names another directory, or is another user, is told so, and not that a daemon is down. */
static void test_where_it_is_not(void **state)
{
	const char *const list[] = { "user", "list", NULL };
	char path[128];

	(void)state;
	assert_int_equal(ctl_in("/nonexistent", "", list), 69);
	assert_string_equal(err, "steadctl: There is no socket /nonexistent/authd/control; is --socket-dir right, and is Stead started?\n");
	assert_int_equal(ctl_in("/nonexistent", "", (const char *const[]){ "status", NULL }), 69);
	assert_string_equal(out, "");
	if (geteuid() == 0)
		return; /* root may call everybody */
	snprintf(path, sizeof(path), "%s/authd/control", base);
	assert_int_equal(chmod(path, 0), 0);
	assert_int_equal(ctl_in(base, "", list), 77);
	expect_in(err, "Use sudo, or set control_user.");
	assert_int_equal(ctl_in(base, "", (const char *const[]){ "status", NULL }), 77);
	assert_int_equal(chmod(path, 0600), 0);
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
	assert_string_equal(err, "steadctl: There is a taken already.\n");
	assert_int_equal(ctl("booking", "list", "--limit", "7"), 75);
	expect_in(err, "at its limit");
	assert_int_equal(ctl("booking", "list", "--limit", "100000"), 64); /* the daemon checks: limit is 500 at most */
	assert_string_equal(err, "steadctl: limit must be between 1 and 500, not 100000.\n"); /* its name once */
	assert_int_equal(ctl("session", "list"), 69);
	expect_in(err, "systemctl status stead-sessiond");
}

static void test_usage(void **state)
{
	(void)state;
	assert_int_equal(ctl("nonsense"), 64);
	expect_in(err, "there is no command \"nonsense\". All are said by: steadctl help\n");
	assert_int_equal(ctl("usr", "list"), 64);
	expect_in(err, "did you mean \"user list\"?");
	assert_int_equal(ctl("staus"), 64);
	expect_in(err, "did you mean \"status\"?");
	assert_int_equal(ctl("user", "pass", "bob"), 64);
	expect_in(err, "did you mean \"user passwd\"?");
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
	assert_null(strstr(err, "did you mean"));
	assert_int_equal(ctl("booking", "list", "--limti", "5"), 64);
	expect_in(err, "did you mean --limit?");
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
	expect_in(out, "status                  Whether all is well, and how every part of Stead is.");
	expect_in(out, "Examples:\n  steadctl status ");
	expect_narrow(80);
	assert_int_equal(ctl("help"), 0);
	assert_int_equal(ctl("help", "user"), 0);
	expect_in(out, "  user list");
	assert_null(strstr(out, "booking"));
	assert_int_equal(ctl("help", "audit", "list"), 0);
	expect_in(out, "Usage: steadctl audit list");
	expect_narrow(80);
	assert_int_equal(ctl("help", "status"), 0);
	expect_in(out, "Exit status: 0 all is well; 69");
	expect_narrow(80);
	assert_int_equal(ctl("help", "nonsense"), 64);
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
	assert_int_equal(ctl("version"), 0);
	expect_in(out, "steadctl 0");
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
		TEST(test_log_is_never_cut),
		TEST(test_fits_the_terminal),
		TEST(test_slow),
		TEST(test_status),
		TEST(test_all_well),
		TEST(test_where_it_is_not),
		TEST(test_secret_from_input),
		TEST(test_refusals),
		TEST(test_usage),
		TEST(test_help),
		TEST(test_completion),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
