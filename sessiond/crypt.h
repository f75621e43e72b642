/*
 * Sealing and opening envelopes from fibers: a session may be as large as SESSION_MAX, so unless it is small the work
 * is done on a thread and the loop goes on meanwhile.
 */
#pragma once

#include <stdint.h>

#include "sessiond/envelope.h"

#define SESSION_MAX (64 << 20) /* bytes of one captured state, as in proto/sessiond.def */

struct sessiond;

/* The threads that do it: worker_pool_new(CRYPT_THREADS, CRYPT_QUEUED) makes them. */
#define CRYPT_THREADS 1 /* locked memory, not the processor, is what runs short first */
#define CRYPT_QUEUED  64

/*
 * envelope_seal(), envelope_open() with SESSION_MAX, envelope_rewrap(); besides -EBUSY, -ETIMEDOUT,
 * -ECANCELED, and -EKEYEXPIRED: sealed in a format whose time has ended (marks.h).
 */
int crypt_seal(struct sessiond *s, const struct envelope_context *context, const void *plain, size_t n,
	int64_t deadline, struct envelope_blob *ret);
int crypt_open(struct sessiond *s, const struct envelope_context *context, const void *blob, size_t n,
	int64_t deadline, struct secret **ret);
int crypt_rewrap(struct sessiond *s, const struct envelope_context *context, const void *blob,
	size_t n, int64_t deadline, struct envelope_blob *ret);
