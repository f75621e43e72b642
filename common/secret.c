#include "common/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <openssl/crypto.h>

#define SECRET_SMALL 4096 /* above that a mapping: the heap is for keys */
#define SECRET_MIN 16

int secret_init(size_t heap_size)
{
	if (CRYPTO_secure_malloc_initialized())
		return 0;
	switch (CRYPTO_secure_malloc_init(heap_size, SECRET_MIN)) {
	case 1:
		return 0;
	case 2: /* it works, but could be swapped out */
		CRYPTO_secure_malloc_done();
		return -EPERM;
	default:
		return -ENOMEM;
	}
}

int secret_disable_dumps(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return -errno;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

static uint8_t *map_locked(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (mlock(p, len) < 0 || madvise(p, len, MADV_DONTDUMP) < 0) {
		munmap(p, len);
		return NULL;
	}
	return p;
}

static uint8_t *data_new(size_t len)
{
	uint8_t *data = len <= SECRET_SMALL ? OPENSSL_secure_zalloc(len) : NULL;

	return data ? data : map_locked(len);
}

int secret_new(size_t len, struct secret **ret)
{
	struct secret *s;

	/* Without its heap OPENSSL_secure_zalloc() would quietly take ordinary memory. */
	if (len == 0 || !CRYPTO_secure_malloc_initialized())
		return -EINVAL;
	s = malloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->len = len;
	s->data = data_new(len);
	if (!s->data) {
		free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

int secret_copy(const void *p, size_t len, struct secret **ret)
{
	int r = secret_new(len, ret);

	if (!r)
		memcpy((*ret)->data, p, len);
	return r;
}

struct secret *secret_free(struct secret *s)
{
	if (!s)
		return NULL;
	if (CRYPTO_secure_allocated(s->data)) {
		OPENSSL_secure_clear_free(s->data, s->len);
	} else {
		OPENSSL_cleanse(s->data, s->len);
		munmap(s->data, s->len);
	}
	free(s);
	return NULL;
}

void secret_freep(struct secret **s)
{
	*s = secret_free(*s);
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	return a->len == b->len && CRYPTO_memcmp(a->data, b->data, a->len) == 0;
}
