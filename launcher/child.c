#include "launcher/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/beside.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "common/words.h"
#include "launcher/launcher.h"
#include "launcher/namespace.h"

#define SETUP_MS   30000
#define FIRST_FREE 10 /* above the descriptors that Chromium is given */
#define CDP_IN     3
#define CDP_OUT    4

/*
 * What the child says on its way: a listening socket beside a report without a step, or what
 * failed.
 */
struct report {
	char step[48];
	int error;
};

static void send_report(int fd, const char *step, int error, int listener)
{
	struct report report = { .error = error };
	const struct iovec iov = { &report, sizeof(report) };

	words_set(report.step, sizeof(report.step), "%s", step);
	beside_send(fd, &iov, 1, listener);
}

static void child_fail(int report, const char *step)
{
	send_report(report, step, errno, -1);
	_exit(127);
}

/* What this process ignores or handles must not follow. */
static void reset_signals(void)
{
	sigset_t none;

	for (int n = 1; n < NSIG; n++)
		signal(n, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void set_limit(int resource, rlim_t most)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) == 0 &&
		(limit.rlim_max == RLIM_INFINITY || limit.rlim_max > most)) {
		limit.rlim_cur = limit.rlim_max = most;
		setrlimit(resource, &limit);
	}
}

/*
 * No core: it would hold a session. Address space and processes are not limited here: Chromium
 * reserves terabytes, and processes are counted per user; the unit's MemoryMax and TasksMax hold
 * both.
 */
static void set_limits(void)
{
	CLEANUP(closep) int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	set_limit(RLIMIT_CORE, 0);
	set_limit(RLIMIT_NOFILE, 8192);
	set_limit(RLIMIT_FSIZE, (rlim_t)1 << 30);
	if (fd >= 0 && write(fd, "300", 3) != 3) /* the browser before its launcher, which has to say what happened */
		errno = 0;
}

/*
 * The kernel forgets this setting at every change of credentials, so it comes after the namespaces.
 */
static void die_with(pid_t parent, int report)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		child_fail(report, "PR_SET_PDEATHSIG");
	if (getppid() != parent)
		_exit(127);
}

static void place_fds(const struct child_plan *plan, int report)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, 0) < 0 || dup2(plan->error_pipe, 1) < 0 ||
		dup2(plan->error_pipe, 2) < 0)
		child_fail(report, "dup2");
	if (plan->cdp >= 0 && (dup2(plan->cdp, CDP_IN) < 0 || dup2(plan->cdp, CDP_OUT) < 0))
		child_fail(report, "dup2");
	/*
	 * Of what is above, exec closes all, the report's socket too: its end tells the parent that
	 * exec has happened.
	 */
	if (close_range(plan->cdp >= 0 ? CDP_OUT + 1 : CDP_IN, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
		child_fail(report, "close_range");
}

static void child_enter(const struct child_plan *plan, int report)
{
	struct namespace_failure f = namespace_enter();
	uint16_t port = 0;
	int listener = -1;

	if (!f.step)
		f = namespace_listen(&listener, &port);
	if (f.step) {
		errno = f.error;
		child_fail(report, f.step);
	}
	exact_must(plan->proxy, CHILD_PROXY, "--proxy-server=http://127.0.0.1:%u", (unsigned)port);
	send_report(report, "", 0, listener);
	close(listener);
}

static void run_child(const struct child_plan *plan, int report, pid_t parent)
{
	reset_signals();
	setsid();
	set_limits();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		child_fail(report, "PR_SET_NO_NEW_PRIVS");
	if (plan->cdp >= 0)
		child_enter(plan, report);
	die_with(parent, report);
	place_fds(plan, report);
	execve(plan->argv[0], plan->argv, plan->envp);
	child_fail(report, "exec");
}

/*
 * 1 with a report, 0 when the child has closed its end, or a negative errno. *listener is set if
 * one came.
 */
static int receive_report(int fd, struct report *report, int *listener)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { report, sizeof(*report) };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space)};
	int r = fiber_wait_fd(fd, EV_READ, deadline_in(SETUP_MS));

	if (r < 0)
		return r;
	ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	if (h && h->cmsg_type == SCM_RIGHTS)
		memcpy(listener, CMSG_DATA(h), sizeof(int));
	return n == (ssize_t)sizeof(*report) ? 1 : n == 0 ? 0 : n < 0 ? -errno : -EPROTO;
}

static int refuse_exec(struct call *call, const char *path, int error)
{
	call_refuse(call, ERR_unavailable, "chromium", NO_BROWSER);
	return call_detail(call,
		"The browser %s could not be started: %s. Install Debian's package chromium "
		"(apt-get install chromium), or give the path of its binary in the settings.",
		path, strerror(error));
}

static int child_refuse(struct call *call, const struct child_plan *plan, const struct report *report)
{
	if (strcmp(report->step, "exec") == 0)
		return refuse_exec(call, plan->argv[0], report->error);
	call_refuse(call, ERR_unavailable, NULL, NO_BROWSER);
	if (strcmp(report->step, "unshare") == 0 || strncmp(report->step, "/proc/self/", 11) == 0)
		return call_detail(call,
			"The kernel does not let user %u make a browser's namespaces (%s: %s): with sysctl, set "
			"user.max_user_namespaces above 0 and, where the kernel has them, kernel.unprivileged_userns_clone=1 or "
			"kernel.apparmor_restrict_unprivileged_userns=0; in a unit, allow RestrictNamespaces=user pid net.",
			(unsigned)geteuid(), report->step, strerror(report->error));
	return call_detail(call,
		"The browser %s could not be started: %s failed (%s). The journal of the "
		"launcher's unit may say more.",
		plan->argv[0], report->step, strerror(report->error));
}

/* Reads reports until exec has happened. */
static int child_follow(struct call *call, const struct child_plan *plan, int fd, int *listener)
{
	struct report report = { .error = 0 };
	int r;

	while ((r = receive_report(fd, &report, listener)) == 1) {
		report.step[sizeof(report.step) - 1] = '\0';
		if (*report.step)
			return child_refuse(call, plan, &report);
	}
	if (r < 0 || plan->cdp < 0 || *listener >= 0)
		return r;
	call_refuse(call, ERR_unavailable, NULL, NO_BROWSER);
	return call_detail(call,
		"The process that was to become %s was killed before it had; there may be too little memory.", plan->argv[0]);
}

/* Out of the way of the descriptors that the child places. */
static int raise_fd(int fd)
{
	return fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE);
}

int child_start(struct call *call, const struct child_plan *plan, pid_t *ret_pid, int *ret_listener)
{
	CLEANUP(closep) int ours = -1;
	CLEANUP(closep) int theirs = -1;
	CLEANUP(closep) int cdp = raise_fd(plan->cdp);
	CLEANUP(closep) int error_pipe = raise_fd(plan->error_pipe);
	CLEANUP(closep) int listener = -1;
	struct child_plan raised = *plan;
	int pair[2], r;
	pid_t parent = getpid(), pid;

	if (error_pipe < 0 || (plan->cdp >= 0 && cdp < 0))
		return -errno;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	ours = pair[0];
	theirs = raise_fd(pair[1]);
	close(pair[1]);
	raised.cdp = cdp;
	raised.error_pipe = error_pipe;
	pid = theirs < 0 ? -1 : fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		run_child(&raised, theirs, parent);
	*ret_pid = pid;
	close(TAKE_FD(theirs));
	r = child_follow(call, plan, ours, &listener);
	if (r < 0)
		return r;
	if (ret_listener)
		*ret_listener = TAKE_FD(listener);
	return 0;
}
