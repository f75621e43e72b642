/*
 * Compression of what goes into an envelope: the plaintext's length (4 bytes, big-endian) and its
 * zlib stream (RFC 1950). Both sides are secrets, and zlib's own memory is cleansed.
 */
#pragma once

#include <stddef.h>

#include "common/secret.h"

#define PACK_PLAIN_MAX (256 << 20) /* bytes; callers set lower limits */

/*
 * Packs n > 0 bytes. The buffer may be longer than the ret_len bytes that are used of it.
 * -EFBIG n above PACK_PLAIN_MAX, -ENOMEM
 */
int pack_deflate(const void *plain, size_t n, struct secret **ret, size_t *ret_len);

/*
 * Unpacks exactly what is in packed. The announced length is checked before memory is taken, and no
 * more than that is ever inflated. -EFBIG: longer than max; -EBADMSG: damaged, or not of the
 * announced length; -ENOMEM.
 */
int pack_inflate(const struct secret *packed, size_t max, struct secret **ret);

/* The most bytes that n bytes can pack to; n above PACK_PLAIN_MAX counts as that. */
size_t pack_bound(size_t n);
