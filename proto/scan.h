/*
 * The strict JSON reader of the RPC engine (RFC 8259 with the choices that json.h names): no tree, no allocation. Texts are
 * decoded where they stand, so the bytes must be the reader's own; whatever it gives lives as long as they do.
 *
 * Every function returns false once something is wrong; then why says what, in a fixed sentence, and all further calls
 * return false. The byte after the end must be there (frames are copied with a NUL behind them).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scan {
	char *p, *end;
	const char *why;
	unsigned depth;
	bool first; /* nothing stands yet in what was opened last */
};

/* A value that was checked and left as it stood. */
struct raw_json {
	char *p;
	size_t n;
};

struct scan_number {
	bool real; /* it has a fraction or an exponent: value counts, else whole */
	int64_t whole;
	double value;
};

/* Begins to read n bytes. */
struct scan scan_begin(char *text, size_t n);

/* The first byte of the next value, which tells its kind ('{', '[', '"', 't', 'f', 'n', or of a number); 0 at the end. */
char scan_peek(struct scan *s);

/* Enters an object ('{') or a list ('['); then scan_more() before each member or item, until it is false (or why is set). */
bool scan_open(struct scan *s, char open);
bool scan_more(struct scan *s, char close);

/* The name of a member, and the colon behind it. */
bool scan_name(struct scan *s, char **ret);

/* A text, without its escapes and with a NUL behind it, which cannot be in it. */
bool scan_text(struct scan *s, char **ret);
bool scan_number(struct scan *s, struct scan_number *ret);
bool scan_flag(struct scan *s, bool *ret);

/* Checks one value of any kind and goes past it, changing nothing. Names that stand twice are not noticed. */
bool scan_skip(struct scan *s, struct raw_json *ret);

/* True when nothing but white space is left. */
bool scan_end(struct scan *s);

/* How many of the n bytes at p need no escape and are ASCII. */
size_t scan_plain(const char *p, size_t n);
