/*
 * The browser of this launcher: its start, its watch over a life, and its end with everything that
 * belongs to it.
 */
#pragma once

#include <sys/types.h>

struct browser;
struct egress;

/*
 * For family_reap(): notes how a process ended if it was the browser. arg is the browser, or NULL.
 */
void browser_reaped(pid_t pid, int status, void *arg);

/*
 * After reaping: if the browser is among the dead, so is all that belongs to it, and the watchers
 * are told. NULL is fine.
 */
void browser_settle(struct browser *b);

/* NULL when it does not run. */
struct egress *browser_egress(struct browser *b);

/* Kills it if need be. Takes NULL, returns NULL. */
struct browser *browser_free(struct browser *b);
