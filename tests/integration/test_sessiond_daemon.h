/*
 * For tests of sessiond: a private PostgreSQL with the vault's schema, the real program beside it,
 * and peers on its sockets. Tests run in the source tree; the programs are those of the same build
 * as the test.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <libgen.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/resource.h>

#include "common/cleanup.h"
#include "common/memfd.h"
#include "proto/peer.h"
#include "proto/sessiond.h"
#include "tests/integration/test_db_cluster.h"

struct vault {
	const char *name; /* tells two of them apart */
	char dir[80];     /* below the cluster's: sockets, key, log */
	char keys[128];   /* the key file */
	bool credential;  /* hand the key over as systemd does instead */
	bool unlocked;    /* without the right to lock memory */
	const char *more; /* a setting, or NULL */
	pid_t pid;
	struct peer *front, *stream, *bot, *control;
};

static const struct acting alice = { .user = 7, .name = "alice", .scopes = SCOPES_PERSON },
			   bob = { .user = 8, .name = "bob", .scopes = SCOPES_PERSON };

static inline void program_path(const char *name, char *path, size_t size)
{
	char self[256] = "";

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		cluster_die("/proc/self/exe");
	snprintf(path, size, "%s/../bin/%s", dirname(self), name);
}

/* The database */

static inline int migrate(const char *action, const char *to)
{
	char program[300], database[200];
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		program_path("stead-migrate", program, sizeof(program));
		cluster_conninfo("stead_migrate", "postgres", database, sizeof(database));
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
		execl(program, program, "--database", database, "--dir", "sessiond/schema",
			"--schema", "vault", action, to ? "--to" : NULL, to, NULL);
		cluster_die(program);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void database_new(void)
{
	cluster_new(&cluster);
	cluster_file("", "db/roles.sql");
	assert_int_equal(migrate("up", NULL), 0);
}

/* The program */

static inline void vault_paths(struct vault *v, const char *name)
{
	*v = (struct vault){ .name = name };
	snprintf(v->dir, sizeof(v->dir), "%s/%s", cluster.dir, name);
	snprintf(v->keys, sizeof(v->keys), "%s/keys", v->dir);
	mkdir(v->dir, 0700);
}

static inline void vault_exec(const struct vault *v)
{
	char program[300], log[128], notify[128], database[200], keys[160], state[120];
	int fd;

	program_path("sessiond", program, sizeof(program));
	snprintf(log, sizeof(log), "%s/log", v->dir);
	snprintf(notify, sizeof(notify), "%s/notify", v->dir);
	snprintf(database, sizeof(database), "database=host=%s user=stead_sessiond dbname=postgres",
		cluster.dir);
	snprintf(keys, sizeof(keys), "master_key_file=%s", v->keys);
	snprintf(state, sizeof(state), "state_dir=%s", v->dir);
	setenv("NOTIFY_SOCKET", notify, 1);
	if (v->credential) {
		setenv("CREDENTIALS_DIRECTORY", v->dir, 1);
		strcpy(keys, "master_key_file=");
	}
	if (v->unlocked) {
		setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ 4096, 4096 });
		prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK); /* root's exec gets only what is left */
	}
	setenv("ASAN_OPTIONS", "detect_leaks=0",
		0); /* it lets itself not be traced, which leak detection needs */
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, STDERR_FILENO);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execl(program, program, "--socket-dir", v->dir, "--set", database, "--set", keys, "--set",
		state, "--set", "master_key_create=1", "--set", "front_user=self", "--set", "stream_user=self",
		"--set", "bot_user=self", "--set", "control_user=self", v->more ? "--set" : NULL, v->more, NULL);
	cluster_die(program);
}

/* True once it says READY=1, false when it has ended instead. */
static inline bool vault_ready(int notify, pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd fds[2] = { { .fd = notify, .events = POLLIN },
		{ .fd = pidfd, .events = POLLIN } };
	bool ready = false;

	while (!ready && poll(fds, 2, 20000) > 0) {
		char text[512] = "";

		if (fds[0].revents)
			ready = recv(notify, text, sizeof(text) - 1, 0) > 0 &&
				strstr(text, "READY=1");
		else if (fds[1].revents)
			break;
	}
	close(pidfd);
	return ready;
}

static inline struct peer *vault_peer(const struct vault *v, const char *socket)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/sessiond/%s", v->dir, socket);
	return peer_new("test", "sessiond", path);
}

/*
 * Whether it started; its exit has been waited for if not. Blocking, so not for fibers that others
 * wait for.
 */
