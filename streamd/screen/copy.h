/* Text that the person copied or cut in a page, for the event text_copied; never that of a password. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "common/arena.h"

#define COPY_MOST 65536 /* bytes; what is longer is cut */

/*
 * Whether what a page's watcher said (watch_read()) tells of it: then the text, in the arena, which should be a secret one. It
 * comes after the key or the command that did it, for whichever page or frame; *ret_offered: or after what the page itself put on
 * the clipboard.
 */
bool copy_read(const json_t *said, struct arena *arena, const char **ret, bool *ret_offered);
