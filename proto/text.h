/*
 * JSON being written: one buffer that grows, is cleansed when it moves or is given back, and may be used again.
 * Aborts when memory is exhausted; what is written comes from our own structs, whose limits bound it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct text {
	char *p; /* not NUL-terminated */
	size_t n, size;
};

/* Bytes as they are. */
void text_put(struct text *t, const char *p, size_t n);
void text_puts(struct text *t, const char *s);

/* Values. text_string() is false, and writes nothing that counts, when s is not UTF-8. */
bool text_string(struct text *t, const char *s, size_t n);
void text_whole(struct text *t, int64_t n);
void text_real(struct text *t, double n); /* finite */
void text_json(struct text *t, const json_t *value);

/* Cleanses what was written and begins anew; a buffer of ordinary size is kept. */
void text_reset(struct text *t);

/* The same, and keeps nothing. */
void text_free(struct text *t);
