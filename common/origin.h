/*
 * Which requests come from Stead's own page: decided from the headers Host, Origin and Sec-Fetch-Site alone. Pure.
 *
 * Sources: OWASP Cross-Site Request Forgery Prevention Cheat Sheet (Fetch Metadata with Origin as the fallback),
 * W3C Fetch Metadata, RFC 6454 (origins), RFC 9110 section 7.2 (Host).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/settings.h"

/* The longest origin a setting may name, bytes. */
#define ORIGIN_MOST 300

/*
 * Checks one value of the setting: http or https, a host, perhaps a port, nothing else, no upper case. NULL if it is
 * right, else a sentence that says what is wrong.
 */
const char *origin_check(const char *origin);

/*
 * Checks the setting as a daemon does when it starts: 0, or -EINVAL with why as a sentence that names the setting and, where
 * it is missing, its file.
 */
int origins_check(const struct words *origins, char *why, size_t size);

/* The configured origin whose host and port the request named, borrowed from origins; NULL: none, or no Host. */
const char *origin_of_host(const struct words *origins, const char *host);

bool origin_is_https(const char *origin);

enum origin_verdict { ORIGIN_OWN, ORIGIN_FOREIGN, ORIGIN_UNKNOWN };

/*
 * Whether a request that changes something was made by the page at own. NULL headers are absent ones. UNKNOWN: it
 * carries neither header, which no browser of today leaves out. Anything but OWN is to be refused.
 */
enum origin_verdict origin_judge(const char *own, const char *sec_fetch_site, const char *origin);
