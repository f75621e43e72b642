#include "common/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>

#include <event2/event.h>

#include "common/must.h"

struct deferred {
	void (*fn)(void *);
	void *arg;
	STAILQ_ENTRY(deferred) link;
};

static struct event_base *base;
static struct event *defer_event;
static STAILQ_HEAD(, deferred) deferred = STAILQ_HEAD_INITIALIZER(deferred);

static void run_deferred(evutil_socket_t, short, void *)
{
	struct deferred *d;

	while ((d = STAILQ_FIRST(&deferred))) {
		STAILQ_REMOVE_HEAD(&deferred, link);
		d->fn(d->arg);
		free(d);
	}
}

int loop_init(void)
{
	if (base)
		return 0;

	struct event_config *config = event_config_new();
	if (!config)
		return -ENOMEM;
	/*
	 * Ordinary libevent timers fire 3-5 ms late; precise ones within 0.2 ms. With its cached time a timer would fire too
	 * early, by as long as this turn of the loop had already taken when it was set.
	 */
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME);
	base = event_base_new_with_config(config);
	event_config_free(config);
	if (!base)
		return -ENOMEM;
	defer_event = loop_timer(run_deferred, NULL);
	return 0;
}

void loop_deinit(void)
{
	if (!base)
		return;
	run_deferred(-1, 0, NULL);
	event_free(defer_event);
	event_base_free(base);
	defer_event = NULL;
	base = NULL;
}

struct event_base *loop_base(void)
{
	return base;
}

void loop_run(void)
{
	event_base_dispatch(base);
}

void loop_turn(void)
{
	event_base_loop(base, EVLOOP_ONCE);
}

void loop_stop(void)
{
	event_base_loopbreak(base);
}

static int64_t clock_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

int64_t loop_now(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

int64_t wall_now(void)
{
	return clock_ms(CLOCK_REALTIME);
}

int64_t deadline_in(int64_t ms)
{
	int64_t at;

	return __builtin_add_overflow(loop_now(), ms, &at) ? NEVER : at;
}

int64_t deadline_min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

struct event *loop_event(int fd, short what, void (*fn)(int fd, short what, void *arg), void *arg)
{
	return must(event_new(base, fd, what, fn, arg));
}

struct event *loop_watch(int fd, short what, void (*fn)(int fd, short what, void *arg), void *arg)
{
	struct event *event = loop_event(fd, what, fn, arg);

	if (event_add(event, NULL) != 0)
		abort();
	return event;
}

struct event *loop_timer(void (*fn)(int fd, short what, void *arg), void *arg)
{
	return loop_event(-1, 0, fn, arg);
}

void loop_arm(struct event *event, int64_t ms)
{
	const struct timeval in = { .tv_sec = ms > 0 ? ms / 1000 : 0, .tv_usec = ms > 0 ? ms % 1000 * 1000 : 0 };

	if (event_add(event, &in) != 0)
		abort();
}

void loop_defer(void (*fn)(void *arg), void *arg)
{
	struct deferred *d = must(malloc(sizeof(*d)));

	*d = (struct deferred){ .fn = fn, .arg = arg };
	STAILQ_INSERT_TAIL(&deferred, d, link);
	event_active(defer_event, 0, 0);
}
