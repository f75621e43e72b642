#include "launcher/profile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"

#define PREFIX          "stead-browser-"
#define NEWBORN         "stead-newborn-" /* not locked yet */
#define NEWBORN_SECONDS 60

/* What Chromium puts below TMPDIR, the profile, as a socket. */
#define LONGEST_SOCKET  "/org.chromium.Chromium.XXXXXX/SingletonSocket"

/*
 * cookie_controls_mode 0: third-party cookies work, for single sign-on in frames needs them. The
 * rest keeps questions and prefetching out of the way.
 */
static const char preferences[] =
	"{\"profile\":{\"cookie_controls_mode\":0,\"password_manager_enabled\":false},"
	"\"credentials_enable_service\":false,"
	"\"autofill\":{\"credit_card_enabled\":false,\"profile_enabled\":false},\"net\":{\"network_"
	"prediction_options\":2},"
	"\"translate\":{\"enabled\":false},\"browser\":{\"enable_spellchecking\":false}}";

struct profile {
	char path[PATH_MAX];
	int fd; /* holds the lock */
};

static void remove_tree(int parent, const char *name);

static void remove_entries(int fd)
{
	DIR *d = fdopendir(fd);
	struct dirent *entry;

	if (!d) {
		close(fd);
		return;
	}
	while ((entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			remove_tree(dirfd(d), entry->d_name);
	closedir(d);
}

/* Never follows a link, for a browser wrote what is in there. */
static void remove_tree(int parent, const char *name)
{
	if (unlinkat(parent, name, 0) == 0)
		return;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	remove_entries(fd);
	unlinkat(parent, name, AT_REMOVEDIR);
}

static bool is_abandoned(int fd, bool newborn)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || st.st_uid != geteuid() || flock(fd, LOCK_EX | LOCK_NB) != 0)
		return false;
	return !newborn || time(NULL) - st.st_ctime > NEWBORN_SECONDS;
}

void profile_sweep(const char *root)
{
	DIR *d = opendir(root);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		bool newborn = strncmp(entry->d_name, NEWBORN, strlen(NEWBORN)) == 0;
		if (!newborn && strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		int fd = openat(
			dirfd(d), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (is_abandoned(fd, newborn))
			remove_tree(dirfd(d), entry->d_name);
		close(fd);
	}
	if (d)
		closedir(d);
}

static int write_preferences(int fd)
{
	CLEANUP(closep) int file = -1;
	size_t n = sizeof(preferences) - 1;

	if (mkdirat(fd, "Default", 0700) != 0)
		return -errno;
	file = openat(fd, "Default/Preferences", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0)
		return -errno;
	ssize_t written = write(file, preferences, n);
	return written == (ssize_t)n ? 0 : written < 0 ? -errno : -ENOSPC;
}

/* Locked before it has the name that a sweep takes for a profile's. */
static int make(struct profile *p, const char *root)
{
	char newborn[PATH_MAX];

	snprintf(newborn, sizeof(newborn), "%s/" NEWBORN "XXXXXX", root);
	if (!mkdtemp(newborn))
		return -errno;
	snprintf(p->path, sizeof(p->path), "%.*s/" PREFIX "%s", (int)strlen(root), root,
		newborn + strlen(newborn) - 6);
	p->fd = open(newborn, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->fd >= 0 && flock(p->fd, LOCK_EX | LOCK_NB) == 0 && rename(newborn, p->path) == 0)
		return 0;
	int r = -errno;
	rmdir(newborn);
	return r;
}

int profile_new(const char *root, struct profile **ret)
{
	struct profile *p;
	int r;

	if (strlen(root) + strlen("/" PREFIX "XXXXXX" LONGEST_SOCKET) >=
		sizeof(((struct sockaddr_un *)0)->sun_path))
		return -ENAMETOOLONG;
	p = calloc(1, sizeof(*p));
	if (!p)
		abort();
	p->fd = -1;
	r = make(p, root);
	if (r < 0) {
		closep(&p->fd);
		free(p);
		return r;
	}
	r = write_preferences(p->fd);
	if (r < 0) {
		profile_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

struct profile *profile_free(struct profile *p)
{
	if (!p)
		return NULL;
	remove_tree(AT_FDCWD, p->path);
	close(p->fd);
	free(p);
	return NULL;
}

const char *profile_path(const struct profile *p)
{
	return p->path;
}
