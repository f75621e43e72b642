/*
 * The audit: a row for each security event, added in the transaction of what it tells about: no row, no action.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct call;
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

/* What anybody can bring about as often as they like: so many rows a minute, and the others are counted. All zero at first. */
struct audit_limit {
	int64_t since;
	size_t rows, unsaid;
};

/*
 * Such an event, of whoever makes the call, which is refused already: what cannot be written down stays a line of the log. In a
 * fiber.
 */
void audit_limited(struct call *call, struct audit_limit *limit, const char *event, const char *detail);

/* For events that change nothing else. In a fiber. */
int audit_alone(struct db *db, int64_t deadline, const struct audit *entry);
