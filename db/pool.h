/* The pool as transactions and listeners see it (private to db/). */
#pragma once

#include <stdint.h>

#include "db/conn.h"
#include "db/db.h"

/*
 * A connection, open and clean, for the calling fiber alone; give it back with db_conn_release().
 * Fibers are served in the order in which they asked. -ENOTCONN, -EBUSY (at the deadline) or
 * -ECANCELED, with *why filled.
 */
int pool_take(struct db *db, int64_t deadline, struct conn **ret, struct db_error *why);

/* Keeps e for db_error(); returns its code. */
int pool_fail(struct db *db, const struct db_error *e);

const struct conninfo *pool_conninfo(const struct db *db);

/* An attempt to connect, the pool's or the listener's, succeeded or failed. */
void pool_up(struct db *db);
void pool_down(struct db *db, const char *why);

/*
 * How long to wait after the nth failure in a row (n > 0) to connect: 100 ms doubling to 5 s, a
 * quarter off or on. Pure.
 */
int64_t pool_backoff_ms(unsigned failures, uint32_t random);

/* The same with a random number of the moment. */
int64_t pool_backoff_now(unsigned failures);

struct listener;

/* The slot where listen.c keeps its own. */
struct listener **pool_listener(const struct db *db);

/* The parts of db_free() and db_status() that are the pool's. */
void pool_free(struct db *db);
void pool_status(const struct db *db, struct db_status *ret);
