#include "launcher/useragent.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "launcher/child.h"
#include "launcher/command.h"
#include "launcher/launcher.h"

#define VERSION_MS 30000 /* the file may have to come from the disk first */

/* Reads to the end, or until the line is full. */
static int useragent_read_answer(int fd, char *text, size_t size)
{
	int64_t deadline = deadline_in(VERSION_MS);
	size_t n = 0;

	while (n < size - 1) {
		int r = fiber_wait_fd(fd, EV_READ, deadline);
		if (r < 0)
			return r;
		ssize_t got = read(fd, text + n, size - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	text[n] = '\0';
	return 0;
}

static int useragent_ask(
	struct call *call, const char *chromium, const char *profile, char *text, size_t size)
{
	struct command command = command_for_version(call->arena, chromium, profile);
	CLEANUP(closep) int reading = -1;
	CLEANUP(closep) int writing = -1;
	pid_t pid;
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	reading = ends[0];
	writing = ends[1];
	struct child_plan plan = {
		.argv = command.argv, .envp = command.envp, .cdp = -1, .error_pipe = writing};
	r = child_start(call, &plan, &pid, NULL);
	if (r < 0)
		return r;
	close(TAKE_FD(writing));
	r = useragent_read_answer(reading, text, size);
	if (r < 0)
		kill(-pid, SIGKILL);
	return r;
}

/* The first number behind "Chromium " or "Chrome ": -1 if there is none. */
static int major_version(const char *text)
{
	const char *name = strstr(text, "Chrom"), *space = name ? strchr(name, ' ') : NULL;
	int n = 0;

	for (space = space ? space + 1 : ""; isdigit((unsigned char)*space) && n < 10000; space++)
		n = n * 10 + (*space - '0');
	return n && *space == '.' ? n : -1;
}

int useragent_of(struct call *call, const char *chromium, const char *profile, const char **ret)
{
	char text[256];
	int r = useragent_ask(call, chromium, profile, text, sizeof(text));
	int major = r == 0 ? major_version(text) : -1;

	if (r < 0 && r != -ETIMEDOUT)
		return r;
	if (major < 0) {
		call_refuse(call, ERR_unavailable, "chromium", NO_BROWSER);
		return call_detail(call,
			"%s does not say its version when called with --version, so it is no "
			"Chromium that Stead can use; install Debian's package chromium or correct "
			"the path in the settings.",
			chromium);
	}
	*ret = arena_printf(call->arena,
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
		"Chrome/%d.0.0.0 Safari/537.36",
		major);
	return 0;
}
