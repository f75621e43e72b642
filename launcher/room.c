#include "launcher/room.h"

#include <errno.h>
#include <sys/statvfs.h>

#include "common/words.h"

int64_t room_kib(const char *dir)
{
	struct statvfs s;

	if (statvfs(dir, &s) != 0)
		return -errno;
	return (int64_t)(s.f_bavail / 1024 * s.f_frsize + s.f_bavail % 1024 * s.f_frsize / 1024);
}

int room_check(const char *dir, int64_t least, char *why, size_t size)
{
	int64_t kib = room_kib(dir);

	*why = '\0';
	if (kib < 0 || kib >= least)
		return 0;
	words_set(why, size, "Only %lld KiB are free below %s; make room.", (long long)kib, dir);
	return -ENOSPC;
}
