/*
 * The audit: a row for each security event, added in the transaction of what it tells about: no row, no action.
 */
#pragma once

#include <stdint.h>

struct db;
struct db_tx;

struct audit {
	const char *event;  /* such as login_failed; a fixed word */
	const char *user;   /* the account's name; NULL: none, or a name that is no account's */
	const char *ip;     /* NULL: it came from this machine's own programs */
	const char *detail; /* never a secret; NULL: none */
};

/* Adds the row within tx. Database errors. */
int audit_write(struct db_tx *tx, const struct audit *entry);

/* For events that change nothing else. In a fiber. */
int audit_alone(struct db *db, int64_t deadline, const struct audit *entry);
