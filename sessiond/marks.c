#include "sessiond/marks.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/must.h"
#include "common/words.h"

#define NAME  "marks"
#define CHUNK 2048 /* records that are read at once */

/* As in the file, little-endian; the first stands where a session 0 would, and is the head. */
struct record {
	uint64_t last, proved, newest, told;
};
struct head {
	char magic[8];
	uint64_t oldest_format, unused[2];
};

_Static_assert(sizeof(struct record) == 32 && sizeof(struct head) == 32, "each lies within one sector");

static const char magic[8] = { 'S', 'T', 'D', 'M', 'A', 'R', 'K', '1' };

struct marks {
	int fd;
	int oldest_format;
	int64_t told;
};

static int pread_all(int fd, void *to, size_t n, off_t at)
{
	ssize_t got;

	do
		got = pread(fd, to, n, at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	memset((char *)to + got, 0, n - (size_t)got); /* behind its end there are no marks yet */
	return (int)got;
}

static int pwrite_all(int fd, const void *from, size_t n, off_t at)
{
	ssize_t put;

	do
		put = pwrite(fd, from, n, at);
	while (put < 0 && errno == EINTR);
	return put == (ssize_t)n ? 0 : put < 0 ? -errno : -ENOSPC;
}

static bool marks_number(int64_t id)
{
	return id > 0 && id <= MARKS_MOST;
}

static off_t place_of(int64_t id)
{
	return (off_t)id * (off_t)sizeof(struct record);
}

static int read_mark(struct marks *m, int64_t id, struct record *ret)
{
	struct record r;
	int e = marks_number(id) ? pread_all(m->fd, &r, sizeof(r), place_of(id)) : -ERANGE;

	if (e < 0)
		return e;
	*ret = (struct record){ le64toh(r.last), le64toh(r.proved), le64toh(r.newest), le64toh(r.told) };
	return 0;
}

static int write_mark(struct marks *m, int64_t id, const struct record *was, const struct record *is)
{
	const struct record r = { htole64(is->last), htole64(is->proved), htole64(is->newest), htole64(is->told) };
	int e = memcmp(was, is, sizeof(*is)) == 0 ? 0 : pwrite_all(m->fd, &r, sizeof(r), place_of(id));

	if (e == 0)
		m->told += (int64_t)is->told - (int64_t)was->told;
	return e;
}

/* --- rows --- */

static bool state_fits(const struct record *mark, int64_t version)
{
	uint64_t v = (uint64_t)version;

	return v > mark->last || (v > 0 && (v == mark->proved || v == mark->newest));
}

int marks_judge(struct marks *m, const struct sight *row, bool *ret_good)
{
	struct record mark;
	int e = read_mark(m, row->id, &mark);

	if (e < 0 && e != -ERANGE)
		return e;
	*ret_good = e == 0 && state_fits(&mark, row->proved) && (!row->newest || state_fits(&mark, row->newest));
	return 0;
}

int marks_note(struct marks *m, const struct sight *row)
{
	struct record was, is = { (uint64_t)row->last, (uint64_t)row->proved, (uint64_t)row->newest, 0 };
	int e = read_mark(m, row->id, &was);

	if (e < 0 || was.last > is.last)
		return e;
	is.told = is.last == was.last ? was.told : 0; /* what is saved anew puts it right */
	return write_mark(m, row->id, &was, &is);
}

int marks_forget(struct marks *m, int64_t id)
{
	struct record was, is;
	int e = read_mark(m, id, &was);

	if (e < 0)
		return e;
	is = (struct record){ .last = was.last };
	return write_mark(m, id, &was, &is);
}

int marks_accept(struct marks *m, const struct sight *row)
{
	struct record was, is = { (uint64_t)row->last, (uint64_t)row->proved, (uint64_t)row->newest, 0 };
	int e = read_mark(m, row->id, &was);

	if (e < 0)
		return e;
	if (was.last > is.last)
		is.last = was.last;
	return write_mark(m, row->id, &was, &is);
}

int64_t marks_last(struct marks *m, int64_t id)
{
	struct record mark;

	return read_mark(m, id, &mark) == 0 ? (int64_t)mark.last : 0;
}

bool marks_tell(struct marks *m, int64_t id)
{
	struct record was, is;

	if (read_mark(m, id, &was) < 0)
		return true;
	is = was;
	is.told = 1;
	write_mark(m, id, &was, &is); /* else it is told again */
	return !was.told;
}

int64_t marks_told(const struct marks *m)
{
	return m->told;
}

/* --- the whole file --- */

int64_t marks_next(struct marks *m, int64_t after, int64_t before)
{
	struct record some[64];
	int64_t id = after + 1;
	int n;

	do {
		int64_t most = before - id < 64 ? before - id : 64;

		n = most > 0 && marks_number(id) ? pread_all(m->fd, some, (size_t)most * sizeof(*some), place_of(id)) : 0;
		n /= (int)sizeof(*some);
		for (int i = 0; i < n; i++, id++)
			if (some[i].proved)
				return id;
	} while (n > 0);
	return 0;
}

/* Gives fn every record that there is. */
static int marks_each(struct marks *m, int (*fn)(struct marks *m, int64_t id, const struct record *r))
{
	CLEANUP(freep) struct record *some = must(malloc(CHUNK * sizeof(*some)));
	int64_t id = 1;
	int e;

	do {
		e = pread_all(m->fd, some, CHUNK * sizeof(*some), place_of(id));
		for (int i = 0, n = e / (int)sizeof(*some), r = 0; i < n && r == 0; i++, id++) {
			const struct record mark = { le64toh(some[i].last), le64toh(some[i].proved), le64toh(some[i].newest),
				le64toh(some[i].told) };

			r = fn(m, id, &mark);
			e = r < 0 ? r : e;
		}
	} while (e == (int)(CHUNK * sizeof(*some)));
	return e < 0 ? e : 0;
}

static int count_told(struct marks *m, int64_t, const struct record *r)
{
	m->told += (int64_t)r->told;
	return 0;
}

static int untell_one(struct marks *m, int64_t id, const struct record *was)
{
	const struct record is = { was->last, was->proved, was->newest, 0 };

	return write_mark(m, id, was, &is);
}

int marks_untell(struct marks *m)
{
	int e = marks_each(m, untell_one);

	return e < 0 ? e : fdatasync(m->fd) < 0 ? -errno : 0;
}

int marks_oldest_format(const struct marks *m)
{
	return m->oldest_format;
}

int marks_set_oldest_format(struct marks *m, int format)
{
	struct head h = { .oldest_format = htole64((uint64_t)format) };
	int e;

	memcpy(h.magic, magic, sizeof(magic));
	e = pwrite_all(m->fd, &h, sizeof(h), 0);
	if (e == 0 && fdatasync(m->fd) < 0)
		e = -errno;
	if (e == 0)
		m->oldest_format = format;
	return e;
}

static int read_head(struct marks *m)
{
	struct head h;
	int n = pread_all(m->fd, &h, sizeof(h), 0);

	if (n <= 0)
		return n < 0 ? n : marks_set_oldest_format(m, 1);
	if (memcmp(h.magic, magic, sizeof(magic)) != 0)
		return -EBADMSG;
	m->oldest_format = (int)le64toh(h.oldest_format);
	return 0;
}

static int open_file(const char *directory, int *ret)
{
	CLEANUP(closep) int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closep) int fd = dir < 0 ? -1 : openat(dir, NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077))
		return -EPERM;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	*ret = TAKE_FD(fd);
	return 0;
}

static const char *marks_error(int e)
{
	switch (e) {
	case -EPERM: return "it is no file of this user's alone (mode 0600)";
	case -EBUSY: return "another sessiond has it open";
	case -EBADMSG: return "it is not what sessiond has written; restore it, or move it away to begin anew";
	default: return strerror(-e);
	}
}

int marks_open(const char *directory, struct marks **ret, char why[static MARKS_WHY])
{
	struct marks *m = must(calloc(1, sizeof(*m)));
	int e;

	*why = '\0';
	m->fd = -1;
	e = open_file(directory, &m->fd);
	if (e == 0)
		e = read_head(m);
	if (e == 0)
		e = marks_each(m, count_told);
	if (e == 0) {
		*ret = m;
		return 0;
	}
	words_set(why, MARKS_WHY, "the file " NAME " in the state directory %s cannot be used: %s", directory, marks_error(e));
	marks_free(m);
	return e;
}

struct marks *marks_free(struct marks *m)
{
	if (!m)
		return NULL;
	if (m->fd >= 0) {
		fdatasync(m->fd);
		close(m->fd);
	}
	free(m);
	return NULL;
}
