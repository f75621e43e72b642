/*
 * The address of a page. Its query and its fragment hold codes, tokens and what a person typed, so it is no text that
 * could slip into a sentence: what is said, logged or stored of an address is url_shown(), and url_whole() is for what
 * decides by it (a recipe's patterns) and for the address line of the person whose page it is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"

#define URL_MOST       65536 /* bytes that are kept of one; Chromium itself shows none above 2 MB */
#define URL_MOST_SHOWN 300

struct url;

/* NULL reads as "". Never NULL; aborts when memory is exhausted. url_free() takes NULL, returns NULL. */
struct url *url_new(const char *text);
struct url *url_free(struct url *u);

/* The same of an arena, not to be freed. */
const struct url *url_in(struct arena *arena, const char *text);

/* Without user, query and fragment, cut; borrowed. u may be NULL: then it is no page's. */
const char *url_shown(const struct url *u);

const char *url_whole(const struct url *u);

bool url_equal(const struct url *a, const struct url *b);

/* Whether it fits one of a recipe's patterns. */
bool url_fits_any(const struct url *u, const char *const *patterns, size_t count);
