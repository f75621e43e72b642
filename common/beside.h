/* A descriptor beside bytes on a Unix socket (unix(7), SCM_RIGHTS). */
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

/* As sendmsg(2) without SIGPIPE, with fd, or -1 for none, beside the first byte. */
ssize_t beside_send(int socket, const struct iovec *iov, size_t count, int fd);
