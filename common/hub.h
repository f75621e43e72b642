/*
 * Tells whoever watches. What is told has a key; a watcher that has not read it yet holds the newest of each key, in the order in
 * which the keys came up, and past a number of them none: then it is behind, and reads anew whatever it wants to know. So a slow
 * reader costs little and misses nothing but steps between, and nothing that happens between looking and waiting is missed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hub;
struct watcher;

#define HUB_KEY 128 /* bytes of a key, with its NUL; of a longer one nobody is told */

/* size: bytes of what is told beside its key, 0 for nothing; most: keys that one watcher holds. */
struct hub *hub_new(size_t size, size_t most);

/* No watcher may be left. Takes NULL, returns NULL. */
struct hub *hub_free(struct hub *h);

/* what: size bytes, copied. */
void hub_tell(struct hub *h, const char *key, const void *what);

/* Something may have been missed: everybody is behind. */
void hub_miss(struct hub *h);

/* Lets every watcher end: watcher_next() returns -ESHUTDOWN from now on. */
void hub_end(struct hub *h);

size_t hub_watchers(const struct hub *h);

/* It hears of what is told of that key from now on; NULL: of all. */
struct watcher *watcher_new(struct hub *h, const char *key);

/* Takes NULL, returns NULL. */
struct watcher *watcher_free(struct watcher *w);
void watcher_freep(struct watcher **w);

/*
 * In a fiber: waits for something. 0 with *ret_key (until the next call) and size bytes of what; -ESTALE: it is behind, and what
 * it held has been dropped; -ESHUTDOWN: the hub ends; -ECANCELED, -ETIMEDOUT. ret_key and what may be NULL.
 */
int watcher_next(struct watcher *w, const char **ret_key, void *what, int64_t deadline);

/* The same for whoever only looks again: 0 when anything has been told or missed, all of which is dropped. */
int watcher_wait(struct watcher *w, int64_t deadline);
