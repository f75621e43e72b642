/* Web origins as browsers send them (RFC 6454 section 6.2, the URL standard): scheme://host[:port]. */
#pragma once

#include <stdbool.h>

struct words;

/*
 * Whether text is what a browser would send for a page: http or https, lower-case host, no default port, nothing
 * behind it. Anything else in a list of origins would silently match nobody.
 */
bool origin_is_valid(const char *text);

/* Whether the list holds it, byte by byte; an empty one and "null" are never allowed. */
bool origin_is_allowed(const struct words *origins, const char *origin);
