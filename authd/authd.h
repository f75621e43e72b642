/* authd from its start to its end. */
#pragma once

#include "authd/settings.h"

struct authd;

/*
 * Makes the state and listens. settings are borrowed. -EINVAL and others after saying why. Needs the loop; talks to
 * nobody yet.
 */
int authd_new(const struct authd_settings *settings, struct authd **ret);

/* In a fiber, at the end: stops accepting, lets calls end for a few seconds, ends the rest. */
void authd_drain(struct authd *a);

/* Takes NULL, returns NULL. */
struct authd *authd_free(struct authd *a);
void authd_freep(struct authd **a);
