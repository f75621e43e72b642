/* The name of a session that says nothing about whose it is to who has no salt. */
#pragma once

#include <stdint.h>

#include "common/secret.h"

#define FINGERPRINT_SALT 32 /* bytes */
#define FINGERPRINT_SIZE 44 /* "bg-", 40 hex digits, NUL */

/*
 * The fingerprint of a user's background session for a site: HMAC-SHA256 (RFC 2104) under the salt,
 * of the user's number in eight bytes and the site, cut to 160 bits. The number, not the sign-in
 * name: a person who is renamed keeps their sessions. -EINVAL for a site above 64 bytes, -EIO if
 * OpenSSL fails.
 */
int fingerprint_background(const struct secret *salt, int64_t user, const char *site,
	char out[static FINGERPRINT_SIZE]);
