#include "sessiond/crypt.h"

#include <stdlib.h>

#include "common/must.h"
#include "common/worker.h"

#define THREADS 1 /* locked memory, not the processor, is what runs short first */
#define QUEUED  64

struct crypt {
	const struct masterkeys *keys;
	struct worker_pool *pool;
};

/* One piece of work, on the stack of the fiber that waits for it. */
struct job {
	const struct masterkeys *keys;
	const struct envelope_context *context;
	const void *in;
	size_t n;
	struct envelope_blob blob;
	struct secret *plain;
	int r;
};

int crypt_new(const struct masterkeys *keys, struct crypt **ret)
{
	struct crypt *c = must(calloc(1, sizeof(*c)));
	int r;

	c->keys = keys;
	r = worker_pool_new(THREADS, QUEUED, &c->pool);
	if (r < 0) {
		free(c);
		return r;
	}
	*ret = c;
	return 0;
}

struct crypt *crypt_free(struct crypt *c)
{
	if (!c)
		return NULL;
	worker_pool_free(c->pool);
	free(c);
	return NULL;
}

const struct masterkeys *crypt_keys(const struct crypt *c)
{
	return c->keys;
}

static int crypt_run(struct crypt *c, void (*fn)(void *arg), struct job *j, int64_t deadline)
{
	int r = worker_run(c->pool, fn, j, deadline);

	return r < 0 ? r : j->r;
}

static void seal(void *arg)
{
	struct job *j = arg;

	j->r = envelope_seal(j->keys, j->context, j->in, j->n, &j->blob);
}

int crypt_seal(struct crypt *c, const struct envelope_context *context, const void *plain, size_t n,
	int64_t deadline, struct envelope_blob *ret)
{
	struct job j = { .keys = c->keys, .context = context, .in = plain, .n = n };
	int r = crypt_run(c, seal, &j, deadline);

	if (r == 0)
		*ret = j.blob;
	return r;
}

static void open_it(void *arg)
{
	struct job *j = arg;

	j->r = envelope_open(j->keys, j->context, j->in, j->n, SESSION_MAX, &j->plain);
}

int crypt_open(struct crypt *c, const struct envelope_context *context, const void *blob, size_t n,
	int64_t deadline, struct secret **ret)
{
	struct job j = { .keys = c->keys, .context = context, .in = blob, .n = n };
	int r = crypt_run(c, open_it, &j, deadline);

	if (r == 0)
		*ret = j.plain;
	return r;
}

static void rewrap(void *arg)
{
	struct job *j = arg;

	j->r = envelope_rewrap(j->keys, j->context, j->in, j->n, &j->blob);
}

int crypt_rewrap(struct crypt *c, const struct envelope_context *context, const void *blob,
	size_t n, int64_t deadline, struct envelope_blob *ret)
{
	struct job j = { .keys = c->keys, .context = context, .in = blob, .n = n };
	int r = crypt_run(c, rewrap, &j, deadline);

	if (r == 0)
		*ret = j.blob;
	return r;
}
