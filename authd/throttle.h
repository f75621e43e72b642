/*
 * How failed sign-ins slow further ones down, without ever keeping anybody out for good: the arithmetic, which is
 * pure, and the buckets in PostgreSQL that it works on.
 *
 * Each attempt is charged before its password is looked at, so that many at once cannot outrun the count; a right
 * password gives the charge back. Figures: OWASP Authentication Cheat Sheet, ASVS 5 section 6.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct db_tx;

struct throttle_rule {
	int64_t failures;  /* so many ... */
	int64_t window_ms; /* ... within this make a block ... */
	int64_t block_ms;  /* ... of this length ... */
	bool doubling;     /* ... or, with each further block, twice the last, up to THROTTLE_MOST_MS */
};

#define THROTTLE_MOST_MS   86400000  /* no block is longer: 24 hours */
#define THROTTLE_FORGET_MS 172800000 /* strikes are forgotten after so long without an attempt */

/* Times are wall clock ms, PostgreSQL's. All zero: nothing has happened yet. */
struct throttle_state {
	int64_t failures;
	int64_t since;         /* of the first of them */
	int64_t strikes;       /* blocks so far */
	int64_t blocked_until;
	int64_t touched;       /* the last charge */
	bool told;             /* the present block has been written down */
};

/* Charges an attempt. 0 if it may be made, else how long it has to wait, ms; then nothing was charged. */
int64_t throttle_charge(const struct throttle_rule *rule, struct throttle_state *s, int64_t now);

/* Takes one charge back, and the block if that one made it. */
void throttle_refund(const struct throttle_rule *rule, struct throttle_state *s);

/* A bucket's key. */
struct throttle_key {
	uint8_t hash[32];
};

/*
 * Of an account by its number: whatever ways there are of writing its name, they have one bucket. 0: there is no such
 * account; then of the name that somebody claims, as PostgreSQL's lower() makes it.
 */
struct throttle_key throttle_account_key(int64_t user, const char *name);
/* Of an address; of its /64 network for IPv6, since one household has that many. */
struct throttle_key throttle_address_key(const char *ip);
/* Of a known device, by the hash of its cookie. */
struct throttle_key throttle_device_key(const uint8_t device[32]);

/* One bucket that an attempt is charged to. */
struct throttle_bucket {
	struct throttle_key key;
	struct throttle_rule rule;
};

/*
 * Charges both buckets, or neither if one of them blocks: then *ret_wait_ms is how long (0: go on) and *ret_first
 * whether this block has not been written down yet. Locks the buckets until the transaction ends. Database errors.
 */
int throttle_charge_all(struct db_tx *tx, const struct throttle_bucket *buckets, unsigned n, int64_t *ret_wait_ms,
	bool *ret_first);

/* After a right password: the account's or device's bucket, buckets[0], is emptied, the others get one charge back. */
int throttle_forgive(struct db_tx *tx, const struct throttle_bucket *buckets, unsigned n);

/* Drops buckets that nothing has touched for three days. */
int throttle_sweep(struct db_tx *tx);
