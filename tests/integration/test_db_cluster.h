/*
 * A private PostgreSQL for one test program: in a directory of its own, on a Unix socket only, gone
 * at the end. Started by root it runs as "nobody" (PostgreSQL refuses to be root), or as
 * STEAD_TEST_USER names.
 */
#pragma once

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>
#include <libpq-fe.h>

#include "common/fiber.h"
#include "common/loop.h"

#ifndef PG_BIN
#define PG_BIN "/usr/lib/postgresql/15/bin"
#endif

struct cluster {
	char dir[64];       /* holds data/, the sockets and the server's log */
	char conninfo[160]; /* as its superuser, database postgres */
	pid_t postmaster;
	int notify; /* the server says READY=1 here (sd_notify(3)) */
};

static struct cluster cluster; /* the program's own */

static inline void cluster_die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* In a child: becomes the user PostgreSQL may run as, and ends with the test. */
static inline void cluster_drop(void)
{
	const char *name = getenv("STEAD_TEST_USER") ?: "nobody";
	const struct passwd *pw = getpwnam(name);

	if (geteuid() == 0 && (!pw || setgroups(0, NULL) != 0 || setgid(pw->pw_gid) != 0 ||
				      setuid(pw->pw_uid) != 0))
		cluster_die(name);
	prctl(PR_SET_PDEATHSIG, SIGQUIT);
}

static inline pid_t cluster_spawn(const struct cluster *c, char *const argv[])
{
	char log[128];
	pid_t pid = fork();

	if (pid < 0)
		cluster_die("fork");
	if (pid > 0)
		return pid;
	cluster_drop();
	snprintf(log, sizeof(log), "%s/log", c->dir);
	if (!freopen(log, "a", stdout) || dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
		cluster_die(log);
	execv(argv[0], argv);
	cluster_die(argv[0]);
	return -1;
}

static inline void cluster_run(const struct cluster *c, char *const argv[])
{
	int status;
	pid_t pid = cluster_spawn(c, argv);

	if (waitpid(pid, &status, 0) != pid || status != 0) {
		fprintf(stderr, "%s failed; %s/log says why\n", argv[0], c->dir);
		exit(EXIT_FAILURE);
	}
}

static inline int cluster_notify_socket(const struct cluster *c)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/notify", c->dir);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
		chmod(addr.sun_path, 0777) != 0)
		cluster_die(addr.sun_path);
	setenv("NOTIFY_SOCKET", addr.sun_path, 1);
	return fd;
}

static inline void cluster_launch(struct cluster *c)
{
	char data[96];

	snprintf(data, sizeof(data), "%s/data", c->dir);
	c->postmaster =
		cluster_spawn(c, (char *[]){ PG_BIN "/postgres", "-D", data, "-k", c->dir, "-c",
					 "listen_addresses=", "-c", "fsync=off", "-c",
					 "max_connections=60", "-c", "shared_buffers=16MB", NULL });
}

/* True when the datagram that is there says so. */
static inline bool cluster_said_ready(struct cluster *c)
{
	char text[256] = "";
	ssize_t n = recv(c->notify, text, sizeof(text) - 1, 0);

	return n > 0 && strstr(text, "READY=1");
}

static inline void cluster_start(struct cluster *c)
{
	cluster_launch(c);
	while (!cluster_said_ready(c))
		;
}

/*
 * SIGTERM smart, SIGINT fast, SIGQUIT immediate: as a crash, without farewell and with recovery at
 * the next start.
 */
static inline void cluster_stop(struct cluster *c, int signal)
{
	if (c->postmaster <= 0)
		return;
	kill(c->postmaster, signal);
	waitpid(c->postmaster, NULL, 0);
	c->postmaster = 0;
}

/* The same in a fiber, with the loop going on. */
static inline void cluster_stop_wait(struct cluster *c, int signal)
{
	int pidfd = (int)syscall(SYS_pidfd_open, c->postmaster, 0);

	kill(c->postmaster, signal);
	fiber_wait_fd(pidfd, EV_READ, NEVER);
	close(pidfd);
	waitpid(c->postmaster, NULL, 0);
	c->postmaster = 0;
}

static inline void cluster_start_wait(struct cluster *c)
{
	cluster_launch(c);
	do
		fiber_wait_fd(c->notify, EV_READ, NEVER);
	while (!cluster_said_ready(c));
}

