/*
 * What has befallen the browser, kept for whoever watches: hosts and apps that were refused,
 * hosts that could not be reached, and its end.
 */
#pragma once

#include <stddef.h>

#define NOTICES_MOST  64  /* of each kind; a page can make up any number */
#define NOTICES_ENDED 512 /* bytes of the sentence, with its NUL */

struct notices;

struct notices *notices_new(void);

/* Nobody may be waiting. Takes NULL, returns NULL. */
struct notices *notices_free(struct notices *n);

/* Once for each host; what is not printable ASCII is replaced. */
void notices_add_refused(struct notices *n, const char *host, size_t length, const char *why);

/* A host that may be reached could not be: once for each reason that it has had. */
void notices_add_unreached(struct notices *n, const char *host, size_t length, const char *why);

/* A link to an app was refused: once for each scheme. */
void notices_add_app(struct notices *n, const char *scheme);

/* The browser has ended, and how: a sentence of at least one byte. The first stands. */
void notices_end(struct notices *n, const char *sentence);
