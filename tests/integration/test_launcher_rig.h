/*
 * A real stead-launcher with a real Chromium, a CDP client of a few lines, and an HTTP server to be
 * reached by it.
 *
 * Started by root, the launcher runs as "nobody", or as STEAD_TEST_USER names, for Chromium's
 * sandbox needs a user.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/arena.h"
#include "common/cbor.h"
#include "common/cbor_out.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "proto/launcher.h"
#include "proto/peer.h"

#define CHROMIUM  "/usr/lib/chromium/chromium"
#define CDP_MS    20000
#define MOST_PIDS 128

struct rig {
	char root[64];
	bool no_namespaces; /* for the launcher */
	pid_t pid;
	int pidfd;
	struct peer *peer;
	int cdp;
	int last_id;
	uint8_t *in;
	size_t in_length;
	struct arena *arena; /* of messages */
	char session[64];    /* the page's */
};

struct process {
	pid_t pid;
	unsigned long long started;
};

static inline const struct passwd *rig_user(void)
{
	return getpwnam(getenv("STEAD_TEST_USER") ?: "nobody");
}

/* bin/stead-launcher beside tests/. */
static inline void rig_program(char *path, size_t size)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(n > 0);
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(path, size, "%s/bin/stead-launcher", self);
}

/* unshare(2) fails from here on, as it does where the kernel gives users no namespaces. */
static inline void rig_forbid_namespaces(void)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = 4, .filter = steps };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(125);
}

static inline void rig_exec(const struct rig *rig, int fd, bool as_root)
{
	const struct passwd *pw = rig_user();
	char program[PATH_MAX + 32], number[16];

	rig_program(program, sizeof(program));
	snprintf(number, sizeof(number), "%d", fd);
	fcntl(fd, F_SETFD, 0);
	if (geteuid() == 0 && !as_root &&
		(!pw || setgroups(0, NULL) != 0 ||
			setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
			setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0))
		_exit(126);
	if (rig->no_namespaces)
		rig_forbid_namespaces();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getenv("STEAD_TEST_DEBUG"))
		execl(program, program, "--fd", number, "--profile-dir", rig->root, "--client-uid",
			"0", "--debug", NULL);
	execl(program, program, "--fd", number, "--profile-dir", rig->root, NULL);
	_exit(127);
}

static inline void rig_root(struct rig *rig)
{
	const struct passwd *pw = rig_user();

	strcpy(rig->root, "/tmp/stead-lt-XXXXXX");
	assert_non_null(mkdtemp(rig->root));
	if (geteuid() == 0)
		assert_int_equal(chown(rig->root, pw->pw_uid, pw->pw_gid), 0);
}

/* Starts a launcher, with rig->root as the place for profiles. */
static inline void rig_launch(struct rig *rig, bool as_root)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	rig->pid = fork();
	assert_true(rig->pid >= 0);
	if (rig->pid == 0)
		rig_exec(rig, pair[1], as_root);
	close(pair[1]);
	rig->pidfd = (int)syscall(SYS_pidfd_open, rig->pid, 0);
	rig->peer = peer_adopt("test", "launcher", pair[0]);
	rig->arena = arena_new(0);
	rig->cdp = -1;
}

/* Waits for the launcher's end, which must come within 2 s; its status. */
static inline int rig_wait(struct rig *rig)
{
	int status;

	assert_int_equal(fiber_wait_fd(rig->pidfd, EV_READ, deadline_in(20000)), EV_READ);
	assert_int_equal(waitpid(rig->pid, &status, 0), rig->pid);
	return status;
}

static inline void rig_close(struct rig *rig)
{
	rig->peer = peer_free(rig->peer);
	rig->arena = arena_free(rig->arena);
	closep(&rig->cdp);
	closep(&rig->pidfd);
	free(rig->in);
	rig->in = NULL;
	rig->in_length = 0;
	rig->session[0] = '\0';
}

static inline struct call *rig_call(void)
{
	return call_new(NULL, NULL, deadline_in(CDP_MS));
}

/* browser_start with rig->cdp as our end; the rest is in p. */
static inline int rig_start(struct rig *rig, struct call *call, struct browser_start_params *p,
	struct browser_start_result *ret)
{
	int pair[2], r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	rig->cdp = pair[0];
	fcntl(rig->cdp, F_SETFL, O_NONBLOCK);
	p->cdp = pair[1];
	r = call_browser_start(call, rig->peer, p, ret);
	close(pair[1]);
	return r;
}

/* CDP */

static inline void rig_send(
	struct rig *rig, const char *method, const char *key, const char *value, bool flatten)
{
	CLEANUP(cbor_out_freep) struct cbor_out *o = cbor_out_new();
	const uint8_t *p;
	size_t n;

	cbor_cdp_map_begin(o);
	cbor_put_text(o, "id");
	cbor_cdp_int(o, ++rig->last_id);
	cbor_put_text(o, "method");
	cbor_put_text(o, method);
	if (*rig->session) {
		cbor_put_text(o, "sessionId");
		cbor_put_text(o, rig->session);
	}
	cbor_put_text(o, "params");
	cbor_cdp_map_begin(o);
	if (key) {
		cbor_put_text(o, key);
		cbor_put_text(o, value);
	}
	if (flatten) {
		cbor_put_text(o, "flatten");
		cbor_put_bool(o, true);
	}
	if (key && strcmp(key, "expression") == 0) {
		cbor_put_text(o, "awaitPromise");
		cbor_put_bool(o, true);
	}
	cbor_cdp_map_end(o);
	cbor_cdp_map_end(o);
	assert_int_equal(cbor_out_finish(o, &p, &n), 0);
	assert_int_equal(write(rig->cdp, p, n), n);
}

