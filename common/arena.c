#include "common/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#define ARENA_FIRST 1024
#define ARENA_BLOCK_MAX (1 << 20)

/* Under the address sanitizer each allocation is a block of its own, so an overrun of one byte is seen. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define ARENA_SINGLE 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define ARENA_SINGLE 1
#endif
#ifndef ARENA_SINGLE
#define ARENA_SINGLE 0
#endif

struct block {
	struct block *next;
	size_t size;
	size_t used;
	alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct block *blocks; /* the newest first: only that one is filled */
	size_t grow;
	bool secret;
};

static void *zalloc(size_t size)
{
	void *p = calloc(1, size);

	if (!p) {
		fprintf(stderr, "out of memory (%zu bytes for an arena)\n", size);
		abort();
	}
	return p;
}

static struct arena *arena_make(size_t first, bool secret)
{
	struct arena *a = zalloc(sizeof(*a));

	a->grow = first ? first : ARENA_FIRST;
	a->secret = secret;
	return a;
}

struct arena *arena_new(size_t first)
{
	return arena_make(first, false);
}

struct arena *arena_new_secret(size_t first)
{
	return arena_make(first, true);
}

struct arena *arena_free(struct arena *a)
{
	if (!a)
		return NULL;
	while (a->blocks) {
		struct block *b = a->blocks;

		a->blocks = b->next;
		if (a->secret)
			OPENSSL_cleanse(b->data, b->used);
		free(b);
	}
	free(a);
	return NULL;
}

void arena_freep(struct arena **a)
{
	*a = arena_free(*a);
}

static struct block *block_new(struct arena *a, size_t size)
{
	struct block *b = zalloc(sizeof(*b) + size);

	b->size = size;
	b->next = a->blocks;
	a->blocks = b;
	return b;
}

static struct block *block_with_room(struct arena *a, size_t size)
{
	struct block *b = a->blocks;

	if (b && b->size - b->used >= size && !ARENA_SINGLE)
		return b;
	b = block_new(a, ARENA_SINGLE || size > a->grow ? size : a->grow);
	if (a->grow < ARENA_BLOCK_MAX)
		a->grow *= 2;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	const size_t align = ARENA_SINGLE ? 1 : alignof(max_align_t);
	struct block *b;
	void *p;

	if (size > PTRDIFF_MAX - sizeof(*b) - align)
		abort();
	size = (size + align - 1) & ~(align - 1);
	b = block_with_room(a, size);
	p = b->data + b->used;
	b->used += size;
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		abort();
	return arena_alloc(a, total);
}

void *arena_memdup(struct arena *a, const void *p, size_t n)
{
	char *copy;

	if (!p)
		return NULL;
	copy = arena_alloc(a, n + 1);
	memcpy(copy, p, n);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return s ? arena_memdup(a, s, strlen(s)) : NULL;
}

char *arena_vprintf(struct arena *a, const char *format, va_list args)
{
	va_list again;
	char *s;
	int n;

	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (n < 0)
		abort();
	s = arena_alloc(a, (size_t)n + 1);
	vsnprintf(s, (size_t)n + 1, format, args);
	return s;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	char *s;

	va_start(args, format);
	s = arena_vprintf(a, format, args);
	va_end(args);
	return s;
}
