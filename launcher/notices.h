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

enum notice_kind {
	NOTICE_REFUSED,   /* a host was refused: once for each */
	NOTICE_UNREACHED, /* a host that may be reached could not be: once for each reason that it has had */
	NOTICE_APP,       /* a link to an app was refused: once for each scheme, without a why */
	NOTICE_KINDS
};

/* subject: length bytes of what the browser said; what is not printable ASCII is replaced. why: a sentence that says "It" of it. */
void notices_add(struct notices *n, enum notice_kind kind, const char *subject, size_t length, const char *why);

/* The browser has ended, and how: a sentence of at least one byte. The first stands. */
void notices_end(struct notices *n, const char *sentence);