static inline bool vault_start(struct vault *v)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ready;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/notify", v->dir);
	unlink(addr.sun_path);
	if (notify < 0 || bind(notify, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		cluster_die(addr.sun_path);
	v->pid = fork();
	if (v->pid == 0)
		vault_exec(v);
	ready = vault_ready(notify, v->pid);
	close(notify);
	if (!ready)
		waitpid(v->pid, NULL, 0);
	if (!ready)
		v->pid = 0;
	if (!v->front) {
		v->front = vault_peer(v, "front");
		v->stream = vault_peer(v, "stream");
		v->bot = vault_peer(v, "bot");
		v->control = vault_peer(v, "control");
	}
	return ready;
}

/* With the loop going on, so that the peers see their connections close. */
static inline void vault_await_end(const struct vault *v)
{
	int pidfd = (int)syscall(SYS_pidfd_open, v->pid, 0);

	fiber_wait_fd(pidfd, EV_READ, NEVER);
	fiber_yield();
	close(pidfd);
}

/* Its exit status; -1 when a signal ended it. */
static inline int vault_stop(struct vault *v, int signal)
{
	int status = 0;

	if (v->pid <= 0)
		return 0;
	kill(v->pid, signal);
	if (fiber_self())
		vault_await_end(v);
	waitpid(v->pid, &status, 0);
	v->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void vault_free(struct vault *v)
{
	vault_stop(v, SIGKILL);
	v->front = peer_free(v->front);
	v->stream = peer_free(v->stream);
	v->bot = peer_free(v->bot);
	v->control = peer_free(v->control);
}

/* What it has said; while it does not run. */
static inline void vault_forget_log(const struct vault *v)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/log", v->dir);
	unlink(path);
}

/* As a sessiond that has seen nothing yet, and has not said that format 1 has ended; likewise. */
static inline void vault_forget_marks(const struct vault *v)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/marks", v->dir);
	unlink(path);
	vault_forget_log(v);
}

/* Whether its log, all of it so far, has this text. */
static inline bool vault_said(const struct vault *v, const char *text)
{
	char path[128];
	CLEANUP(freep) char *log = calloc(1, 1 << 20);
	FILE *f;

	snprintf(path, sizeof(path), "%s/log", v->dir);
	f = fopen(path, "r");
	if (!f)
		return false;
	size_t n = fread(log, 1, (1 << 20) - 1, f);
	fclose(f);
	return memmem(log, n, text, strlen(text)) != NULL;
}

static inline void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0 || chmod(path, mode) != 0)
		cluster_die(path);
}

/* Calls, each on a call of its own */

struct answer {
	int r;                /* 0, REFUSED or a negative errno */
	enum error_code code; /* of the refusal */
	char field[96], message[1100];
	int64_t id, version, token, other;
	bool changed;
	char health[16], account[64], which[8];
	size_t size;
	uint8_t state[4096]; /* its beginning */
};

static inline void answer_refusal(struct answer *a, const struct call *c)
{
	if (a->r != REFUSED)
		return;
	a->code = c->refusal.code;
	snprintf(a->field, sizeof(a->field), "%s", c->refusal.field);
	snprintf(a->message, sizeof(a->message), "%s", c->refusal.message);
}

struct save {
	const char *name, *site, *account, *in_place_of, *device; /* device: its fingerprint */
	int64_t replaces, token, session;
	const void *state;
	size_t size;
	bool unproved;
};

static inline struct answer vault_store(struct vault *v, const struct acting *who, struct save save)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, who, deadline_in(15000));
	struct session_store_params p = { .save = save.name,
		.site = save.site ?: "desk",
		.kind = save.device ? "device" : NULL,
		.fingerprint = save.device,
		.account = save.account ?: "a@example.org",
		.in_place_of = save.in_place_of,
		.replaces = save.replaces,
		.token = save.token,
		.session = save.session,
		.proved_at_ms = save.unproved ? 0 : wall_now(),
		.state = -1 };
	struct session_store_result r;
	struct answer a = { 0 };

	assert_int_equal(
		memfd_new("state", save.state, save.size ?: strlen(save.state), &p.state), 0);
	a.r = call_session_store(c, v->stream, &p, &r);
	close(p.state);
	answer_refusal(&a, c);
	if (a.r == 0) {
		a.id = r.id;
		a.version = r.version;
	}
	return a;
}