/* A whole message in the buffer, or NULL. */
static inline const struct cbor *rig_parse(struct rig *rig)
{
	const struct cbor *v;
	const uint8_t *p = rig->in;

	if (rig->in_length < 7)
		return NULL;
	size_t n = 7 + ((size_t)p[3] << 24 | (size_t)p[4] << 16 | (size_t)p[5] << 8 | p[6]);
	if (rig->in_length < n)
		return NULL;
	uint8_t *copy = arena_memdup(rig->arena, p, n);
	memmove(rig->in, rig->in + n, rig->in_length -= n);
	assert_int_equal(cbor_parse(rig->arena, copy, n, CBOR_ITEMS_DEFAULT, &v), 0);
	return v;
}

static inline const struct cbor *rig_message(struct rig *rig)
{
	const struct cbor *v;

	while (!(v = rig_parse(rig))) {
		assert_true(fiber_wait_fd(rig->cdp, EV_READ, deadline_in(CDP_MS)) > 0);
		rig->in = realloc(rig->in, rig->in_length + 65536);
		ssize_t n = read(rig->cdp, rig->in + rig->in_length, 65536);
		assert_true(n > 0);
		rig->in_length += (size_t)n;
	}
	return v;
}

/* The result of the call sent last. */
static inline const struct cbor *rig_reply(struct rig *rig)
{
	for (;;) {
		const struct cbor *v = rig_message(rig);
		if (cbor_get_int(v, "id", 0) == rig->last_id) {
			if (cbor_get(v, "error"))
				print_error("%s\n",
					cbor_get_utf8(rig->arena, cbor_get(v, "error"), "message"));
			return cbor_get(v, "result");
		}
	}
}

static inline const struct cbor *rig_cdp(
	struct rig *rig, const char *method, const char *key, const char *value)
{
	rig_send(rig, method, key, value, false);
	return rig_reply(rig);
}

/* Attaches to the page that is there from the start. */
static inline void rig_attach(struct rig *rig)
{
	const struct cbor *list =
		cbor_get(rig_cdp(rig, "Target.getTargets", NULL, NULL), "targetInfos");
	const char *id = NULL;

	for (const struct cbor *t = cbor_first(list); t; t = cbor_next(t))
		if (strcmp(cbor_get_utf8(rig->arena, t, "type"), "page") == 0)
			id = cbor_get_utf8(rig->arena, t, "targetId");
	assert_non_null(id);
	rig_send(rig, "Target.attachToTarget", "targetId", id, true);
	snprintf(rig->session, sizeof(rig->session), "%s",
		cbor_get_utf8(rig->arena, rig_reply(rig), "sessionId"));
	rig_cdp(rig, "Page.enable", NULL, NULL);
}

/* Goes there and waits until it is loaded; the error's text, or NULL. */
static inline const char *rig_navigate(struct rig *rig, const char *url)
{
	rig_send(rig, "Page.navigate", "url", url, false);
	const char *error = cbor_get_utf8(rig->arena, rig_reply(rig), "errorText");

	while (!error) {
		const char *method = cbor_get_utf8(rig->arena, rig_message(rig), "method");
		if (method && strcmp(method, "Page.loadEventFired") == 0)
			break;
	}
	return error;
}

/* What an expression gives, as text. */
static inline const char *rig_evaluate(struct rig *rig, const char *expression)
{
	const struct cbor *r = rig_cdp(rig, "Runtime.evaluate", "expression", expression);

	return cbor_get_utf8(rig->arena, cbor_get(r, "result"), "value") ?: "(no text)";
}

/* Processes */

static inline bool process_read(
	pid_t pid, pid_t *ret_parent, unsigned long long *ret_started, char *ret_state)
{
	char path[64], line[1024];
	FILE *f;
	bool ok = false;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fgets(line, sizeof(line), f) && strrchr(line, ')'))
		ok = sscanf(strrchr(line, ')') + 2,
			     "%c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			     "%*s %*s %llu",
			     ret_state, ret_parent, ret_started) == 3;
	fclose(f);
	return ok;
}

/* All descendants of pid. */
static inline size_t process_tree(pid_t pid, struct process *all, size_t count)
{
	DIR *d = opendir("/proc");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		pid_t child = atoi(e->d_name), parent;
		unsigned long long started;
		char state;
		if (child <= 0 || !process_read(child, &parent, &started, &state) || parent != pid)
			continue;
		assert_true(count < MOST_PIDS);
		all[count++] = (struct process){ child, started };
		count = process_tree(child, all, count);
	}
	closedir(d);
	return count;
}

static inline size_t process_living(const struct process *all, size_t count)
{
	size_t living = 0;

	for (size_t i = 0; i < count; i++) {
		pid_t parent;
		unsigned long long started;
		char state;
		living += process_read(all[i].pid, &parent, &started, &state) &&
			  started == all[i].started && state != 'Z';
	}
	return living;
}

/*
 * Within two seconds none of them is left; the milliseconds it took. There is no event for a
 * stranger's end.
 */
static inline int64_t process_gone(const struct process *all, size_t count)
{
	int64_t began = loop_now();

	while (process_living(all, count)) {
		if (loop_now() - began > 2000)
			fail_msg("%zu processes of the browser outlived it",
				process_living(all, count));
		fiber_sleep_until(deadline_in(5));
	}
	return loop_now() - began;
}

static inline bool process_has(pid_t pid, const char *file, const char *text)
{
	char path[64], all[65536];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, all, sizeof(all) - 1) : 0;
	closep(&fd);
	return n > 0 && memmem(all, (size_t)n, text, strlen(text));
}

/* Entries below a directory. */
static inline size_t directory_count(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;

	while (d && readdir(d))
		n++;
	closedir(d);
	return n - 2;
}
