/* Listening sockets: where one may stand, and which one the service manager meant. */
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
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/listen.h"

static char base[64], directory[96], path[128];

static int set_up(void **state)
{
	(void)state;
	strcpy(base, "/tmp/stead-listen-XXXXXX");
	if (!mkdtemp(base))
		return -1;
	snprintf(directory, sizeof(directory), "%s/daemon", base);
	snprintf(path, sizeof(path), "%s/front", directory);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	unlink(directory);
	rmdir(directory);
	return rmdir(base);
}

static int connect_to(const char *to)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, to);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -errno;
}

static void test_made(void **state)
{
	struct stat st;
	mode_t before = umask(0);
	int fd = listen_at(directory, path), caller;

	(void)state;
	umask(before);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(stat(directory, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	caller = connect_to(path);
	assert_true(caller >= 0);
	close(caller);
	close(fd);
	fd = listen_at(directory, path); /* an old one of ours is replaced */
	assert_true(fd >= 0);
	caller = connect_to(path);
	assert_true(caller >= 0);
	close(caller);
	close(fd);
}

static void test_planted(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(mkdir(directory, 0700), 0);
	assert_int_equal(symlink("/nonexistent", path), 0);
	assert_int_equal(listen_at(directory, path), -EPERM);
	assert_int_equal(lstat(path, &st), 0); /* and it is still there for whoever looks into it */
	assert_int_equal(unlink(path), 0);
	int fd = open(path, O_CREAT | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(listen_at(directory, path), -EPERM);
	if (geteuid() == 0) {
		unlink(path);
		fd = listen_at(directory, path);
		close(fd);
		assert_int_equal(chown(path, 4242, 4242), 0);
		assert_int_equal(listen_at(directory, path), -EPERM); /* somebody else's socket */
	}
}

static void test_directory(void **state)
{
	char link[128];

	(void)state;
	assert_int_equal(mkdir(directory, 0700), 0);
	chmod(directory, 0770);
	assert_int_equal(listen_at(directory, path), -EPERM);
	chmod(directory, 0702);
	assert_int_equal(listen_at(directory, path), -EPERM);
	chmod(directory, 0700);
	snprintf(link, sizeof(link), "%s/link", base);
	assert_int_equal(symlink(directory, link), 0);
	assert_int_equal(listen_at(link, path), -EPERM);
	unlink(link);
	if (geteuid() == 0) {
		assert_int_equal(chown(directory, 4242, 0), 0);
		assert_int_equal(listen_at(directory, path), -EPERM);
	}
	rmdir(directory);
	assert_int_equal(close(open(directory, O_CREAT | O_CLOEXEC, 0600)), 0);
	assert_int_equal(listen_at(directory, path), -EPERM);
	assert_int_equal(listen_at("/nonexistent/deep/down", "/nonexistent/deep/down/x"), -ENOENT);
}

static void test_too_long(void **state)
{
	char long_path[300];

	(void)state;
	snprintf(long_path, sizeof(long_path), "%s/%0120d", directory, 7);
	int before = dup(0);
	close(before);
	assert_int_equal(listen_at(directory, long_path), -ENAMETOOLONG);
	int after = dup(0);
	close(after);
	assert_int_equal(before, after); /* nothing is left open */
}

/* In a child, for the variables and descriptors are the process's own. */
static int inherited(const char *pid, const char *count, const char *names, const char *wanted)
{
	char own[24];
	int status;
	pid_t child = fork();

	if (child == 0) {
		snprintf(own, sizeof(own), "%ld", (long)getpid());
		for (int fd = 3; fd < 6; fd++)
			dup2(STDIN_FILENO, fd);
		setenv("LISTEN_PID", pid ? pid : own, 1);
		setenv("LISTEN_FDS", count, 1);
		setenv("LISTEN_FDNAMES", names, 1);
		int fd = listen_inherited(wanted);
		if (fd >= 0 && (fcntl(fd, F_GETFD) != FD_CLOEXEC || !(fcntl(fd, F_GETFL) & O_NONBLOCK)))
			_exit(99);
		_exit(fd >= 0 ? fd : fd == -ENOENT ? 0 : 98);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_inherited(void **state)
{
	(void)state;
	assert_int_equal(inherited(NULL, "3", "front:stream:control", "front"), 3);
	assert_int_equal(inherited(NULL, "3", "front:stream:control", "stream"), 4);
	assert_int_equal(inherited(NULL, "3", "front:stream:control", "control"), 5);
	assert_int_equal(inherited(NULL, "3", "front:stream:control", "cont"), 0);
	assert_int_equal(inherited(NULL, "3", "front:stream:control", ""), 0);
	assert_int_equal(inherited(NULL, "2", "front:stream:control", "control"), 0); /* not passed after all */
	assert_int_equal(inherited(NULL, "3", "front", "stream"), 0);
	assert_int_equal(inherited("1", "3", "front:stream:control", "front"), 0); /* meant for another process */
	assert_int_equal(inherited(NULL, "-1", "front", "front"), 0);
	unsetenv("LISTEN_PID");
	assert_int_equal(listen_inherited("front"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_made, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_planted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_long, set_up, tear_down),
		cmocka_unit_test(test_inherited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