static inline struct answer vault_fetch_named(struct vault *v, const struct acting *who, struct session_fetch_params p)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, who, deadline_in(15000));
	struct session_fetch_result r;
	struct answer a = { .r = call_session_fetch(c, v->bot, &p, &r) };
	struct memfd_view view;

	answer_refusal(&a, c);
	if (a.r < 0)
		return a;
	assert_int_equal(memfd_map(r.state, 64 << 20, &view), 0);
	a.size = view.size;
	memcpy(a.state, view.data, view.size < sizeof(a.state) ? view.size : sizeof(a.state) - 1);
	memfd_unmap(&view);
	a.version = r.version;
	a.other = r.other;
	snprintf(a.which, sizeof(a.which), "%s", r.which);
	snprintf(a.health, sizeof(a.health), "%s", r.health);
	snprintf(a.account, sizeof(a.account), "%s", r.account);
	return a;
}

static inline struct answer vault_fetch_state(
	struct vault *v, const struct acting *who, const char *site, const char *which)
{
	return vault_fetch_named(v, who, (struct session_fetch_params){ .site = site, .which = which });
}

static inline struct answer vault_fetch(struct vault *v, const struct acting *who, const char *site)
{
	return vault_fetch_state(v, who, site, NULL);
}

static inline struct answer vault_lease(
	struct vault *v, const struct acting *who, const char *holder, int64_t ms)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, who, deadline_in(15000));
	struct session_lease_params p = { .site = "desk", .holder = holder, .ms = ms };
	struct session_lease_result r;
	struct answer a = { .r = call_session_lease(c, v->bot, &p, &r) };

	answer_refusal(&a, c);
	if (a.r == 0) {
		a.token = r.token;
		a.version = r.version;
	}
	return a;
}

static inline struct answer vault_told(struct vault *v, const struct acting *who, struct session_report_params p)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, who, deadline_in(15000));
	struct session_report_result r;
	struct answer a = { .r = call_session_report(c, v->bot, &p, &r) };

	answer_refusal(&a, c);
	a.changed = a.r == 0 && r.changed;
	return a;
}

/* The site has shown that it works; settles: after its last visit. */
static inline struct answer vault_works(struct vault *v, const struct acting *who, int64_t version, int64_t at, bool settles)
{
	return vault_told(v, who, (struct session_report_params){ .site = "desk", .version = version, .health = "working",
		.proved_at_ms = at, .settles = settles });
}

static inline struct answer vault_report(struct vault *v, const struct acting *who, int64_t version,
	const char *health, const char *reason)
{
	return vault_told(v, who, (struct session_report_params){ .site = "desk", .version = version, .health = health, .reason = reason });
}

static inline void assert_done(const struct answer *a)
{
	if (a->r == REFUSED)
		fail_msg("refused (%s): %s", error_row(a->code)->name, a->message);
	assert_int_equal(a->r, 0);
}

static inline void assert_refused(const struct answer *a, enum error_code code, const char *field)
{
	if (a->r != REFUSED)
		fail_msg("not refused: %d", a->r);
	if (a->code != code)
		fail_msg("refused as %s, not %s: %s", error_row(a->code)->name,
			error_row(code)->name, a->message);
	assert_string_equal(a->field, field);
	assert_true(strlen(a->message) > 20);
}

static inline void assert_state(const struct answer *a, const char *text)
{
	assert_done(a);
	assert_int_equal(a->size, strlen(text));
	assert_memory_equal(a->state, text, a->size);
}

/*
 * The group's set-up and tear-down: one cluster and one vault for all its tests, which are fibers.
 */

static struct vault vault;

static inline int vault_group_set_up(void **state)
{
	(void)state;
	database_new();
	assert_int_equal(loop_init(), 0);
	vault_paths(&vault, "a");
	assert_true(vault_start(&vault));
	return 0;
}

/*
 * An assertion that fails leaves its fiber by a long jump, and the loop with it: nothing can run
 * after that.
 */
static bool vault_test_under_way;

static inline int vault_group_tear_down(void **state)
{
	(void)state;
	if (vault_test_under_way) {
		kill(vault.pid, SIGKILL);
	} else {
		vault_free(&vault);
		fiber_drop_stacks();
		loop_deinit();
	}
	cluster_free(&cluster);
	return 0;
}

/* Each test begins with an empty vault that runs. */
static inline int vault_test_set_up(void **state)
{
	(void)state;
	if (vault_test_under_way)
		return -1;
	sql_number("DELETE FROM vault.sessions");
	return vault.pid > 0 || vault_start(&vault) ? 0 : -1;
}

#define VAULT_TEST(name)                                                                           \
	{                                                                                          \
#name, vault_run_test, vault_test_set_up, NULL, (void *)name                       \
	}

static inline void vault_run_test(void **state)
{
	vault_test_under_way = true;
	in_fiber((void (*)(void *)) * state, NULL);
	vault_test_under_way = false;
}
