/*
 * Time that passes only while everybody waits, for a program that talks to nobody but itself: a wait of 20 s is over at
 * once, and a wait that nothing will ever end is seen. It takes the place of what the C library has for all of the
 * program, libevent too; the wall clock stays, for libFuzzer goes by it.
 */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int64_t virtual_ms = 1000000;

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	if (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_COARSE)
		return (int)syscall(SYS_clock_gettime, clock, ts);
	*ts = (struct timespec){ .tv_sec = virtual_ms / 1000, .tv_nsec = virtual_ms % 1000 * 1000000 };
	return 0;
}

/* Without one, libevent gives epoll_wait() its times. */
int timerfd_create(clockid_t clock, int flags)
{
	(void)clock, (void)flags;
	errno = ENOSYS;
	return -1;
}

/* Each turn takes a millisecond, so that who asks over and over comes to an end, too. */
int epoll_wait(int fd, struct epoll_event *events, int most, int timeout)
{
	int n = (int)syscall(SYS_epoll_wait, fd, events, most, 0);

	virtual_ms++;
	if (n != 0 || timeout == 0)
		return n;
	if (timeout < 0) {
		fputs("nothing will ever end this wait\n", stderr);
		abort();
	}
	virtual_ms += timeout;
	return 0;
}
