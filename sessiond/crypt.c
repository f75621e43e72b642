#include "sessiond/crypt.h"

#include <errno.h>

#include "common/worker.h"
#include "sessiond/marks.h"
#include "sessiond/sessiond.h"

#define AT_ONCE 8192 /* bytes */

/* What is of a format whose time has ended was put back by somebody; how it looks inside does not matter. */
static int check_format(const struct sessiond *s, const void *blob, size_t n)
{
	int format = envelope_format(blob, n);

	return format < 0 ? format : format < marks_oldest_format(s->marks) ? -EKEYEXPIRED : 0;
}

/* One piece of work, on the stack of the fiber that waits for it. */
struct job {
	const struct masterkeys *keys;
	const struct envelope_context *context;
	const void *in;
	size_t n;
	struct envelope_blob *ret_blob;
	struct secret **ret_plain;
	int r;
};

/* What is small is done sooner than a thread has woken up. */
static int crypt_run(struct sessiond *s, void (*fn)(void *arg), struct job *j, int64_t deadline)
{
	int r = 0;

	if (j->n <= AT_ONCE)
		fn(j);
	else
		r = worker_run(s->crypt, fn, j, deadline);

	return r < 0 ? r : j->r;
}

static void seal(void *arg)
{
	struct job *j = arg;

	j->r = envelope_seal(j->keys, j->context, j->in, j->n, j->ret_blob);
}

int crypt_seal(struct sessiond *s, const struct envelope_context *context, const void *plain, size_t n,
	int64_t deadline, struct envelope_blob *ret)
{
	struct job j = { .keys = s->keys, .context = context, .in = plain, .n = n, .ret_blob = ret };

	return crypt_run(s, seal, &j, deadline);
}

static void open_it(void *arg)
{
	struct job *j = arg;

	j->r = envelope_open(j->keys, j->context, j->in, j->n, SESSION_MAX, j->ret_plain);
}

int crypt_open(struct sessiond *s, const struct envelope_context *context, const void *blob, size_t n,
	int64_t deadline, struct secret **ret)
{
	struct job j = { .keys = s->keys, .context = context, .in = blob, .n = n, .ret_plain = ret };
	int r = check_format(s, blob, n);

	return r < 0 ? r : crypt_run(s, open_it, &j, deadline);
}

static void rewrap(void *arg)
{
	struct job *j = arg;

	j->r = envelope_rewrap(j->keys, j->context, j->in, j->n, j->ret_blob);
}

int crypt_rewrap(struct sessiond *s, const struct envelope_context *context, const void *blob,
	size_t n, int64_t deadline, struct envelope_blob *ret)
{
	struct job j = { .keys = s->keys, .context = context, .in = blob, .n = n, .ret_blob = ret };
	int r = check_format(s, blob, n);

	return r < 0 ? r : crypt_run(s, rewrap, &j, deadline);
}
