#include "launcher/app_links.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/words.h"
#include "launcher/lines.h"
#include "launcher/notices.h"

#define NAME        "xdg-settings"
#define PIPE        "app-links" /* in the profile, which is the browser's HOME */
#define MOST_SCHEME 64

bool app_links_asked(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');

	return strcmp(slash ? slash + 1 : argv0, NAME) == 0;
}

/* RFC 3986, section 3.1. */
static bool is_scheme(const char *text)
{
	size_t n = strlen(text);

	return n > 0 && n <= MOST_SCHEME && *text >= 'a' && *text <= 'z' &&
		strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+-.") == n;
}

static void app_links_pass_on(const char *scheme)
{
	const char *home = getenv("HOME");
	char path[PATH_MAX], line[MOST_SCHEME + 2];
	CLEANUP(closep) int fd = -1;

	if (!home || !exact_set(path, sizeof(path), "%s/" PIPE, home))
		return;
	exact_must(line, sizeof(line), "%s\n", scheme);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && write(fd, line, strlen(line)) < 0)
		errno = 0; /* nobody listens any more; it is refused all the same */
}

/* "xdg-settings check default-url-scheme-handler SCHEME OURSELVES"; anything else is answered by nobody here. */
int app_links_answer(int argc, char *argv[])
{
	if (argc < 4 || strcmp(argv[1], "check") != 0 || strcmp(argv[2], "default-url-scheme-handler") != 0)
		return EXIT_FAILURE;
	if (is_scheme(argv[3]))
		app_links_pass_on(argv[3]);
	printf("yes\n");
	return EXIT_SUCCESS;
}

static void on_wanted(void *arg, const char *scheme)
{
	if (is_scheme(scheme))
		notices_add(arg, NOTICE_APP, scheme, strlen(scheme), "");
}

/* A link, for a profile may lie where nothing can be executed. */
static int put_program(const char *profile)
{
	char self[PATH_MAX], path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return -errno;
	self[n] = '\0';
	if (!exact_set(path, sizeof(path), "%s/" APP_LINKS_BIN, profile))
		return -ENAMETOOLONG;
	if (mkdir(path, 0700) != 0)
		return -errno;
	if (!exact_set(path, sizeof(path), "%s/" APP_LINKS_BIN "/" NAME, profile))
		return -ENAMETOOLONG;
	return symlink(self, path) == 0 ? 0 : -errno;
}

/* Open for writing too, so that it has no end when a writer goes. */
static int open_pipe(const char *profile)
{
	char path[PATH_MAX];
	int fd;

	if (!exact_set(path, sizeof(path), "%s/" PIPE, profile))
		return -ENAMETOOLONG;
	if (mkfifo(path, 0600) != 0)
		return -errno;
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}

int app_links_new(const char *profile, struct notices *notices, struct lines **ret)
{
	int r = put_program(profile);
	int fd = r == 0 ? open_pipe(profile) : r;

	if (fd < 0)
		return fd;
	*ret = lines_new(fd, on_wanted, notices);
	return 0;
}
