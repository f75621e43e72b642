/*
 * PostgreSQL for fibers: a pool of connections on the loop, and transactions that read like
 * blocking code.
 *
 *	CLEANUP(db_result_freep) struct db_result *res = NULL;
 *	int r = db_read(db, DB_USER(user), deadline, &res,
 *		"SELECT site FROM sessions WHERE id = $1", DB_INT(id));
 *
 * Every statement runs in a transaction under an identity (struct db_who). BEGIN, the identity, the
 * statement and COMMIT of a one-statement transaction leave together and are answered together: one
 * round trip. The identity is local to its transaction, so nothing of it is left for the
 * connection's next user.
 *
 * Deadlines are monotonic ms (loop.h). The server is told, so a statement ends there too; a call
 * returns at most DB_GRACE_MS after its deadline even if the server is silent, and the connection
 * is then dropped. Errors are those of db/error.h. Statements are prepared once per connection and
 * kept: write them as constants, with $1 for what varies.
 *
 * All calls but db_new(), db_free(), db_listen() and db_status() are for fibers. A fiber that holds
 * a transaction open and asks the same pool for a second one can wait for itself: -EBUSY at the
 * deadline.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/arg.h"
#include "db/error.h"
#include "db/result.h"

struct db;
struct db_tx;

/* How long past its deadline a call waits for the server's own word that time is up. */
#define DB_GRACE_MS 250

struct db_config {
	/* libpq's key=value or URI. A Unix socket or an IP address: names would block. */
	const char *conninfo;
	unsigned size; /* at most this many connections, 1..256; one more for db_listen() */
	const char *application_name; /* as pg_stat_activity shows it */

	/*
	 * The database went down (up false, why says how) or came back; called on the loop. May be
	 * NULL.
	 */
	void (*changed)(bool up, const char *why, void *arg);
	void *arg;
};

/*
 * Opens nothing yet. -EINVAL when conninfo cannot be parsed or size is out of range. The config and
 * its strings are copied.
 */
int db_new(const struct db_config *config, struct db **ret);

/*
 * Closes everything. No transaction may be open and no fiber waiting: end those first. Takes NULL,
 * returns NULL.
 */
struct db *db_free(struct db *db);
void db_freep(struct db **db);

/* In whose name a transaction runs; row-level security sees it. */
struct db_who {
	/* NOBODY, all zero, is refused */
	enum { DB_WHO_NOBODY, DB_WHO_USER, DB_WHO_ROLE, DB_WHO_SELF } kind;
	int64_t user;
	const char *role;
};

/* A person: set_config('stead.user', id, true). An id below 1 is -EINVAL. */
#define DB_USER(id)   ((struct db_who){ .kind = DB_WHO_USER, .user = (id) })
/*
 * A fixed role that the daemon is a member of: SET LOCAL ROLE. Lower-case letters, digits, _; else
 * -EINVAL.
 */
#define DB_ROLE(name) ((struct db_who){ .kind = DB_WHO_ROLE, .role = (name) })
/* The daemon's own role and nobody in particular: row-level security shows it no person's rows. */
#define DB_SELF       ((struct db_who){ .kind = DB_WHO_SELF })

/*
 * One statement in a read-only transaction: db_read(db, who, deadline, &res, sql, args...). Because
 * nothing can be half done, a lost connection is -ENOTCONN, never -EINPROGRESS. Ends early when the
 * fiber is cancelled.
 */
#define db_read(db, who, deadline, ret, sql, ...)                                                  \
	db_run(db, who, deadline, true, ret, sql, DB_ARGS(__VA_ARGS__), DB_COUNT(__VA_ARGS__))

/*
 * One statement that may write, committed when this returns 0: db_query(db, who, deadline, &res,
 * sql, args...). COMMIT leaves with the statement, so from then on cancellation no longer cuts the
 * wait short.
 *
 * Both try again by themselves what certainly had no effect: once after a connection found broken,
 * twice after -EDEADLK. ret may be NULL. On success the result is the caller's.
 */
#define db_query(db, who, deadline, ret, sql, ...)                                                 \
	db_run(db, who, deadline, false, ret, sql, DB_ARGS(__VA_ARGS__), DB_COUNT(__VA_ARGS__))

int db_run(struct db *db, struct db_who who, int64_t deadline, bool read_only,
	struct db_result **ret, const char *sql, const struct db_arg *args, size_t n);

/*
 * The failure of the last call that failed on this pool or one of its transactions. Like errno:
 * read it before the fiber's next wait. Borrowed, never NULL.
 */
const struct db_error *db_error(const struct db *db);

/*
 * A transaction of several statements. Talks to nobody yet: BEGIN and the identity leave with the
 * first statement. The deadline is that of all its statements and of COMMIT. -EINVAL for a who that
 * is no identity.
 */
int db_begin(struct db *db, struct db_who who, int64_t deadline, struct db_tx **ret);

/*
 * A statement within: tx_query(tx, &res, sql, args...). After a failure the transaction is lost,
 * and every further call on it returns that same failure. Holds a pool connection from the first
 * statement to the end.
 */
#define tx_query(tx, ret, sql, ...)                                                                \
	tx_run(tx, ret, sql, DB_ARGS(__VA_ARGS__), DB_COUNT(__VA_ARGS__))

int tx_run(struct db_tx *tx, struct db_result **ret, const char *sql, const struct db_arg *args,
	size_t n);

/* Commits. Frees the transaction and clears the pointer whatever happens. Only 0 means kept. */
int db_commit(struct db_tx **tx);

/* The last statement and COMMIT in one round trip: db_commit_query(&tx, &res, sql, args...). */
#define db_commit_query(tx, ret, sql, ...)                                                         \
	tx_run_commit(tx, ret, sql, DB_ARGS(__VA_ARGS__), DB_COUNT(__VA_ARGS__))

int tx_run_commit(struct db_tx **tx, struct db_result **ret, const char *sql,
	const struct db_arg *args, size_t n);

/*
 * Gives the transaction up, without waiting: safe in a cancelled fiber. Takes NULL; clears the
 * pointer.
 */
void db_rollback(struct db_tx **tx);

/* For CLEANUP(tx_freep) struct db_tx *tx = NULL; rolls back what was not committed. */
void tx_freep(struct db_tx **tx);

/*
 * Runs fn in a transaction and commits when it returns 0; rolls back and returns what it returned
 * otherwise. On -EDEADLK the whole is done again, three times in all, after a short random pause;
 * so fn must start afresh.
 */
int db_transaction(struct db *db, struct db_who who, int64_t deadline,
	int (*fn)(struct db_tx *tx, void *arg), void *arg);

/*
 * Calls fn for each NOTIFY on channel, with its payload, and with NULL after each (re)connection,
 * when something may have been missed: read again then. Called on the loop, must return at once
 * (start a fiber, wake one). The connection is one of its own, shared by all channels and kept up
 * until db_free(). channel is a lower-case identifier (-EINVAL); eight of them at most (-ENOSPC).
 * Not through a pooler in transaction mode: LISTEN breaks there.
 */
int db_listen(
	struct db *db, const char *channel, void (*fn)(const char *payload, void *arg), void *arg);

struct db_status {
	unsigned connected, idle, busy; /* pool connections; connected = idle + busy */
	unsigned waiting;               /* fibers that want one */
	bool listening;                 /* the LISTEN connection stands */
	int64_t down_since; /* wall clock ms; 0: the last attempt to connect succeeded, if any */
	char error[256]; /* the last failure to connect, for the operator; "" if none ever */
};

void db_status(const struct db *db, struct db_status *ret);
