#include "common/cbor_out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/must.h"
#include "common/utf.h"

#define OPEN_MAX_DEPTH 128 /* CBOR_DEPTH_MAX lists, each in an envelope */
#define KEPT (1u << 20)  /* bytes */

enum {
	HEAD_UNSIGNED = 0x00,
	HEAD_NEGATIVE = 0x20,
	HEAD_BYTES = 0x40,
	HEAD_TEXT = 0x60,
	HEAD_ARRAY = 0x80,
	HEAD_MAP = 0xa0,
	HEAD_TAG = 0xc0,
	INDEFINITE = 0x1f,
	FALSE_VALUE = 0xf4,
	TRUE_VALUE = 0xf5,
	NULL_VALUE = 0xf6,
	DOUBLE_VALUE = 0xfb,
	BREAK = 0xff,
};

struct opened {
	uint8_t head; /* HEAD_ARRAY, HEAD_MAP, or HEAD_TAG for an envelope */
	size_t content;
};

struct cbor_out {
	struct bytes bytes;
	int error;
	unsigned int depth;
	struct opened open[OPEN_MAX_DEPTH];
};

struct cbor_out *cbor_out_new(void)
{
	return must(calloc(1, sizeof(struct cbor_out)));
}

struct cbor_out *cbor_out_free(struct cbor_out *o)
{
	if (o)
		bytes_free(&o->bytes);
	free(o);
	return NULL;
}

void cbor_out_freep(struct cbor_out **o)
{
	*o = cbor_out_free(*o);
}

void cbor_out_reset(struct cbor_out *o)
{
	bytes_reset(&o->bytes, KEPT);
	o->error = 0;
	o->depth = 0;
}

static void cbor_out_fail(struct cbor_out *o, int error)
{
	if (!o->error)
		o->error = error;
}

int cbor_out_finish(struct cbor_out *o, const uint8_t **ret, size_t *ret_len)
{
	if (o->depth > 0 || o->bytes.n == 0)
		cbor_out_fail(o, -EINVAL);
	if (o->error)
		return o->error;
	*ret = (const uint8_t *)o->bytes.p;
	*ret_len = o->bytes.n;
	return 0;
}

static void put_byte(struct cbor_out *o, uint8_t b)
{
	bytes_put(&o->bytes, &b, 1);
}

static void big_endian(uint8_t *to, uint64_t value, size_t n)
{
	while (n-- > 0) {
		to[n] = (uint8_t)value;
		value >>= 8;
	}
}

/* The shortest form (RFC 8949, 4.2.1). */
static void cbor_out_put_head(struct cbor_out *o, uint8_t head, uint64_t value)
{
	unsigned int log = value <= 0xff ? 0 : value <= 0xffff ? 1 : value <= 0xffffffff ? 2 : 3;
	uint8_t bytes[9];

	if (value < 24) {
		put_byte(o, head | (uint8_t)value);
		return;
	}
	bytes[0] = head | (uint8_t)(24 + log);
	big_endian(bytes + 1, value, (size_t)1 << log);
	bytes_put(&o->bytes, bytes, 1 + ((size_t)1 << log));
}

void cbor_put_int(struct cbor_out *o, int64_t i)
{
	if (i >= 0)
		cbor_out_put_head(o, HEAD_UNSIGNED, (uint64_t)i);
	else
		cbor_out_put_head(o, HEAD_NEGATIVE, (uint64_t)(-1 - i));
}

void cbor_put_double(struct cbor_out *o, double d)
{
	uint8_t bytes[9] = { DOUBLE_VALUE };
	uint64_t bits;

	memcpy(&bits, &d, sizeof(bits));
	big_endian(bytes + 1, bits, 8);
	bytes_put(&o->bytes, bytes, sizeof(bytes));
}

void cbor_put_bool(struct cbor_out *o, bool b)
{
	put_byte(o, b ? TRUE_VALUE : FALSE_VALUE);
}

void cbor_put_null(struct cbor_out *o)
{
	put_byte(o, NULL_VALUE);
}

void cbor_put_text(struct cbor_out *o, const char *s)
{
	cbor_put_text_n(o, s, strlen(s));
}

