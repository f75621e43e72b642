/*
 * For tests whose client blocks: the loop on a thread of its own, and a way to have something done there. It does
 * without fibers itself, so that it can be run under ThreadSanitizer.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/loop.h"

static pthread_t loop_thread;
static bool loop_runs;
static int to_loop[2];
static sem_t loop_did;
static void (*loop_fn)(void), (*loop_finish)(void), (*loop_beside)(void);

static void on_to_loop(evutil_socket_t fd, short what, void *arg)
{
	char c;

	(void)what, (void)arg;
	if (read(fd, &c, 1) != 1)
		abort();
	loop_fn();
	sem_post(&loop_did);
}

/* Has fn called on the loop; end_on_loop() waits until it has returned. */
static inline void begin_on_loop(void (*fn)(void))
{
	loop_fn = fn;
	assert_int_equal(write(to_loop[1], "", 1), 1);
}

static inline void end_on_loop(void)
{
	while (sem_wait(&loop_did) < 0)
		;
}

static inline void on_loop(void (*fn)(void))
{
	begin_on_loop(fn);
	end_on_loop();
}

/* Has fn called on the loop's thread while the loop does not run, for what turns the loop itself. */
static inline void beside_loop(void (*fn)(void))
{
	loop_beside = fn;
	on_loop(loop_stop);
	end_on_loop();
}

static void *loop_thread_run(void *arg)
{
	void (*begin)(void) = arg;
	struct event *call;

	loop_init();
	begin();
	call = event_new(loop_base(), to_loop[0], EV_READ | EV_PERSIST, on_to_loop, NULL);
	event_add(call, NULL);
	sem_post(&loop_did);
	loop_run();
	while (loop_beside) {
		loop_beside();
		loop_beside = NULL;
		sem_post(&loop_did);
		loop_run();
	}
	event_free(call);
	loop_finish();
	loop_deinit();
	return NULL;
}

/* begin and finish are called on the thread, before the loop runs and after it has stopped. */
static inline void loop_thread_start(void (*begin)(void), void (*finish)(void))
{
	assert_int_equal(pipe2(to_loop, O_CLOEXEC), 0);
	sem_init(&loop_did, 0, 0);
	loop_finish = finish;
	loop_runs = true;
	assert_int_equal(pthread_create(&loop_thread, NULL, loop_thread_run, begin), 0);
	end_on_loop();
}

static inline void loop_thread_stop(void)
{
	if (!loop_runs)
		return;
	loop_runs = false;
	begin_on_loop(loop_stop);
	pthread_join(loop_thread, NULL);
	close(to_loop[0]);
	close(to_loop[1]);
}

static inline int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static void nothing(void)
{
}

/* Until *n is at least this; the loop's turns in between are what is waited for. */
static inline void await(_Atomic int *n, int least)
{
	int64_t until = now_ms() + 60000;

	while (*n < least) {
		assert_true(now_ms() < until);
		poll(NULL, 0, 1);
		on_loop(nothing);
	}
}
