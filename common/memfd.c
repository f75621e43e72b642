#include "common/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3; Debian 12 runs 6.1 */
#endif

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static int memfd_make(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd;
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

int memfd_new(const char *name, const void *p, size_t n, int *ret_fd)
{
	CLEANUP(closep) int fd = -1;
	int r;

	if (n == 0)
		return -EINVAL;
	fd = memfd_make(name);
	if (fd < 0)
		return -errno;
	r = write_all(fd, p, n);
	if (r)
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int memfd_check(int fd, size_t max_size, size_t *ret_size)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || fstat(fd, &st) < 0)
		return -errno; /* F_GET_SEALS on what is no memory file: EINVAL */
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((seals & SEALS) != SEALS)
		return -EPERM;
	if (st.st_size <= 0)
		return -EINVAL;
	if ((size_t)st.st_size > max_size)
		return -EFBIG;
	*ret_size = (size_t)st.st_size;
	return 0;
}

/* Private: before Linux 6.7 a write-sealed file refuses even a read-only shared mapping. */
int memfd_map(int fd, size_t max_size, struct memfd_view *ret)
{
	size_t size;
	int r = memfd_check(fd, max_size, &size);
	void *p;

	if (r)
		return r;
	p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	if (madvise(p, size, MADV_DONTDUMP) < 0) {
		r = -errno;
		munmap(p, size);
		return r;
	}
	ret->data = p;
	ret->size = size;
	return 0;
}

void memfd_unmap(struct memfd_view *v)
{
	if (v->data)
		munmap((void *)v->data, v->size);
	v->data = NULL;
	v->size = 0;
}

const char *memfd_error(int error)
{
	switch (error) {
	case -EINVAL:
		return "the descriptor is not a memory file, or is empty";
	case -EPERM:
		return "the memory file is not sealed: its sender could still change it";
	case -EFBIG:
		return "the memory file is larger than this call allows";
	default:
		return strerror(-error);
	}
}
