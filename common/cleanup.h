/* Owners that let go by themselves: __attribute__((cleanup)) under a short name. */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Calls f(&variable) when the variable leaves its scope. f must accept a variable that owns
 * nothing.
 */
#define CLEANUP(f) __attribute__((cleanup(f)))

/* Hands over what the pointer x owns: yields its value and leaves NULL behind. */
#define TAKE(x) ({				\
	__typeof__(x) *take_ = &(x);		\
	__typeof__(x) taken_ = *take_;		\
	*take_ = NULL;				\
	taken_; })

/* The same for a descriptor, which owns nothing when it is -1. */
#define TAKE_FD(x) ({ int *take_ = &(x); int taken_ = *take_; *take_ = -1; taken_; })

/* CLEANUP(freep) char *text = NULL; */
static inline void freep(void *p)
{
	free(*(void **)p);
}

/* CLEANUP(closep) int fd = -1; keeps errno, so that a failing function can still return -errno. */
static inline void closep(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

/* CLEANUP(fclosep) FILE *f = NULL; of one that was read. */
static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

/* CLEANUP(closedirp) DIR *d = NULL; */
static inline void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}
