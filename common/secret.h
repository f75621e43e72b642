/*
 * Buffers for keys and decrypted state: locked in memory, left out of core dumps, cleansed when
 * freed.
 *
 * Small ones (keys) come from OpenSSL's secure heap, which has guard pages; large ones are mappings
 * of their own. Both count against RLIMIT_MEMLOCK. What OpenSSL copies while it works (key
 * schedules) is on the ordinary heap and cleansed when it is done: secret_disable_dumps() covers
 * that time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECRET_HEAP_DEFAULT (256 * 1024) /* bytes of secure heap: thousands of keys */

struct secret {
	uint8_t *data;
	size_t len;
};

/*
 * Sets up the secure heap, once, before other threads exist; heap_size is a power of two. Again: 0.
 * -EPERM	it could not be locked in memory: raise LimitMEMLOCK= (ulimit -l)
 * -ENOMEM	it could not be made
 * Either way the process must not go on to handle secrets.
 */
int secret_init(size_t heap_size);

/*
 * No core dumps and no ptrace by the same user from here on. Call it again after a change of user,
 * which resets the flag.
 */
int secret_disable_dumps(void);

/*
 * A zeroed buffer of len > 0 bytes, to be freed with secret_free(). Works after secret_init() only
 * (-EINVAL). -ENOMEM: no memory, or no more that may be locked.
 */
int secret_new(size_t len, struct secret **ret);
int secret_copy(const void *p, size_t len, struct secret **ret);
struct secret *secret_free(struct secret *s); /* cleanses; takes NULL, returns NULL */
void secret_freep(struct secret **s);

/* In constant time for a given length. */
bool secret_equal(const struct secret *a, const struct secret *b);
