/* HKDF with SHA-256 (RFC 5869). */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hkdf_input {
	const void *key;
	size_t key_len;
	const void *salt; /* may be NULL */
	size_t salt_len;
	const void *info;
	size_t info_len;
};

/* Writes n bytes, at most 8160, to out. -EIO if OpenSSL refuses. */
int hkdf_sha256(const struct hkdf_input *in, uint8_t *out, size_t n);
