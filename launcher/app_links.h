/*
 * Links that would open an app of the person's own machine (okta-verify:, ms-teams:, tel:): refused, and told.
 *
 * Chromium asks in a dialog before it opens one, and no picture shows that dialog, which takes every key and press for
 * good. It does not ask if it is itself what opens such links, since that would lead round in a circle: it then refuses
 * at once. Whether it is, xdg-settings tells it, which it runs for each such link, wherever the link came from (a page, a
 * frame of any process, a new window, a redirection). So for our browsers xdg-settings is this program under that name:
 * it says yes, and passes the scheme on to the launcher.
 */
#pragma once

#include <stdbool.h>

struct lines;
struct notices;

/* Whether this program was started as xdg-settings; then what it answers, the process's exit status. */
bool app_links_asked(const char *argv0);
int app_links_answer(int argc, char *argv[]);

/* Directory below a profile that must come first in its browser's PATH. */
#define APP_LINKS_BIN "bin"

/*
 * Puts into the profile what its browser finds there, and listens: notices hears of every scheme. What Chromium says is believed
 * as far as that it is a scheme. 0 with what lines_free() ends, or a negative errno; what was put into the profile goes with that.
 */
int app_links_new(const char *profile, struct notices *notices, struct lines **ret);
