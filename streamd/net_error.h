/* Chromium's network errors in words that a person can act on (net/base/net_error_list.h names them). */
#pragma once

/* The end of a sentence such as "https://x.test could not be opened: ...". error is net::ERR_...; never NULL. */
const char *net_error_words(const char *error);
