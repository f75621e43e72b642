/*
 * What a stored session looks like in the database: encrypted, and bound to its row.
 *
 * Format 2, one byte string:
 *
 *	0	3	"STE"
 *	3	1	0x02
 *	4	4	number of the master key, big-endian
 *	8	32	SHA-256 of the context (below)
 *	40	12	nonce of the wrap
 *	52	32	data key, AES-256-GCM under the master key
 *	84	16	tag of the wrap
 *	100	32	commitment to the data key
 *	132	12	nonce of the content
 *	144	n	content, AES-256-GCM under the content key; AAD: the context
 *	144+n	16	tag of the content
 *
 * The data key is fresh for every save. HKDF-SHA256 (RFC 5869, no salt) makes the content key (info
 * "stead content 1") and the commitment ("stead commit 1") from it. The commitment is compared
 * before the content is decrypted: GCM alone lets one ciphertext open under two keys. The wrap's
 * AAD is "stead wrap 1", the number of the master key as above and the context hash. The content is
 * packed (pack.h) before it is encrypted.
 *
 * The context is "stead envelope", the format's number in 4 bytes, then row, user, site, kind, fingerprint and account, each
 * as 4 bytes of length and the bytes, then the version and the time of the proof (ms since 1970; 0: unproved) in 8 each; so
 * no two contexts have the same encoding. Its hash stands in the open so that a blob put into another row is told from a
 * wrong key; it adds nothing to what the row's own columns say.
 *
 * Format 1 has 0x01 for its number, and a context of user, site, fingerprint, row and kind, and the version: neither the
 * account nor the time of the proof is bound. It can be opened and rewrapped, not made any more; what is to be done with one
 * says crypt.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/secret.h"
#include "sessiond/masterkey.h"

#define ENVELOPE_FORMAT 2
#define ENVELOPE_OVERHEAD 160 /* bytes around the content */

/* The row that a blob belongs to. No field may be NULL. */
struct envelope_context {
	const char *user;
	const char *site;
	const char *fingerprint;
	const char *row;
	const char *kind;
	const char *account;
	uint64_t version;
	uint64_t proved_at_ms;
};

struct envelope_blob {
	uint8_t *data;
	size_t len;
};

/* For CLEANUP(envelope_blob_free) struct envelope_blob b = {}; */
void envelope_blob_free(struct envelope_blob *b);

/* The format of a blob, or -EPROTONOSUPPORT or -EBADMSG as envelope_open() has it. Looks at its head alone. */
int envelope_format(const void *blob, size_t n);

/*
 * Encrypts n > 0 bytes under the current master key.
 * -EINVAL n is 0, -EFBIG n above PACK_PLAIN_MAX, -ENOMEM, -EIO no randomness or OpenSSL failed
 */
int envelope_seal(const struct masterkeys *keys, const struct envelope_context *context,
		  const void *plain, size_t n, struct envelope_blob *ret);

/*
 * Gives the plaintext, to be freed with secret_free(), or nothing at all:
 * -EPROTONOSUPPORT	not an envelope, or a format that this version does not know
 * -EBADMSG		damaged, cut short, or of another row, user, site, kind, account, version or proof
 * -ENOKEY		the master key of its number is not loaded
 * -EKEYREJECTED	the master key of its number is not the one it was made with, or the wrapped
 *			key or the commitment is damaged
 * -EFBIG		the plaintext is longer than max
 * -ENOMEM, -EIO	as above
 */
int envelope_open(const struct masterkeys *keys, const struct envelope_context *context,
		  const void *blob, size_t n, size_t max, struct secret **ret);

/*
 * Wraps the data key anew under the current master key; the content stays as it is. Errors as
 * above.
 */
int envelope_rewrap(const struct masterkeys *keys, const struct envelope_context *context,
		    const void *blob, size_t n, struct envelope_blob *ret);

/* A sentence for the operator about an error of the above. */
const char *envelope_error(int error);
