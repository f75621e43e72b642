#include "launcher/oom.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/words.h"

/* Our group's path, from the line "0::/path". */
static bool own_group(const char *groups, const char *root, char *path, size_t size)
{
	CLEANUP(fclosep) FILE *f = fopen(groups, "re");
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "0::/", 4) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		return exact_set(path, size, "%s%s/memory.events", root, line + 3);
	}
	return false;
}

int64_t oom_kills_in(const char *groups, const char *root)
{
	char path[1024], line[128];
	long long n = 0;
	CLEANUP(fclosep) FILE *f = own_group(groups, root, path, sizeof(path)) ? fopen(path, "re") : NULL;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "oom_kill %lld", &n) == 1)
			break;
	return n;
}

int64_t oom_kills(void)
{
	return oom_kills_in("/proc/self/cgroup", "/sys/fs/cgroup");
}
