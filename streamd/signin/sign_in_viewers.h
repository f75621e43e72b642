/* Whoever looks at a sign-in: its owner alone, who drives it. */
#pragma once

#include "streamd/screen/viewer_route.h"

/* A screen_find; id: the sign-in's name. */
void sign_in_find_screen(struct streamd *d, const char *id, const struct login *login, struct screen_found *ret);
