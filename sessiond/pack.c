#include "sessiond/pack.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <zlib.h>

#include "common/cleanup.h"

#define LENGTH_LEN 4

/*
 * zlib's own memory holds pieces of what it works on, so it is cleansed as well. The size stands in
 * front of each piece, for its free function is not told.
 */
static void *cleansing_alloc(void *, unsigned int items, unsigned int size)
{
	size_t n = (size_t)items * size;
	size_t *p = malloc(2 * sizeof(size_t) + n);

	if (!p)
		return NULL;
	p[0] = n;
	return p + 2;
}

static void cleansing_free(void *, void *address)
{
	size_t *p = (size_t *)address - 2;

	OPENSSL_cleanse(address, p[0]);
	free(p);
}

static int compress_to(z_stream *z, struct secret *out, size_t *ret_len)
{
	z->next_out = out->data + LENGTH_LEN;
	z->avail_out = (unsigned int)(out->len - LENGTH_LEN);
	if (deflate(z, Z_FINISH) != Z_STREAM_END)
		return -EIO; /* deflateBound() rules it out */
	*ret_len = LENGTH_LEN + z->total_out;
	return 0;
}

/* zlib's window and tables are made, and cleansed, for each piece anew; so they are no larger than it needs. */
static int window_bits(size_t n)
{
	int bits = 9;

	while (bits < MAX_WBITS && (size_t)1 << bits < n)
		bits++;
	return bits;
}

int pack_deflate(const void *plain, size_t n, struct secret **ret, size_t *ret_len)
{
	CLEANUP(secret_freep) struct secret *out = NULL;
	const uint32_t length = htobe32((uint32_t)n);
	z_stream z = { .zalloc = cleansing_alloc, .zfree = cleansing_free,
		       .next_in = (void *)plain, .avail_in = (unsigned int)n };
	int bits = window_bits(n), r;

	if (n > PACK_PLAIN_MAX)
		return -EFBIG;
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, bits, bits - 7, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	r = secret_new(LENGTH_LEN + deflateBound(&z, n), &out);
	if (!r)
		r = compress_to(&z, out, ret_len);
	deflateEnd(&z);
	if (r)
		return r;
	memcpy(out->data, &length, LENGTH_LEN);
	*ret = TAKE(out);
	return 0;
}

/* Exactly the announced length must come out and exactly the input go in. */
static int inflate_exactly(const struct secret *packed, struct secret *out)
{
	z_stream z = { .zalloc = cleansing_alloc, .zfree = cleansing_free,
		       .next_in = packed->data + LENGTH_LEN,
		       .avail_in = (unsigned int)(packed->len - LENGTH_LEN) };
	int end;

	if (inflateInit(&z) != Z_OK)
		return -ENOMEM;
	z.next_out = out->data;
	z.avail_out = (unsigned int)out->len;
	end = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	if (end == Z_MEM_ERROR)
		return -ENOMEM;
	return end == Z_STREAM_END && z.avail_in == 0 && z.avail_out == 0 ? 0 : -EBADMSG;
}

int pack_inflate(const struct secret *packed, size_t max, struct secret **ret)
{
	CLEANUP(secret_freep) struct secret *out = NULL;
	uint32_t n;
	int r;

	if (packed->len <= LENGTH_LEN)
		return -EBADMSG;
	memcpy(&n, packed->data, LENGTH_LEN);
	n = be32toh(n);
	if (n == 0)
		return -EBADMSG;
	if (n > max || n > PACK_PLAIN_MAX)
		return -EFBIG;
	r = secret_new(n, &out);
	if (!r)
		r = inflate_exactly(packed, out);
	if (!r)
		*ret = TAKE(out);
	return r;
}

/* As deflateBound() has it of a small window, which is the most: what does not compress is stored in small blocks. */
size_t pack_bound(size_t n)
{
	if (n > PACK_PLAIN_MAX)
		n = PACK_PLAIN_MAX;
	return LENGTH_LEN + n + (n + 7) / 8 + (n + 63) / 64 + 5 + 6;
}
