/* A socket on which callers of one role connect (private to proto/). */
#pragma once

#include <sys/queue.h>
#include <sys/types.h>

#include "proto/method.h"

struct listener;
LIST_HEAD(listener_list, listener);

/* Listens on fd (taken over) until listeners_free(); accepted(arg, fd, role, uid) for each that connects. */
void listener_new(struct listener_list *list, int fd, enum role role, uid_t uid,
	void (*accepted)(void *arg, int fd, enum role role, uid_t uid), void *arg);

void listeners_free(struct listener_list *list);
