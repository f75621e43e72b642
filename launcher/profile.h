/*
 * A browser's profile: a directory of its own that is gone when its launcher is, at the latest when
 * the next one starts.
 *
 * A launcher holds a lock (flock(2)) on the directory of its profile; one that nobody holds is left
 * over from a launcher that was killed.
 */
#pragma once

#include <stdbool.h>

struct profile;

/* Removes what dead launchers of this user have left below root. */
void profile_sweep(const char *root);

/*
 * Makes one below root, mode 0700, with the preferences that Chromium needs to start as a site's
 * browser should. http_auth: it may ask for a name and a password, for somebody answers. -ENAMETOOLONG
 * when root leaves no room for Chromium's socket below it; other errno of the system calls.
 */
int profile_new(const char *root, bool http_auth, struct profile **ret);

/* Removes it with all that is in it. Whoever uses it must have ended. Takes NULL, returns NULL. */
struct profile *profile_free(struct profile *p);

const char *profile_path(const struct profile *p);
