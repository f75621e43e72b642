/*
 * Steps of a child on its way into namespaces of its own. For a process of one thread between
 * fork() and exec: nothing here allocates, logs or touches the loop.
 */
#pragma once

#include <stdint.h>

/* What went wrong, for the parent to make a sentence of. */
struct namespace_failure {
	const char *step; /* static: the call or file that failed; NULL if nothing did */
	int error;        /* errno */
};

/*
 * Enters a user namespace in which this user is itself and nobody else exists (user_namespaces(7)),
 * and a network namespace with nothing but loopback, which is brought up.
 */
struct namespace_failure namespace_enter(void);

/* Listens on a port of 127.0.0.1 in the present namespace. Close-on-exec, non-blocking. */
struct namespace_failure namespace_listen(int *ret_fd, uint16_t *ret_port);
