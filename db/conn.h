/*
 * One connection to PostgreSQL, moved by the loop: it opens, carries one batch at a time (what goes
 * between two Syncs of libpq's pipeline mode), cleans up behind whoever gave it back, and says what
 * became of it. Who may use it, and when to open it again, is its owner's business (pool.c,
 * listen.c). Private to db/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/arg.h"
#include "db/error.h"

struct conn;
struct conninfo;
struct db_result;

/* What a connection tells its owner, on the loop or from within db_conn_hold() and db_conn_release(). */
struct conn_owner {
	/* Open and clean, nobody holds it: just opened, or cleaned up. May be held there. */
	void (*ready)(void *arg, struct conn *c);
	/* It could not be opened, or broke. Open it again later, not from here. */
	void (*closed)(void *arg, struct conn *c, const struct db_error *why);
	void (*notified)(void *arg, const char *channel, const char *payload); /* may be NULL */
};

struct conn *db_conn_new(const struct conn_owner *owner, void *arg);

/* Closes without telling the owner. Nobody may hold it. Takes NULL, returns NULL. */
struct conn *db_conn_free(struct conn *c);

/* Starts to connect; ready or closed follows, later. */
void db_conn_open(struct conn *c, const struct conninfo *info);

/*
 * Takes an open, clean connection into use. False if it turns out to be broken: closed has then
 * been called. It asks the socket, so that a connection whose server is gone is found before
 * anything is sent on it.
 */
bool db_conn_hold(struct conn *c);

/*
 * Gives it back in whatever state: under way, in an open transaction, broken. It is cleaned up in
 * the background, then ready or closed is called, possibly before this returns.
 */
void db_conn_release(struct conn *c);

/* The parts of a batch, as far as they make a difference to what a failure means. */
enum step { STEP_PREPARE, STEP_CONTROL, STEP_STATEMENT, STEP_COMMIT };

/* Puts one statement into the batch. sql is borrowed until db_conn_send() only. */
void db_conn_add(struct conn *c, enum step step, const char *sql, const struct db_arg *args, size_t n);

/* Ends the batch and lets it leave. */
void db_conn_send(struct conn *c);

/*
 * Waits for the end of the batch: 0 when it has ended, well or not; -ETIMEDOUT or -ECANCELED while
 * it goes on.
 */
int db_conn_wait(struct conn *c, int64_t deadline);

/*
 * The connection is of no more use: the server does not answer. The batch under way ends as lost.
 */
void db_conn_break(struct conn *c, const char *why);

enum outcome {
	OUTCOME_DONE,    /* all of it, COMMIT included if there was one */
	OUTCOME_REFUSED, /* the server said no; nothing of the transaction is or will be kept */
	OUTCOME_LOST,    /* the connection broke, and COMMIT cannot have been carried out */
	OUTCOME_DOUBT,   /* the connection broke, and COMMIT may have been carried out */
};

/* What became of the last batch, which has ended. why is filled unless it is DONE. */
enum outcome db_conn_outcome(const struct conn *c, struct db_error *why);

/*
 * The result of the batch's last STEP_STATEMENT, which the caller then owns; NULL if there is none.
 */
struct db_result *db_conn_take_result(struct conn *c);
