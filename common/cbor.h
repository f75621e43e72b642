/*
 * Reading CBOR (RFC 8949): what Chromium speaks on its debugging pipe, and what a captured session
 * is stored as.
 *
 * The reader turns one message into a tree. It copies nothing: strings point into the input, which
 * must outlive the tree and stay unchanged. The tree itself lives in the caller's arena.
 *
 * Read: integers that fit int64_t, byte and text strings of definite length, arrays and maps of
 * definite and indefinite length, false, true, null, floats of all three widths, and two tags, both
 * transparent: 24 (an encoded item in a byte string; Chromium wraps every map and array in one,
 * "envelope") and 22 (a byte string that stands for base64: Chromium's way to mark bytes that are
 * bytes, such as a JPEG). Chromium sends a string that is not ASCII as an untagged byte string of
 * UTF-16LE, which may hold lone surrogates.
 *
 * Refused: trailing bytes, duplicate keys, text that is not UTF-8, keys that are not strings, more
 * depth or items than allowed, chunked strings, other tags and simple values.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"

#define CBOR_DEPTH_MAX 64
#define CBOR_ITEMS_DEFAULT 262144 /* each item takes about 100 bytes of the arena */

enum cbor_type {
	CBOR_INT,
	CBOR_DOUBLE,
	CBOR_BOOL,
	CBOR_NULL,
	CBOR_TEXT,  /* UTF-8 */
	CBOR_BYTES, /* bytes; or, from Chromium and unless under tag 22, a UTF-16LE string */
	CBOR_ARRAY,
	CBOR_MAP,
};

struct cbor;

/*
 * Parses the n bytes at p, which must be exactly one item. max_items caps values and keys together.
 *
 * -EBADMSG	truncated, trailing bytes, reserved bits, an envelope of the wrong length
 * -EILSEQ	text that is not UTF-8; a key in UTF-16 that has an odd length or a lone surrogate
 * -EEXIST	a key twice in one map, in whichever encoding
 * -ERANGE	an integer outside int64_t
 * -E2BIG	deeper than CBOR_DEPTH_MAX, or more than max_items items
 * -ENOTSUP	correct CBOR that nothing here uses (see above)
 */
int cbor_parse(struct arena *arena, const void *p, size_t n, size_t max_items,
	       const struct cbor **ret);

/* A sentence for an error of cbor_parse() or of cbor_out_finish(). */
const char *cbor_error(int error);

/*
 * The accessors take NULL for a value that is not there, so that look-ups can be chained. The bool
 * ones return false, and leave ret alone, when the value is absent or of another type.
 */
bool cbor_is(const struct cbor *v, enum cbor_type type);

bool cbor_int(const struct cbor *v, int64_t *ret); /* also a whole double up to 2^53 */
bool cbor_double(const struct cbor *v, double *ret); /* also an integer */
bool cbor_bool(const struct cbor *v, bool *ret);
/* NULL for anything else, text included. */
const uint8_t *cbor_bytes(const struct cbor *v, size_t *ret_len);
/* True if v is this string, as text or as UTF-16LE bytes. */
bool cbor_text_is(const struct cbor *v, const char *s);

/*
 * A string from Chromium, text or UTF-16LE, as a C string for logs, messages and comparisons. What
 * UTF-8 or C cannot hold (lone surrogates, NUL, an odd last byte) becomes U+FFFD each: do not store
 * the result in place of v. NULL for anything that is not a string.
 */
char *cbor_text_utf8(struct arena *arena, const struct cbor *v);

/* Elements of an array or entries of a map; 0 for anything else. */
size_t cbor_count(const struct cbor *v);
const struct cbor *cbor_at(const struct cbor *array, size_t i);
const struct cbor *cbor_get(const struct cbor *map, const char *key);

/*
 * Elements or entries in the order of the message: for (v = cbor_first(list); v; v = cbor_next(v))
 */
const struct cbor *cbor_first(const struct cbor *v);
const struct cbor *cbor_next(const struct cbor *v);
/* The key that v stands under, as UTF-8 without a NUL after it; NULL if v is no entry of a map. */
const char *cbor_key(const struct cbor *v, size_t *ret_len);

/*
 * cbor_get() and the accessor in one; the last argument is what an absent or otherwise typed value
 * gives.
 */
int64_t cbor_get_int(const struct cbor *map, const char *key, int64_t otherwise);
double cbor_get_double(const struct cbor *map, const char *key, double otherwise);
bool cbor_get_bool(const struct cbor *map, const char *key, bool otherwise);
char *cbor_get_utf8(struct arena *arena, const struct cbor *map, const char *key);

/*
 * The bytes that v was parsed from, tag and envelope included: cbor_put_raw() hands them on
 * unchanged.
 */
const uint8_t *cbor_raw(const struct cbor *v, size_t *ret_len);