void cbor_put_text_n(struct cbor_out *o, const char *s, size_t n)
{
	if (!utf8_valid(s, n))
		cbor_out_fail(o, -EILSEQ);
	cbor_out_put_head(o, HEAD_TEXT, n);
	bytes_put(&o->bytes, s, n);
}

void cbor_put_bytes(struct cbor_out *o, const void *p, size_t n)
{
	cbor_out_put_head(o, HEAD_BYTES, n);
	bytes_put(&o->bytes, p, n);
}

void cbor_put_binary(struct cbor_out *o, const void *p, size_t n)
{
	cbor_out_put_head(o, HEAD_TAG, 22);
	cbor_put_bytes(o, p, n);
}

void cbor_put_raw(struct cbor_out *o, const void *p, size_t n)
{
	bytes_put(&o->bytes, p, n);
}

void cbor_put_array(struct cbor_out *o, size_t n)
{
	cbor_out_put_head(o, HEAD_ARRAY, n);
}

void cbor_put_map(struct cbor_out *o, size_t n)
{
	cbor_out_put_head(o, HEAD_MAP, n);
}

static void cbor_out_begin(struct cbor_out *o, uint8_t head)
{
	if (o->depth == OPEN_MAX_DEPTH) {
		cbor_out_fail(o, -E2BIG);
		return;
	}
	o->open[o->depth].head = head;
	o->open[o->depth].content = o->bytes.n;
	o->depth++;
}

/* Where the content of the innermost open thing began, if that is of this kind. */
static bool cbor_out_end(struct cbor_out *o, uint8_t head, size_t *ret_content)
{
	if (o->error || o->depth == 0 || o->open[o->depth - 1].head != head) {
		cbor_out_fail(o, -EINVAL);
		return false;
	}
	o->depth--;
	*ret_content = o->open[o->depth].content;
	return true;
}

static void list_begin(struct cbor_out *o, uint8_t head)
{
	put_byte(o, head | INDEFINITE);
	cbor_out_begin(o, head);
}

static void list_end(struct cbor_out *o, uint8_t head)
{
	size_t content;

	if (cbor_out_end(o, head, &content))
		put_byte(o, BREAK);
}

void cbor_array_begin(struct cbor_out *o)
{
	list_begin(o, HEAD_ARRAY);
}

void cbor_array_end(struct cbor_out *o)
{
	list_end(o, HEAD_ARRAY);
}

void cbor_map_begin(struct cbor_out *o)
{
	list_begin(o, HEAD_MAP);
}

void cbor_map_end(struct cbor_out *o)
{
	list_end(o, HEAD_MAP);
}

/*
 * Always with a length of four bytes, which is what Chromium reads and what can be filled in
 * afterwards.
 */
static void envelope_begin(struct cbor_out *o)
{
	static const uint8_t head[] = { 0xd8, 0x18, 0x5a, 0, 0, 0, 0 };

	bytes_put(&o->bytes, head, sizeof(head));
	cbor_out_begin(o, HEAD_TAG);
}

static void envelope_end(struct cbor_out *o)
{
	size_t content, n;

	if (!cbor_out_end(o, HEAD_TAG, &content))
		return;
	n = o->bytes.n - content;
	if (n > UINT32_MAX)
		cbor_out_fail(o, -E2BIG);
	else
		big_endian((uint8_t *)o->bytes.p + content - 4, n, 4);
}

void cbor_cdp_map_begin(struct cbor_out *o)
{
	envelope_begin(o);
	cbor_map_begin(o);
}

void cbor_cdp_map_end(struct cbor_out *o)
{
	cbor_map_end(o);
	envelope_end(o);
}

void cbor_cdp_array_begin(struct cbor_out *o)
{
	envelope_begin(o);
	cbor_array_begin(o);
}

void cbor_cdp_array_end(struct cbor_out *o)
{
	cbor_array_end(o);
	envelope_end(o);
}

void cbor_cdp_int(struct cbor_out *o, int64_t i)
{
	if (i >= INT32_MIN && i <= INT32_MAX)
		cbor_put_int(o, i);
	else
		cbor_put_double(o, (double)i);
}
