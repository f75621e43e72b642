/*
 * Bytes that grow at their end, in one piece. What passes through them may be a person's session, so they are cleansed wherever
 * they leave: when they move, when they are dropped, when they are given back. Aborts when memory is exhausted; whoever fills
 * them from outside has a limit of their own.
 */
#pragma once

#include <stddef.h>

/* Begins as { 0 }. */
struct bytes {
	char *p; /* no NUL behind them */
	size_t n, size;
};

/* Room for so many more behind what is there. */
void bytes_reserve(struct bytes *b, size_t more);

void bytes_put(struct bytes *b, const void *p, size_t n);
void bytes_puts(struct bytes *b, const char *s);

/* The first n go, what stands behind them comes to the front. */
void bytes_drop(struct bytes *b, size_t n);

/* All go; the memory stays for what comes next if it is no more than kept. */
void bytes_reset(struct bytes *b, size_t kept);

void bytes_free(struct bytes *b);
