/* Whether the kernel has killed something for want of memory in this process's own control group.
 */
#pragma once

#include <stdint.h>

/*
 * How often so far (memory.events, oom_kill; cgroup v2 only); 0 where that cannot be told.
 */
int64_t oom_kills(void);

/* The same with a file like /proc/self/cgroup and a directory like /sys/fs/cgroup, for tests. */
int64_t oom_kills_in(const char *groups, const char *root);
