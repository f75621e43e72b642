#include "common/bytes.h"

#include <stdlib.h>
#include <string.h>

#include "common/must.h"

#define FIRST 1024

/* Not realloc(), which would leave them where they were. */
void bytes_reserve(struct bytes *b, size_t more)
{
	struct bytes grown = { .n = b->n, .size = b->size ? b->size : FIRST };

	if (b->size - b->n >= more && b->size)
		return;
	while (grown.size - b->n < more)
		grown.size *= 2;
	grown.p = must(malloc(grown.size));
	if (b->n)
		memcpy(grown.p, b->p, b->n);
	bytes_free(b);
	*b = grown;
}

void bytes_put(struct bytes *b, const void *p, size_t n)
{
	if (n == 0)
		return;
	bytes_reserve(b, n);
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

void bytes_puts(struct bytes *b, const char *s)
{
	bytes_put(b, s, strlen(s));
}

void bytes_drop(struct bytes *b, size_t n)
{
	if (n == 0)
		return;
	b->n -= n;
	memmove(b->p, b->p + n, b->n);
	explicit_bzero(b->p + b->n, n);
}

void bytes_reset(struct bytes *b, size_t kept)
{
	bytes_drop(b, b->n);
	if (b->size > kept)
		bytes_free(b);
}

void bytes_free(struct bytes *b)
{
	if (b->n)
		explicit_bzero(b->p, b->n);
	free(b->p);
	*b = (struct bytes){ 0 };
}
