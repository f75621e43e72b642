/*
 * Fibers: long flows that wait at every step, written as straight lines.
 *
 * A fiber is a stack of its own (guard page below it) that runs on the loop's thread and gives way only inside the
 * waits declared here. Everything it waits for is a callback that calls wait_wake(). Every wait takes a deadline
 * (loop.h) and ends early with -ECANCELED when the fiber has been cancelled, because its caller is gone or its owner
 * ends; a cancelled fiber can still run to its end, but every further wait fails at once, unless it is shielded.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct fiber;

/*
 * Starts fn(arg) on a fiber of its own; it first runs when the present callback or fiber gives way. With ret the
 * caller owns the handle and must fiber_join() it; without, the fiber frees itself at its end. Aborts when memory is
 * exhausted.
 */
void fiber_start(const char *name, void (*fn)(void *arg), void *arg, struct fiber **ret);

/* The running fiber, or NULL on the loop's own stack. */
struct fiber *fiber_self(void);

/* Makes the present and each later unshielded wait of f return -ECANCELED. Idempotent; NULL is ignored. */
void fiber_cancel(struct fiber *f);

bool fiber_cancelled(void);

/*
 * Waits until f has ended, then frees it and clears the handle. Not cut short by cancellation, for whoever started a
 * fiber answers for its end: cancel it first if it should end soon. NULL handles are ignored.
 */
void fiber_join(struct fiber **f);

/* True once f's function has returned. */
bool fiber_ended(const struct fiber *f);

/* Between these, waits are not cut short by cancellation: for clean-up that must talk to somebody. Nests. */
void fiber_shield(void);
void fiber_unshield(void);

/* A slot per fiber for one pointer, which the RPC engine uses for the call under way (log context). */
void fiber_set_local(void *p);
void *fiber_local(void);

/* 0 when the time has come, or -ECANCELED. Monotonic ms. */
int fiber_sleep_until(int64_t when);

/* Gives everything else that is ready a turn. */
int fiber_yield(void);

/* Waits for EV_READ and/or EV_WRITE (libevent's bits) on fd: the bits that came, -ETIMEDOUT or -ECANCELED. */
int fiber_wait_fd(int fd, short what, int64_t deadline);

/*
 * One wait. The fiber makes it on its stack, hands &w to whoever will wake it, and calls wait_for(). If that returns
 * anything but the waker's result, the waker still holds &w: take it back before the frame goes.
 */
struct wait {
	struct fiber *fiber; /* NULL: nobody waits yet, or no longer */
	bool done;
	int result;
};

/* The result given to wait_wake(), or -ETIMEDOUT, or -ECANCELED. */
int wait_for(struct wait *w, int64_t deadline);

/* Ends the wait with result (0 or a negative errno, never -ETIMEDOUT). A second wake is ignored. Never switches. */
void wait_wake(struct wait *w, int result);

/* Frees the stacks kept for reuse. For leak checkers, at the end of a process. */
void fiber_drop_stacks(void);
