#include "common/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/span.h"
#include "common/words.h"

#define FIRST_FD 3
#define BACKLOG  128

/* Whoever can write in the directory can put a socket of their own there, and its callers would trust it. */
static int check_directory(const char *directory)
{
	struct stat st;

	if (mkdir(directory, 0750) != 0 && errno != EEXIST)
		return -errno;
	if (lstat(directory, &st) != 0)
		return -errno;
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022))
		return -EPERM;
	return 0;
}

static int remove_old(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
		return -EPERM;
	return unlink(path) == 0 ? 0 : -errno;
}

static int bind_and_listen(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (!exact_set(address.sun_path, sizeof(address.sun_path), "%s", path))
		return -ENAMETOOLONG;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || chmod(path, 0660) != 0 ||
		listen(fd, BACKLOG) != 0)
		return -errno;
	return 0;
}

int listen_at(const char *directory, const char *path)
{
	CLEANUP(closep) int fd = -1;
	int r = check_directory(directory);

	if (r == 0)
		r = remove_old(path);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = bind_and_listen(fd, path);
	return r < 0 ? r : TAKE_FD(fd);
}

int listen_inherited(const char *name)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	struct span names = span_of(getenv("LISTEN_FDNAMES")), each;

	if (!pid || !count || atol(pid) != getpid())
		return -ENOENT;
	for (int fd = FIRST_FD; fd < FIRST_FD + atoi(count) && span_next(&names, ":", &each); fd++) {
		if (!span_is(each, name))
			continue;
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		return fd;
	}
	return -ENOENT;
}
