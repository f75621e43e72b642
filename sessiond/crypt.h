/*
 * Sealing and opening envelopes from fibers: a session may be as large as SESSION_MAX, so the work
 * is done on a thread and the loop goes on meanwhile.
 */
#pragma once

#include <stdint.h>

#include "sessiond/envelope.h"

#define SESSION_MAX (64 << 20) /* bytes of one captured state, as in proto/sessiond.def */

struct crypt;

/* keys are borrowed and must outlive it. Errors of worker_pool_new(). */
int crypt_new(const struct masterkeys *keys, struct crypt **ret);

/* No fiber may be inside. Takes NULL, returns NULL. */
struct crypt *crypt_free(struct crypt *c);

const struct masterkeys *crypt_keys(const struct crypt *c);

/*
 * envelope_seal(), envelope_open() with SESSION_MAX, envelope_rewrap(); besides -EBUSY, -ETIMEDOUT,
 * -ECANCELED.
 */
int crypt_seal(struct crypt *c, const struct envelope_context *context, const void *plain, size_t n,
	int64_t deadline, struct envelope_blob *ret);
int crypt_open(struct crypt *c, const struct envelope_context *context, const void *blob, size_t n,
	int64_t deadline, struct secret **ret);
int crypt_rewrap(struct crypt *c, const struct envelope_context *context, const void *blob,
	size_t n, int64_t deadline, struct envelope_blob *ret);
