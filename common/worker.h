/*
 * A few threads for slow CPU work, such as password hashing, so that the loop never waits for it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct worker_pool;

/*
 * Starts so many threads; at most queued calls may wait for one beyond those that run. Needs the loop. -EMFILE,
 * -EAGAIN and the like as pthread_create(3) and eventfd(2) give them.
 */
int worker_pool_new(unsigned threads, size_t queued, struct worker_pool **ret);

/* Waits for what runs. No fiber may be inside worker_run(). Takes NULL, returns NULL. */
struct worker_pool *worker_pool_free(struct worker_pool *pool);

/*
 * In a fiber: runs fn(arg) on a thread and waits for its end. 0 when it ran; -EBUSY when the queue is full, and
 * -ETIMEDOUT or -ECANCELED while it still waited for its turn: then it did not and will not run. Once it runs the
 * wait is not cut short, so arg may lie on the caller's stack. fn must not touch the loop, fibers or the log.
 */
int worker_run(struct worker_pool *pool, void (*fn)(void *arg), void *arg, int64_t deadline);
