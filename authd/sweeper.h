/* The fiber that, every few seconds, ends the logins whose time is up (login_sweep()). */
#pragma once

struct authd;
struct sweeper;

struct sweeper *sweeper_new(struct authd *a);

/* In a fiber: stops it. */
void sweeper_stop(struct sweeper *s);

/* After sweeper_stop(). Takes NULL, returns NULL. */
struct sweeper *sweeper_free(struct sweeper *s);
