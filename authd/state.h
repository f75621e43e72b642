/* authd's state: what its handlers find in call->daemon. One per process. */
#pragma once

#include <stdint.h>

#include "authd/audit.h"
#include "authd/password.h"
#include "authd/settings.h"
#include "authd/strangers.h"
#include "authd/watch.h"
#include "common/latch.h"
#include "db/service.h"

struct db;
struct fiber;
struct http;
struct peer;
struct server;
struct worker_pool;

#define PEERS 3

struct authd {
	const struct authd_settings *settings;
	struct db_service database;
	struct db *db;
	struct worker_pool *workers;
	struct server *server;
	struct peer *peers[PEERS]; /* the other daemons */
	struct login_watch watch;
	struct http *http;
	struct fiber *first_admin, *sweeper, *writer; /* first_admin_run(), login_sweep(), strangers_write() */
	struct latch database_back; /* first_admin_run() waits for it */
	struct strangers strangers;
	struct audit_limit forbidden, acts; /* told by other daemons */
	struct password_cost cost;
	char nobody[PASSWORD_ENCODED]; /* the hash that an unknown name's password is compared with */
};

/*
 * Until when a call with this deadline waits for the database: long enough for PostgreSQL to restart under it, but no
 * longer than a moment once it is known to be down.
 */
int64_t authd_db_deadline(const struct authd *a, int64_t deadline);

/* Says in the log why the database failed with r, unless it is down, which is said once elsewhere. Returns r. */
int authd_db_failed(const struct authd *a, const char *what, int r);
