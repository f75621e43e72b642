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
#include "common/must.h"
#include "common/words.h"

#define PREFIX          "stead-browser-"
#define NEWBORN         "stead-newborn-" /* not locked yet */
#define NEWBORN_SECONDS 60

/* What Chromium puts below TMPDIR, the profile, as a socket. */
#define LONGEST_SOCKET  "/org.chromium.Chromium.XXXXXX/SingletonSocket"

/*
 * cookie_controls_mode 0: third-party cookies work, for single sign-on in frames needs them. A
 * certificate that is not trusted cannot be clicked through, nor typed through. A form that leads
 * to an app is refused like any other link to one (app_links.h), not asked about in a page whose
 * address nobody may see; where one leads over plain http, the person sees in the address. The rest
 * keeps questions and prefetching out of the way.
 */
static const char preferences[] =
	"{\"profile\":{\"cookie_controls_mode\":0,\"mixed_forms_warnings\":false,"
	"\"password_manager_enabled\":false},"
	"\"ssl\":{\"error_override_allowed\":false},"
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
	CLEANUP(closedirp) DIR *d = opendir(root);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		bool newborn = strncmp(entry->d_name, NEWBORN, strlen(NEWBORN)) == 0;
		if (!newborn && strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		CLEANUP(closep) int fd = openat(dirfd(d), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && is_abandoned(fd, newborn))
			remove_tree(dirfd(d), entry->d_name);
	}
}

/* What asks for a password nobody is there to give: Chromium would wait for one in a dialog that no picture shows. */
static const char no_http_auth[] = "{\"auth\":{\"schemes\":\"\"}}";

static int write_file(int fd, const char *name, const char *text)
{
	CLEANUP(closep) int file = openat(fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t n = strlen(text);

	if (file < 0)
		return -errno;
	ssize_t written = write(file, text, n);
	return written == (ssize_t)n ? 0 : written < 0 ? -errno : -ENOSPC;
}

static int write_preferences(int fd, bool http_auth)
{
	int r = mkdirat(fd, "Default", 0700) == 0 ? 0 : -errno;

	if (r == 0)
		r = write_file(fd, "Default/Preferences", preferences);
	if (r == 0 && !http_auth)
		r = write_file(fd, "Local State", no_http_auth);
	return r;
}

/* Locked before it has the name that a sweep takes for a profile's. */
static int profile_make(struct profile *p, const char *root)
{
	char newborn[PATH_MAX];

	if (!exact_set(newborn, sizeof(newborn), "%s/" NEWBORN "XXXXXX", root) ||
		!exact_set(p->path, sizeof(p->path), "%s/" PREFIX "XXXXXX", root))
		return -ENAMETOOLONG;
	if (!mkdtemp(newborn))
		return -errno;
	memcpy(p->path + strlen(p->path) - 6, newborn + strlen(newborn) - 6, 6);
	p->fd = open(newborn, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->fd >= 0 && flock(p->fd, LOCK_EX | LOCK_NB) == 0 && rename(newborn, p->path) == 0)
		return 0;
	int r = -errno;
	rmdir(newborn);
	return r;
}

int profile_new(const char *root, bool http_auth, struct profile **ret)
{
	struct profile *p;
	int r;

	if (strlen(root) + strlen("/" PREFIX "XXXXXX" LONGEST_SOCKET) >=
		sizeof(((struct sockaddr_un *)0)->sun_path))
		return -ENAMETOOLONG;
	p = must(calloc(1, sizeof(*p)));
	p->fd = -1;
	r = profile_make(p, root);
	if (r < 0) {
		closep(&p->fd);
		free(p);
		return r;
	}
	r = write_preferences(p->fd, http_auth);
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
