/* AES-256-GCM (NIST SP 800-38D) with a 96-bit nonce and a full tag. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define GCM_KEY_LEN 32
#define GCM_NONCE_LEN 12
#define GCM_TAG_LEN 16

/* One message. key has GCM_KEY_LEN bytes, nonce GCM_NONCE_LEN; lengths stay below 2 GiB. */
struct gcm {
	const uint8_t *key;
	const uint8_t *nonce;
	const void *aad;
	size_t aad_len;
};

/* Writes n bytes to out and the tag to tag. -EIO if OpenSSL fails. */
int gcm_encrypt(const struct gcm *g, const uint8_t *in, size_t n, uint8_t *out, uint8_t *tag);

/*
 * Writes n bytes to out. -EBADMSG: the tag does not match, and out, cleansed, holds nothing.
 * -EIO if OpenSSL fails.
 */
int gcm_decrypt(const struct gcm *g, const uint8_t *in, size_t n, const uint8_t *tag, uint8_t *out);
