/*
 * Passwords: their Argon2id hashes, made on worker threads, and which of them are accepted.
 *
 * Sources: OWASP Password Storage Cheat Sheet (Argon2id, 19 MiB, two passes, one lane), RFC 9106 (the encoded form's
 * parameters), NIST SP 800-63B-4 section 3.1.1 (length, blocklist, no composition rules), OWASP ASVS 5, 6.2.4; zxcvbn (Wheeler,
 * USENIX Security 2016), for a list of whole passwords is of little use where they have 15 characters: what people choose badly
 * is common pieces strung together.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct worker_pool;

#define PASSWORD_LEAST   15  /* characters */
#define PASSWORD_LEAST_BITS 45 /* as zxcvbn guesses: three common words have fewer, four that do not go together more */
#define PASSWORD_MOST    256 /* bytes */
#define PASSWORD_ENCODED 128 /* bytes of an encoded hash with its NUL */

struct password_cost {
	uint32_t memory_kib, passes;
};

/* In a fiber: makes a hash with a fresh salt. -EBUSY, -ETIMEDOUT, -ECANCELED as worker_run(); -ENOMEM. */
int password_hash(struct worker_pool *pool, const struct password_cost *cost, const char *password, int64_t deadline,
	char ret[PASSWORD_ENCODED]);

/* In a fiber: whether password is the one that encoded was made of. Errors as above; -EBADMSG: encoded is no hash. */
int password_verify(struct worker_pool *pool, const char *encoded, const char *password, int64_t deadline,
	bool *ret_right);

/* Whether encoded was made with less than cost (or cannot be read), so that it should be made anew. Pure. */
bool password_is_weaker(const char *encoded, const struct password_cost *cost);

/*
 * NULL if password may be chosen, else a sentence that says why not and what would do. own: words that say nothing
 * about this person in particular, such as the account's name and the host's; ends with NULL. Pure.
 */
const char *password_refusal(const char *password, const char *const *own);
