/* A value of a message, for cbor.c and cbor_read.c alone. */
#pragma once

#include "common/cbor.h"

struct cbor {
	enum cbor_type type;
	bool binary;
	const struct cbor *next;
	const char *key; /* NULL outside a map */
	size_t key_len;
	const uint8_t *raw;
	size_t raw_len;
	union {
		bool b;
		int64_t i;
		double d;
		struct {
			const uint8_t *p;
			size_t n;
		} str;
		struct {
			const struct cbor *first;
			const struct cbor **index; /* arrays: in order; maps: sorted by key */
			size_t n;
		} list;
	};
};

/* As memcmp(), of keys. */
int cbor_key_compare(const char *a, size_t a_len, const char *b, size_t b_len);

/*
 * UTF-16LE as UTF-8 with a NUL behind it. exact: NULL for what UTF-8 cannot hold (lone surrogates, an odd last byte); else each
 * such piece, and a NUL, becomes U+FFFD.
 */
char *cbor_utf16_text(struct arena *arena, const uint8_t *p, size_t n, bool exact, size_t *ret_len);
