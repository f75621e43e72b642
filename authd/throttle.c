#include "authd/throttle.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/cleanup.h"
#include "common/pause.h"
#include "db/db.h"

static int64_t block_length(const struct throttle_rule *rule, int64_t strikes)
{
	return pause_after(rule->block_ms, rule->doubling ? strikes : 0, THROTTLE_MOST_MS);
}

int64_t throttle_charge(const struct throttle_rule *rule, struct throttle_state *s, int64_t now)
{
	if (now < s->blocked_until)
		return s->blocked_until - now;
	if (now - s->touched >= THROTTLE_FORGET_MS)
		s->strikes = 0;
	if (s->blocked_until || now - s->since >= rule->window_ms) {
		s->failures = 0;
		s->blocked_until = 0;
		s->told = false;
	}
	if (s->failures == 0)
		s->since = now;
	s->touched = now;
	if (++s->failures >= rule->failures)
		s->blocked_until = now + block_length(rule, s->strikes++);
	return 0;
}

void throttle_refund(const struct throttle_rule *rule, struct throttle_state *s)
{
	if (s->failures == 0)
		return;
	if (s->failures-- >= rule->failures && s->blocked_until) {
		s->blocked_until = 0;
		s->strikes--;
	}
}

static struct throttle_key throttle_key_of(const char *kind, const void *p, size_t n)
{
	struct throttle_key key;
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL) ||
		!EVP_DigestUpdate(context, kind, strlen(kind) + 1) || !EVP_DigestUpdate(context, p, n) ||
		!EVP_DigestFinal_ex(context, key.hash, NULL))
		abort();
	EVP_MD_CTX_free(context);
	return key;
}

struct throttle_key throttle_account_key(int64_t user, const char *name)
{
	return user ? throttle_key_of("user", &user, sizeof(user)) : throttle_key_of("account", name, strlen(name));
}

struct throttle_key throttle_address_key(const char *ip)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct in6_addr six;

	if (inet_pton(AF_INET6, ip, &six) != 1)
		return throttle_key_of("address", ip, strlen(ip));
	if (memcmp(&six, mapped, sizeof(mapped)) == 0) { /* ::ffff:192.0.2.1 is 192.0.2.1 */
		char four[INET_ADDRSTRLEN];
		inet_ntop(AF_INET, six.s6_addr + 12, four, sizeof(four));
		return throttle_key_of("address", four, strlen(four));
	}
	return throttle_key_of("network", six.s6_addr, 8);
}

struct throttle_key throttle_device_key(const uint8_t device[32])
{
	return throttle_key_of("device", device, 32);
}

#define MOST_COUNT INT64_C(0x7fffffff)
#define MOST_TIME  (INT64_C(1) << 52) /* ms since 1970 */

/* Whatever stands there, 'infinity' too, is a number that can be reckoned with. */
static int64_t throttle_bounded(int64_t value, int64_t most)
{
	return value < 0 ? 0 : value < most ? value : most;
}

static void read_state(const struct db_result *row, struct throttle_state *ret)
{
	*ret = (struct throttle_state){ .failures = throttle_bounded(row_int(row, "failures"), MOST_COUNT),
		.since = throttle_bounded(row_time(row, "since"), MOST_TIME),
		.strikes = throttle_bounded(row_int(row, "strikes"), MOST_COUNT),
		.blocked_until = throttle_bounded(row_time(row, "blocked_until"), MOST_TIME),
		.touched = throttle_bounded(row_time(row, "touched_at"), MOST_TIME),
		.told = row_bool(row, "told") };
}

/*
 * Makes the row if need be and locks it, in one statement: between two, another sign-in that is forgiven could delete it.
 */
static int load(struct db_tx *tx, const struct throttle_key *key, struct throttle_state *ret, int64_t *ret_now)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = tx_query(tx, &res,
		"INSERT INTO throttle (bucket) VALUES ($1) ON CONFLICT (bucket) DO UPDATE SET bucket = EXCLUDED.bucket"
		" RETURNING failures, since, strikes, blocked_until, touched_at, told, clock_timestamp() AS now",
		DB_BYTES(key->hash, sizeof(key->hash)));

	if (r < 0)
		return r;
	if (!db_next(res))
		return -EDEADLK; /* a trigger or rule of somebody's: nothing was charged, and it may be tried again */
	read_state(res, ret);
	*ret_now = row_time(res, "now");
	return 0;
}

static int throttle_store(struct db_tx *tx, const struct throttle_key *key, const struct throttle_state *s)
{
	return tx_query(tx, NULL,
		"UPDATE throttle SET failures = $2, since = $3, strikes = $4, blocked_until = $5, touched_at = $6,"
		" told = $7 WHERE bucket = $1",
		DB_BYTES(key->hash, sizeof(key->hash)), DB_INT(s->failures), DB_TIME(s->since), DB_INT(s->strikes),
		DB_TIME(s->blocked_until), DB_TIME(s->touched), DB_BOOL(s->told));
}

#define MOST_BUCKETS 2

int throttle_charge_all(struct db_tx *tx, const struct throttle_bucket *buckets, unsigned n, int64_t *ret_wait_ms,
	bool *ret_first)
{
	struct throttle_state states[MOST_BUCKETS];
	int64_t wait = 0, now;
	bool first = false;
	int r = 0;

	/* Accounts before addresses, always: two attempts cannot then wait for each other. */
	for (unsigned i = 0; i < n && r == 0; i++) {
		r = load(tx, &buckets[i].key, &states[i], &now);
		if (r < 0)
			return r;
		int64_t this = throttle_charge(&buckets[i].rule, &states[i], now);
		if (this > 0 && !states[i].told) {
			first = true;
			states[i].told = true;
			r = throttle_store(tx, &buckets[i].key, &states[i]);
		}
		if (this > wait)
			wait = this;
	}
	for (unsigned i = 0; i < n && r == 0 && wait == 0; i++)
		r = throttle_store(tx, &buckets[i].key, &states[i]);
	if (r < 0)
		return r;
	*ret_wait_ms = wait;
	*ret_first = first;
	return 0;
}

int throttle_forgive(struct db_tx *tx, const struct throttle_bucket *buckets, unsigned n)
{
	struct throttle_state s;
	int64_t now;
	int r = tx_query(tx, NULL, "DELETE FROM throttle WHERE bucket = $1",
		DB_BYTES(buckets[0].key.hash, sizeof(buckets[0].key.hash)));

	for (unsigned i = 1; i < n && r == 0; i++) {
		r = load(tx, &buckets[i].key, &s, &now);
		if (r < 0)
			return r;
		throttle_refund(&buckets[i].rule, &s);
		r = throttle_store(tx, &buckets[i].key, &s);
	}
	return r;
}

int throttle_sweep(struct db_tx *tx)
{
	return tx_query(tx, NULL, "DELETE FROM throttle WHERE touched_at < now() - interval '3 days'");
}
