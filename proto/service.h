/*
 * A daemon from its start to its end: what all of them do alike, and in the same order.
 *
 *	settings, log, loop         daemon_init()
 *	open(daemon, server)        what it works with: keys, database, the way to others; nobody can call yet
 *	its callers' sockets        one for each of its roles, of the role's name, for the user whom the setting ROLE_user names
 *	start(daemon)               what begins once it can be called
 *	READY=1, until SIGTERM; meanwhile reload(daemon) at each SIGHUP
 *	stop(daemon)                on a fiber: what would not end by itself; callers are still answered
 *	its callers' last answers   no longer than drain_ms
 *	stopped(daemon)             on the fiber: nobody calls any more
 *	close(daemon)               frees what open() and start() have made, also when one of them has failed
 *
 * open and close are needed. open and start return 0, or a negative errno after saying why in the log.
 */
#pragma once

#include <stdint.h>

#include "common/settings.h"
#include "proto/server.h"

struct service {
	const char *name, *sentence;
	const struct setting *settings;  /* its rows */
	const struct dispatch_row *rows;
	unsigned roles;                  /* enum role, of its callers */
	int64_t drain_ms;
	int (*on_act)(struct call *call, const char *what); /* server_on_act() */
	int (*open)(void *daemon, struct server *server);   /* the server is borrowed, until close() */
	int (*start)(void *daemon);
	void (*reload)(void *daemon);
	void (*stop)(void *daemon);
	void (*stopped)(void *daemon);
	void (*close)(void *daemon);
};

/* What main() returns. settings is filled, as its rows say, before open() is called. */
int service_main(const struct service *s, void *settings, void *daemon, int argc, char *argv[]);
