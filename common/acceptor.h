/*
 * A listening socket and who connects to it. Out of descriptors or memory, whoever comes stays in the backlog, of which the kernel
 * would tell at once for ever: so it is not looked at for a moment, and the log says so once.
 */
#pragma once

#include <stdbool.h>

struct acceptor;

/*
 * fd is taken over. what: whose connections, for the log, a literal or as long as this. accepted(arg, fd) takes over a connection,
 * close-on-exec and non-blocking; it may hold the acceptor, and must not free it.
 */
struct acceptor *acceptor_new(int fd, const char *what, void (*accepted)(void *arg, int fd), void *arg);

/* held: there are enough of them, and others wait in the backlog until this says that there are not. */
void acceptor_hold(struct acceptor *a, bool held);

/* Closes the socket. Takes NULL, returns NULL. */
struct acceptor *acceptor_free(struct acceptor *a);
