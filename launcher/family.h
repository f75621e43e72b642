/*
 * This process's descendants, all of them: the launcher is where orphans of its browser end up
 * (PR_SET_CHILD_SUBREAPER), so that none can outlive it by leaving its process group or session.
 */
#pragma once

#include <sys/types.h>

/* Becomes the reaper of orphaned descendants. 0 or a negative errno. */
int family_init(void);

/* Called for each descendant that has ended; status as waitpid(2) gives it. */
typedef void family_reaped(pid_t pid, int status, void *arg);

/* Reaps those that have ended. Does not wait. */
void family_reap(family_reaped *reaped, void *arg);

/*
 * Kills group (0: none) and every descendant with SIGKILL and waits, without the loop, until the
 * last is gone: a twentieth of a second for a browser.
 */
void family_kill(pid_t group, family_reaped *reaped, void *arg);
