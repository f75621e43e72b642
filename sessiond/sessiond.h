/* The vault's own state, which its handlers share: its database, its keys, and who watches. One per process. */
#pragma once

#include "common/hub.h"
#include "db/service.h"
#include "proto/call.h"
#include "sessiond/crypt.h"
#include "sessiond/keycheck.h"
#include "sessiond/settings.h"
#include "sessiond/upkeep.h"

struct fiber;
struct marks;
struct server;
struct worker_pool;

struct sessiond {
	const struct sessiond_settings *settings;
	struct masterkeys *keys;
	struct marks *marks;
	struct worker_pool *crypt; /* seals and opens (sessiond/crypt.h) */
	struct db_service database;
	struct db *db;
	struct keycheck check;
	struct hub *hub;
	bool listening; /* to the channel, or it has been: whoever watches before it is is behind once it is */
	bool checking;             /* the check after a (re)connection is under way */
	struct fiber *check_fiber; /* once it runs */
	struct upkeep upkeep;
};

/*
 * Its start and end, as proto/service.h has them: locks memory, reads the master keys and prepares the database, which need not
 * answer yet.
 */
int sessiond_open(void *daemon, struct server *server);
void sessiond_stop(void *daemon);
void sessiond_close(void *daemon);

static inline struct sessiond *sessiond_of(const struct call *call)
{
	return call->daemon;
}

/*
 * Until when a call may wait for the database: early enough that its caller still hears the answer.
 */
int64_t sessiond_deadline(const struct call *call);
