#include "streamd/browser/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/words.h"

extern char **environ;

int launch_socketpair(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 ? 0 : -errno;
}

/* The launcher gets its end as descriptor 3; it ends the browser when our end closes, however that happens. */
static int spawn(const char *program, int theirs)
{
	char *argv[] = { (char *)program, "--fd", "3", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, child;
	pid_t pid;
	int r;

	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD); /* we ignore it, so that launchers need no reaping; they must not */
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &child);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, theirs, 3);
	r = posix_spawn(&pid, program, &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return -r;
}

static int start_own(struct call *call, const char *program, struct peer **ret)
{
	int ends[2];
	int r = launch_socketpair(ends);

	if (r < 0)
		return r;
	/* dup2 to the same number would keep close-on-exec */
	CLEANUP(closep) int theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, 10);
	r = theirs < 0 ? -errno : spawn(program, theirs);
	close(ends[1]);
	if (r < 0) {
		close(ends[0]);
		log_error("cannot start the launcher %s: %s", program, strerror(-r));
		call_refuse(call, ERR_unavailable, NULL, "The browser could not be started on the server; its administrator finds out why.");
		return call_detail(call, "the launcher %s could not be started: %s", program, strerror(-r));
	}
	*ret = peer_adopt("streamd", "launcher", ends[0]);
	return 0;
}

/* One connection is one launcher, so it is never made again behind our back. */
static int launch_connect_to(struct call *call, const char *path, struct peer **ret)
{
	int fd = peer_socket(path);

	if (fd >= 0) {
		*ret = peer_adopt("streamd", "launcher", fd);
		return 0;
	}
	log_error("cannot reach the launcher at %s: %s", path, strerror(-fd));
	call_refuse(call, ERR_unavailable, NULL, "No browser can be started just now; try again in a moment.");
	return call_detail(call, "the launcher is not to be reached; why is said by: systemctl status stead-launcher.socket");
}

int launch_connect(struct call *call, const char *where, struct peer **ret)
{
	struct stat st;

	if (stat(where, &st) == 0 && S_ISSOCK(st.st_mode))
		return launch_connect_to(call, where, ret);
	return start_own(call, where, ret);
}

const char *launch_why(struct call *call, const char *which, int r)
{
	enum error_code code = r == REFUSED ? call->refusal.code : error_from_errno(r);

	if (code != ERR_maybe_done)
		return call_why(call, r);
	return words_new(call->arena, 100, "The %s was lost on the server while it was being started.", which);
}
