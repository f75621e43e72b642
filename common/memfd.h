/*
 * Sealed memory files: how state travels beside a frame. Once sealed, neither side can change or
 * resize the bytes, so a receiver may map and parse them in place (fcntl(2), F_ADD_SEALS).
 */
#pragma once

#include <stddef.h>

struct memfd_view {
	const void *data;
	size_t size;
};

/*
 * Makes a sealed memfd (close-on-exec) of n > 0 bytes; name is for /proc only. -EINVAL if n is 0.
 */
int memfd_new(const char *name, const void *p, size_t n, int *ret_fd);

/*
 * Checks one that came from a peer: a memory file, every seal set, at most max_size bytes.
 * -EINVAL	no memory file, or empty
 * -EPERM	a seal is missing
 * -EFBIG	larger than max_size
 */
int memfd_check(int fd, size_t max_size, size_t *ret_size);

/* memfd_check(), then maps it read-only and out of core dumps. The view outlives fd. */
int memfd_map(int fd, size_t max_size, struct memfd_view *ret);

/* For CLEANUP(memfd_unmap) struct memfd_view v = {}; an empty view is fine. */
void memfd_unmap(struct memfd_view *v);

/* A sentence for an error of the three above. */
const char *memfd_error(int error);
