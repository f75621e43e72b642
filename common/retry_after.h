/* After how long a site wants to be asked again: Retry-After (RFC 9110, section 10.2.3). */
#pragma once

#include <stdint.h>

#define RETRY_AFTER_MOST_MS 86400000 /* a site that wants to be left alone for longer is asked after a day */

/* Of the header's value, seconds or an HTTP date: ms, at most RETRY_AFTER_MOST_MS; 0: neither, or NULL. */
int64_t retry_after_ms(const char *value, int64_t now_ms);
