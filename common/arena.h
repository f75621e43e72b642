/*
 * Memory that is given back all at once: what belongs to one call, one message or one parsed
 * document.
 *
 * Nothing is freed singly. Every function aborts when memory is exhausted, so a size that a peer
 * chose must be capped before it gets here. An arena is used by one thread at a time.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct arena;

/*
 * Makes an arena whose first block holds first bytes (0: a default); later blocks grow by
 * themselves.
 */
struct arena *arena_new(size_t first);

/*
 * The same for secrets: every byte is cleansed before it goes back to the heap. It is not locked in
 * memory.
 */
struct arena *arena_new_secret(size_t first);

/* Frees the arena with all that came from it; takes NULL, returns NULL. */
struct arena *arena_free(struct arena *a);

/* For CLEANUP(arena_freep) struct arena *a = NULL; */
void arena_freep(struct arena **a);

/* Zeroed, aligned for any type, never NULL (not even for 0 bytes). */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc, returns_nonnull));

/* arena_alloc() of n elements; aborts when n * size overflows. */
void *arena_array(struct arena *a, size_t n, size_t size) __attribute__((malloc, returns_nonnull));

/*
 * Copies of a string, and of n bytes with a NUL after them that n does not count. NULL gives NULL.
 */
char *arena_strdup(struct arena *a, const char *s);
void *arena_memdup(struct arena *a, const void *p, size_t n);

char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
