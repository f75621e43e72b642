/*
 * Starting Chromium: a child in namespaces of its own, which dies with this process.
 *
 * It has no new privileges (no setuid), a session and process group of its own, no descriptors but
 * /dev/null, its error pipe and the debugging socket, and no way out of its network namespace but
 * the listening socket that it hands out.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "proto/call.h"

/* Room in the argument that names the proxy: the child learns the port. */
#define CHILD_PROXY 64

struct child_plan {
	char **argv; /* argv[0]: the binary's path; ended by NULL */
	char **envp;
	char *proxy; /* CHILD_PROXY bytes that stand in argv; filled in by the child */
	int cdp; /* becomes descriptors 3 and 4; -1: none, and no namespaces and no proxy either */
	int error_pipe; /* becomes standard output and error */
};

/*
 * In a fiber of the only thread: starts it and waits until exec has happened. *ret_pid is set as
 * soon as there is a process to be reaped, even if this fails later. *ret_listener listens in its
 * network namespace and is the caller's (unless there are no namespaces: then it may be NULL).
 * REFUSED with a sentence that names the binary or what the system must allow; -ECANCELED.
 */
int child_start(
	struct call *call, const struct child_plan *plan, pid_t *ret_pid, int *ret_listener);