static inline void cluster_chown(const struct cluster *c)
{
	const struct passwd *pw = getpwnam(getenv("STEAD_TEST_USER") ?: "nobody");

	if (geteuid() == 0 && (!pw || chown(c->dir, pw->pw_uid, pw->pw_gid) != 0))
		cluster_die(c->dir);
}

static inline void cluster_new(struct cluster *c)
{
	char data[96];

	*c = (struct cluster){ .dir = "/tmp/stead-pg-XXXXXX" };
	if (!mkdtemp(c->dir))
		cluster_die(c->dir);
	cluster_chown(c);
	c->notify = cluster_notify_socket(c);
	snprintf(data, sizeof(data), "%s/data", c->dir);
	snprintf(c->conninfo, sizeof(c->conninfo), "host=%s user=postgres dbname=postgres", c->dir);
	cluster_run(
		c, (char *[]){ PG_BIN "/initdb", "--no-sync", "--auth=trust", "--username=postgres",
			   "--encoding=UTF8", "--locale=C.UTF-8", "-D", data, NULL });
	cluster_start(c);
}

static inline void cluster_free(struct cluster *c)
{
	char command[128];

	cluster_stop(c, SIGQUIT);
	close(c->notify);
	snprintf(command, sizeof(command), "rm -rf '%s'", c->dir);
	if (system(command) != 0)
		fprintf(stderr, "%s could not be removed\n", c->dir);
}

static inline void cluster_ignore(void *arg, const char *message)
{
	(void)arg, (void)message;
}

/* Blocking; for set-up and for looking at things from outside. Ends the test when it fails. */
static inline PGconn *cluster_connect(const struct cluster *c)
{
	PGconn *pg = PQconnectdb(c->conninfo);

	if (PQstatus(pg) != CONNECTION_OK) {
		fprintf(stderr, "%s", PQerrorMessage(pg));
		exit(EXIT_FAILURE);
	}
	PQsetNoticeProcessor(pg, cluster_ignore, NULL);
	return pg;
}

/* Runs sql as the superuser; its first value as a number, or 0. */
static inline int64_t cluster_sql(const struct cluster *c, const char *sql)
{
	PGconn *pg = cluster_connect(c);
	PGresult *res = PQexec(pg, sql);
	int64_t value = 0;

	if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK) {
		fprintf(stderr, "%s\n%s", sql, PQerrorMessage(pg));
		exit(EXIT_FAILURE);
	}
	if (PQntuples(res) > 0)
		value = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	PQfinish(pg);
	return value;
}

static inline int64_t sql_number(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * The same with values in it, on the program's own cluster; the superuser is one whom row-level security does not hold
 * back.
 */
static inline int64_t sql_number(const char *format, ...)
{
	char sql[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(sql, sizeof(sql), format, args);
	va_end(args);
	return cluster_sql(&cluster, sql);
}

/* Runs what a file says, after some SQL before it; tests run in the source tree. */
static inline void cluster_file(const char *before, const char *path)
{
	static char text[65536];
	char *all = NULL;
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof(text), f) : 0;

	if (n == 0 || n == sizeof(text) || asprintf(&all, "%s%.*s", before, (int)n, text) < 0)
		cluster_die(path);
	fclose(f);
	cluster_sql(&cluster, all);
	free(all);
}

/* How a role reaches a database of it. */
static inline void cluster_conninfo(const char *role, const char *database, char *to, size_t size)
{
	snprintf(to, size, "host=%s user=%s dbname=%s", cluster.dir, role, database);
}

/* Of a group of tests: a cluster, and a loop to speak to it on. */
static inline int cluster_set_up(void **state)
{
	(void)state;
	cluster_new(&cluster);
	return loop_init();
}

static inline int cluster_tear_down(void **state)
{
	(void)state;
	cluster_free(&cluster);
	fiber_drop_stacks();
	loop_deinit();
	return 0;
}

/* Runs fn(arg) in a fiber and the loop until it returns. */
struct cluster_run {
	void (*fn)(void *arg);
	void *arg;
};

static inline void cluster_fiber_main(void *arg)
{
	struct cluster_run *run = arg;

	run->fn(run->arg);
	loop_stop();
}

static inline void in_fiber(void (*fn)(void *arg), void *arg)
{
	struct cluster_run run = { fn, arg };

	fiber_start("test", cluster_fiber_main, &run, NULL);
	loop_run();
}
