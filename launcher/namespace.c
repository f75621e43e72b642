#include "launcher/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/words.h"

#define BACKLOG 128

static struct namespace_failure namespace_failed(const char *step)
{
	return (struct namespace_failure){ step, errno };
}

static const struct namespace_failure none;

static struct namespace_failure namespace_put(const char *path, const char *text)
{
	CLEANUP(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? write(fd, text, strlen(text)) : -1;

	return n == (ssize_t)strlen(text) ? none : namespace_failed(path);
}

/*
 * The ids stay what they are, so files keep their owner. Without "deny" the gid map may not be
 * written.
 */
static struct namespace_failure map_ids(uid_t uid, gid_t gid)
{
	struct namespace_failure f = namespace_put("/proc/self/setgroups", "deny");
	char line[64];

	exact_must(line, sizeof(line), "%u %u 1", (unsigned)uid, (unsigned)uid);
	if (!f.step)
		f = namespace_put("/proc/self/uid_map", line);
	exact_must(line, sizeof(line), "%u %u 1", (unsigned)gid, (unsigned)gid);
	if (!f.step)
		f = namespace_put("/proc/self/gid_map", line);
	return f;
}

static struct namespace_failure raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	CLEANUP(closep) int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s < 0)
		return namespace_failed("socket");
	request.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
	return ioctl(s, SIOCSIFFLAGS, &request) == 0 ? none : namespace_failed("SIOCSIFFLAGS");
}

struct namespace_failure namespace_enter(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	/* A change of user before us has cleared it, and /proc/self belongs to root then. */
	if (prctl(PR_SET_DUMPABLE, 1) != 0)
		return namespace_failed("PR_SET_DUMPABLE");
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return namespace_failed("unshare");
	struct namespace_failure f = map_ids(uid, gid);
	return f.step ? f : raise_loopback();
}

struct namespace_failure namespace_listen(int *ret_fd, uint16_t *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof(a);
	CLEANUP(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return namespace_failed("socket");
	if (bind(fd, (struct sockaddr *)&a, n) != 0 || listen(fd, BACKLOG) != 0 ||
		getsockname(fd, (struct sockaddr *)&a, &n) != 0)
		return namespace_failed("listen");
	*ret_fd = TAKE_FD(fd);
	*ret_port = ntohs(a.sin_port);
	return none;
}
