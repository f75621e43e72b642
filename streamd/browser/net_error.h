/* Chromium's network errors in words that a person can act on (net/base/net_error_list.h names them). */
#pragma once

#include <stdbool.h>

/* The end of a sentence such as "https://x.test could not be opened: ...". error is net::ERR_...; never NULL. */
const char *net_error_words(const char *error);

/* Whether it is the site's or the network's outage, which may pass by itself. */
bool net_error_is_outage(const char *error);

/* Whether the host asks for a name and a password, and nobody has given them (RFC 9110, section 11). */
bool net_error_wants_credentials(const char *error);

/* Whether the host lets in only who shows a client certificate. */
bool net_error_wants_certificate(const char *error);

/* Whether a navigation ended before its document came: a download, another navigation, the end of the page's process. */
bool net_error_is_broken_off(const char *error);
