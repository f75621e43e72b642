/* What a process and its children have used of the processors so far. */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* utime + stime of one process, ms (proc(5)); its parent in *ret_parent. */
static inline double cpu_of(const char *pid, int *ret_parent)
{
	char path[64], text[1024], *p;
	unsigned long user, system;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	p = strrchr(text, ')');
	if (!p || sscanf(p + 2, "%*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", ret_parent, &user, &system) != 3)
		return 0;
	return (double)(user + system) * 1e3 / (double)sysconf(_SC_CLK_TCK);
}

/* Of the process, and with children of those that it has started: nginx's work is done by its worker. */
static inline double cpu_ms(int pid, int children)
{
	char own[24];
	double ms;
	int parent;
	struct dirent *e;
	DIR *d;

	snprintf(own, sizeof(own), "%d", pid);
	ms = cpu_of(own, &parent);
	d = children ? opendir("/proc") : NULL;
	while (d && (e = readdir(d))) {
		double one = *e->d_name >= '1' && *e->d_name <= '9' ? (parent = 0, cpu_of(e->d_name, &parent)) : 0;
		ms += parent == pid ? one : 0;
		parent = 0;
	}
	if (d)
		closedir(d);
	return ms;
}
