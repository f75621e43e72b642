/*
 * Patterns of hosts, addresses and accounts. Globs, anchored at both ends, and never regular expressions: their cost
 * is bounded and a dot means a dot. docs/recipes.md explains them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether the pattern, in which each * stands for anything, stands anywhere in the text; case does not matter (ASCII). In time of
 * at most their product.
 */
bool glob_find(const char *pattern, const char *text);

/* Whether both say the same, each run of white space counted as one space, and none around. */
bool same_words(const char *a, const char *b);

/* NULL, or what is wrong with it, as the end of a sentence. Borrowed. */
const char *host_pattern_wrong(const char *pattern);
const char *url_pattern_wrong(const char *pattern);
const char *account_pattern_wrong(const char *pattern);
const char *url_wrong(const char *url);
const char *origin_wrong(const char *origin);

/* Host names compare without case; a dot at the end of host is ignored, and so is a pattern's port. */
bool host_match(const char *pattern, const char *host);
/* Whether an address is on such a host, and at its port: 80 or 443 where the pattern names none. */
bool host_match_url(const char *pattern, const char *url);
bool url_match(const char *pattern, const char *url);

/*
 * Takes the account out of text (its white space collapsed, and what shows nothing left out), into out. False if it names
 * none.
 */
bool account_match(const char *pattern, const char *text, char *out, size_t size);

/* The port of an http or https address; 0 if it is none. */
int url_port(const char *url);

/* The host of an http or https address, without brackets; false if it is none or does not fit. */
bool url_host(const char *url, char *out, size_t size);
