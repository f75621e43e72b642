#include "launcher/family.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "common/words.h"

int family_init(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 ? 0 : -errno;
}

void family_reap(family_reaped *reaped, void *arg)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		reaped(pid, status, arg);
}

static void kill_children_of_thread(const char *thread)
{
	CLEANUP(freep) char *path = exact_new("/proc/self/task/%s/children", thread);
	CLEANUP(fclosep) FILE *list = fopen(path, "re");
	int pid;

	while (list && fscanf(list, "%d", &pid) == 1)
		kill(pid, SIGKILL);
}

/* An orphan may have been given to any of our threads. */
static void kill_children(void)
{
	CLEANUP(closedirp) DIR *threads = opendir("/proc/self/task");
	struct dirent *entry;

	while (threads && (entry = readdir(threads)))
		if (entry->d_name[0] != '.')
			kill_children_of_thread(entry->d_name);
}

void family_kill(pid_t group, family_reaped *reaped, void *arg)
{
	int status;
	pid_t pid;

	/*
	 * Every child has been killed before waitpid() blocks, and a grandchild becomes a child
	 * only by the death of one, so each turn comes to an end and at the last there is nobody
	 * left.
	 */
	do {
		if (group > 0)
			kill(-group, SIGKILL);
		kill_children();
		do
			pid = waitpid(-1, &status, 0);
		while (pid < 0 && errno == EINTR);
		if (pid > 0)
			reaped(pid, status, arg);
	} while (pid > 0);
}
