#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"
#include "db/db.h"
#include "db/pool.h"

#define TRIES          3 /* of what failed with -EDEADLK */

/*
 * The server's time limit is set anew within a transaction when it exceeds what is left by more
 * than this.
 */
#define LIMIT_SLACK_MS 100

/*
 * All three in every transaction: NULL is the session's default, so each starts from a known state
 * whatever ran before it on the connection.
 */
#define IDENTITY                                                                                   \
	"SELECT set_config('stead.user', $1, true), set_config('role', $2, true), "                \
	"set_config('statement_timeout', $3, true)"
#define TIME_LIMIT "SELECT set_config('statement_timeout', $1, true)"

struct db_tx {
	struct db *db;
	struct db_who who;
	int64_t deadline;
	bool read_only;
	bool begun;        /* BEGIN has been sent */
	int64_t limit_ms;  /* the server's present time limit, NEVER for none */
	struct conn *conn; /* from the first statement on */
	struct db_error error;
};

/* One statement for tx_step(); sql NULL: COMMIT alone. */
struct work {
	const char *sql;
	const struct db_arg *args;
	size_t n;
	bool commit;
	struct db_result *result;
};

/* Who */

static bool role_valid(const char *role)
{
	size_t n = role ? strspn(role, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;

	/* "none" would mean the daemon's own role */
	return n > 0 && n < 64 && !role[n] && strcmp(role, "none") != 0;
}

static bool who_valid(struct db_who who)
{
	switch (who.kind) {
	case DB_WHO_NOBODY: return false;
	case DB_WHO_USER: return who.user > 0;
	case DB_WHO_ROLE: return role_valid(who.role);
	case DB_WHO_SELF: return true;
	}
	return false;
}

static int tx_init(struct db_tx *tx, struct db *db, struct db_who who, int64_t deadline)
{
	struct db_error e;

	if (!who_valid(who)) {
		db_error_set(&e, -EINVAL,
			"no transaction without an identity: kind %d, user %" PRId64
			", role \"%s\"",
			(int)who.kind, who.user, BRIEF(63, who.role));
		return pool_fail(db, &e);
	}
	*tx = (struct db_tx){ .db = db, .who = who, .deadline = deadline, .limit_ms = NEVER };
	return 0;
}

static void tx_release(struct db_tx *tx)
{
	if (tx->conn)
		db_conn_release(tx->conn);
	tx->conn = NULL;
}

static int tx_fail(struct db_tx *tx, int code)
{
	assert(code < 0);
	tx->error.code = code;
	tx_release(tx);
	return pool_fail(tx->db, &tx->error);
}

/* One batch */

static int64_t time_left(const struct db_tx *tx)
{
	return tx->deadline == NEVER ? NEVER : tx->deadline - loop_now();
}

/* The time limit as set_config() wants it. */
static struct db_arg limit_arg(struct db_tx *tx, char *text, size_t size)
{
	tx->limit_ms = time_left(tx);
	if (tx->limit_ms == NEVER)
		return DB_NULL;
	exact_must(text, size, "%d", (int)deadline_min(tx->limit_ms, INT32_MAX));
	return DB_TEXT(text);
}

static void add_begin(struct db_tx *tx)
{
	char user[24], limit[24];

	exact_must(user, sizeof(user), "%" PRId64, tx->who.user);
	db_conn_add(tx->conn, STEP_CONTROL, tx->read_only ? "BEGIN READ ONLY" : "BEGIN", NULL, 0);
	db_conn_add(tx->conn, STEP_CONTROL, IDENTITY,
		DB_ARGS(DB_TEXT(tx->who.kind == DB_WHO_USER ? user : NULL),
			DB_TEXT(tx->who.kind == DB_WHO_ROLE ? tx->who.role : NULL),
			limit_arg(tx, limit, sizeof(limit))),
		3);
}

static void add_limit(struct db_tx *tx)
{
	char limit[24];

	if (tx->limit_ms == NEVER || tx->limit_ms - time_left(tx) <= LIMIT_SLACK_MS)
		return;
	db_conn_add(tx->conn, STEP_CONTROL, TIME_LIMIT, DB_ARGS(limit_arg(tx, limit, sizeof(limit))),
		1);
}

static void send_work(struct db_tx *tx, const struct work *w)
{
	if (tx->begun)
		add_limit(tx);
	else
		add_begin(tx);
	tx->begun = true;
	if (w->sql)
		db_conn_add(tx->conn, STEP_STATEMENT, w->sql, w->args, w->n);
	if (w->commit)
		db_conn_add(tx->conn, STEP_COMMIT, "COMMIT", NULL, 0);
	db_conn_send(tx->conn);
}

/*
 * Waits for the batch to end. Once COMMIT is on its way, its answer is worth waiting for whoever
 * has gone.
 */
static int tx_await(struct db_tx *tx, bool commit)
{
	bool shield = commit && !tx->read_only;
	int64_t until = tx->deadline == NEVER ? NEVER : tx->deadline + DB_GRACE_MS;
	int r;

	if (shield)
		fiber_shield();
	r = db_conn_wait(tx->conn, until);
	if (shield)
		fiber_unshield();
	if (r == -ETIMEDOUT)
		db_conn_break(tx->conn, "the server did not answer by the deadline");
	if (r == -ECANCELED)
		db_error_set(&tx->error, r, "cancelled while waiting for the database");
	return r;
}

/* r: how the wait for the batch ended. */
static int tx_judge(struct db_tx *tx, struct work *w, int r)
{
	enum outcome outcome;

	if (r == -ECANCELED)
		return r;
	outcome = db_conn_outcome(tx->conn, &tx->error);
	if (outcome == OUTCOME_DOUBT && tx->read_only)
		outcome = OUTCOME_LOST;
	switch (outcome) {
	case OUTCOME_DONE: w->result = db_conn_take_result(tx->conn); return 0;
	case OUTCOME_REFUSED: return tx->error.code;
	case OUTCOME_LOST: return r == -ETIMEDOUT ? r : -ENOTCONN;
	case OUTCOME_DOUBT: return -EINPROGRESS;
	}
	return -EIO;
}

static int check_time(struct db_tx *tx)
{
	if (fiber_cancelled()) {
		db_error_set(&tx->error, -ECANCELED, "cancelled before the statement was sent");
		return -ECANCELED;
	}
	if (time_left(tx) <= 0) {
		db_error_set(&tx->error, -ETIMEDOUT,
			"the deadline passed before the statement was sent");
		return -ETIMEDOUT;
	}
	return 0;
}

/*
 * Carries one piece of work out, on the transaction's connection or, for its first, on one from the
 * pool. If that one turns out to be broken before anything could have been kept, on one more.
 */
static int tx_step(struct db_tx *tx, struct work *w)
{
	for (int attempt = 0;; attempt++) {
		bool first = !tx->begun;
		int r = check_time(tx);

		if (r == 0 && !tx->conn)
			r = pool_take(tx->db, tx->deadline, &tx->conn, &tx->error);
		if (r == 0)
			r = check_time(tx); /* the connection may have come late */
		if (r < 0)
			return tx_fail(tx, r);
		send_work(tx, w);
		r = tx_judge(tx, w, tx_await(tx, w->commit));
		if (r == 0)
			return 0;
		if (r != -ENOTCONN || !first || attempt > 0)
			return tx_fail(tx, r);
		tx_release(tx);
		tx->begun = false;
	}
}

/* The interface */

int db_begin(struct db *db, struct db_who who, int64_t deadline, struct db_tx **ret)
{
	CLEANUP(freep) struct db_tx *tx = must(malloc(sizeof(*tx)));
	int r = tx_init(tx, db, who, deadline);

	if (r == 0)
		*ret = TAKE(tx);
	return r;
}

static int run(struct db_tx *tx, struct db_result **ret, struct work *w)
{
	int r;

	if (tx->error.code)
		return pool_fail(tx->db, &tx->error);
	r = tx_step(tx, w);
	if (r < 0)
		return r;
	tx->error = (struct db_error){ 0 }; /* a first attempt's, if there was a second */
	if (ret)
		*ret = TAKE(w->result);
	w->result = db_result_free(w->result);
	return 0;
}

int tx_run(struct db_tx *tx, struct db_result **ret, const char *sql, const struct db_arg *args,
	size_t n)
{
	struct work w = { .sql = sql, .args = args, .n = n };

	return run(tx, ret, &w);
}

void db_rollback(struct db_tx **tx)
{
	if (!*tx)
		return;
	tx_release(*tx);
	free(*tx);
	*tx = NULL;
}

void tx_freep(struct db_tx **tx)
{
	db_rollback(tx);
}

int tx_run_commit(struct db_tx **tx, struct db_result **ret, const char *sql,
	const struct db_arg *args, size_t n)
{
	struct work w = { .sql = sql, .args = args, .n = n, .commit = true };
	int r = run(*tx, ret, &w);

	db_rollback(tx); /* after COMMIT there is nothing left to roll back */
	return r;
}

int db_commit(struct db_tx **tx)
{
	struct work w = { .commit = true };
	int r = 0;

	if ((*tx)->begun || (*tx)->error.code)
		r = run(*tx, NULL, &w);
	db_rollback(tx);
	return r;
}

/* Lets whoever we collided with get out of the way. */
static int pause_before(int attempt, int64_t deadline)
{
	int64_t ms = pool_backoff_now(1) / 8 * attempt;

	return fiber_sleep_until(deadline_min(deadline, loop_now() + ms));
}

static bool tx_again(int r, int attempt, int64_t deadline)
{
	return r == -EDEADLK && attempt < TRIES && pause_before(attempt, deadline) == 0;
}

int db_run(struct db *db, struct db_who who, int64_t deadline, bool read_only,
	struct db_result **ret, const char *sql, const struct db_arg *args, size_t n)
{
	int attempt = 0, r;

	do {
		struct work w = { .sql = sql, .args = args, .n = n, .commit = true };
		struct db_tx tx;

		r = tx_init(&tx, db, who, deadline);
		if (r < 0)
			return r;
		tx.read_only = read_only;
		r = run(&tx, ret, &w);
		tx_release(&tx);
	} while (tx_again(r, ++attempt, deadline));
	return r;
}

static int transaction_once(struct db *db, struct db_who who, int64_t deadline,
	int (*fn)(struct db_tx *tx, void *arg), void *arg)
{
	CLEANUP(tx_freep) struct db_tx *tx = NULL;
	int r = db_begin(db, who, deadline, &tx);

	if (r == 0)
		r = fn(tx, arg);
	if (r == 0)
		r = db_commit(&tx);
	return r;
}

int db_transaction(struct db *db, struct db_who who, int64_t deadline,
	int (*fn)(struct db_tx *tx, void *arg), void *arg)
{
	int attempt = 0, r;

	do
		r = transaction_once(db, who, deadline, fn, arg);
	while (tx_again(r, ++attempt, deadline));
	return r;
}
