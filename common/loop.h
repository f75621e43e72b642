/*
 * The process's one event loop (libevent), and the clocks.
 *
 * A process has exactly one loop, on its main thread; everything but the few threads that say otherwise runs on
 * it. Times are int64_t milliseconds of CLOCK_MONOTONIC unless a name says "wall".
 */
#pragma once

#include <stdint.h>

struct event;
struct event_base;

/* A deadline that never comes. */
#define NEVER INT64_MAX

/* Makes the loop. 0, or -ENOMEM. Calling it again is harmless. */
int loop_init(void);

/* Frees the loop; afterwards loop_init() may be called again (tests do). */
void loop_deinit(void);

/* The loop, for libevent's own calls. Borrowed. */
struct event_base *loop_base(void);

/* Runs until loop_stop() or until nothing is left to wait for. */
void loop_run(void);

/* Runs what is ready now, waiting for at most one event to become ready. For tests and shutdown. */
void loop_turn(void);

/* Makes loop_run() return after this turn. Safe from a signal event or a fiber. */
void loop_stop(void);

/* Monotonic now, ms. */
int64_t loop_now(void);

/* Wall clock now, ms since 1970 (UTC). */
int64_t wall_now(void);

/* The deadline ms milliseconds from now; NEVER stays NEVER. */
int64_t deadline_in(int64_t ms);

/* Which of two deadlines comes first. */
int64_t deadline_min(int64_t a, int64_t b);

/*
 * An event of the loop that nothing waits for yet, one that waits from now on, and a timer; what: libevent's EV_.... Aborts
 * when memory is exhausted. Free it with event_free().
 */
struct event *loop_event(int fd, short what, void (*fn)(int fd, short what, void *arg), void *arg);
struct event *loop_watch(int fd, short what, void (*fn)(int fd, short what, void *arg), void *arg);
struct event *loop_timer(void (*fn)(int fd, short what, void *arg), void *arg);

/* The event comes in so many ms, in place of when it would have if it was armed before; at once if ms is not above 0. */
void loop_arm(struct event *event, int64_t ms);

/*
 * Calls fn(arg) when the present callback has returned and before the loop waits again. This is how an object
 * that is in the middle of its own callback gets freed.
 */
void loop_defer(void (*fn)(void *arg), void *arg);
