/*
 * Why a call on the database failed: what the program decides by, and what its operator reads.
 *
 *	-ENOTCONN     the database is down or the connection was lost; nothing happened
 *	-EINPROGRESS  the connection was lost after COMMIT was sent: look whether it was kept
 *	-ETIMEDOUT    the deadline, or a lock that did not come free by then; nothing happened
 *	-EBUSY        every connection was in use until the deadline; nothing happened
 *	-ECANCELED    the fiber was cancelled before COMMIT was sent; nothing happened
 *	-EEXIST       a unique or exclusion constraint (named in .constraint)
 *	-ENOENT       a foreign key (named in .constraint): the row is missing, or in use
 *	-EINVAL       a value that a check, a NOT NULL or a type refuses
 *	-EACCES       the role may not, or row-level security refused the row
 *	-EDEADLK      deadlock, serialization failure, outdated plan: worth another try
 *	-EROFS        a write in a read-only transaction
 *	-ENOSPC       the server's disk is full
 *	-EIO          anything else, a mistake in the statement for one
 */
#pragma once

#include <stdbool.h>

struct db_error {
	int code;            /* one of the above, or 0 */
	char sqlstate[6];    /* the server's own word; "" when it had none */
	char constraint[64]; /* "" when none was broken */
	char text[256];      /* one line for the operator's log, never for a peer */
};

/* Whether the database was away, or may have been: another try can help. */
bool db_may_pass(int code);

/*
 * The errno of a SQLSTATE (PostgreSQL, appendix A); -EIO for one that this house makes no use of.
 * Pure.
 */
int db_error_code(const char *sqlstate);

/* Sets the code and a text of our own making (private to db/). */
void db_error_set(struct db_error *e, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

struct pg_result;

/*
 * Fills e from a failed result. Only the server's primary message is taken: its details repeat the
 * values of rows, which have no place in a log. (private to db/)
 */
void db_error_from_result(struct db_error *e, const struct pg_result *res);
