/*
 * Signing in. An unknown name takes the same way, the same time and gets the same answer as a wrong password; the one
 * difference is the account's name in the audit. Order: charge the attempt (throttle.h), look at the password, then
 * write everything that follows from it in one transaction, which holds the account and looks again whether the password
 * is still the one that was looked at: it may have been reset meanwhile, and who knows the old one is then nobody.
 */
#include <errno.h>
#include <string.h>

#include "authd/audit.h"
#include "authd/state.h"
#include "common/cookie.h"
#include "authd/handlers.h"
#include "authd/login.h"
#include "authd/password.h"
#include "authd/throttle.h"
#include "common/arena.h"
#include "common/cleanup.h"
#include "common/loop.h"
#include "db/db.h"
#include "proto/call.h"

#define TRIES 3 /* of one password, when what it is compared with changes under it */

/* One attempt under way. */
struct attempt {
	struct authd *a;
	struct call *call;
	const char *name, *password; /* as given */

	const char *wanted; /* the name without its case, as accounts are told apart */
	int64_t user;       /* 0: no such account */
	const char *user_name, *encoded;
	bool admin;

	struct login_secret device; /* of the request's cookie, or fresh */
	bool known;                 /* the account has been signed in to from there */
	struct throttle_bucket buckets[2];
	unsigned bucket_count;
	int64_t wait_ms; /* 0: it may be made now */

	char rehashed[PASSWORD_ENCODED]; /* "": the hash is as good as the settings want it */
	struct login_secret login, previous; /* previous: the one that this browser had before; its name is "" for none */
	int64_t expires_at_ms;
};

static void set_nobody(struct attempt *t)
{
	t->user = 0;
	t->user_name = NULL;
	t->encoded = t->a->nobody;
	t->admin = t->known = false;
}

static void signin_read_account(struct attempt *t, const struct db_result *row)
{
	t->user_name = arena_strdup(t->call->arena, row_words(row, "name"));
	t->encoded = arena_strdup(t->call->arena, row_words(row, "password"));
	t->admin = row_bool(row, "admin");
}

static int find_account(struct attempt *t, struct db_tx *tx)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = tx_query(tx, &res,
		"SELECT w.name AS wanted, u.id, u.name, u.password, u.admin, d.hash IS NOT NULL AS known"
		" FROM (SELECT lower($1::text) AS name) w LEFT JOIN users u ON lower(u.name) = w.name"
		" LEFT JOIN devices d ON d.user_id = u.id AND d.hash = $2 AND d.seen_at > now() - $3 * interval '1 day'",
		DB_TEXT(t->name), DB_BYTES(t->device.hash, sizeof(t->device.hash)),
		DB_INT(t->a->settings->device_days));

	if (r < 0)
		return r;
	set_nobody(t);
	if (!db_next(res))
		return -EIO; /* w has a row in any case */
	t->wanted = arena_strdup(t->call->arena, row_words(res, "wanted"));
	if (row_null(res, "id"))
		return 0;
	t->user = row_int(res, "id");
	t->known = row_bool(res, "known");
	signin_read_account(t, res);
	return 0;
}

/* A browser that this account knows answers for itself alone: whoever hammers the account does not keep it out. */
static void choose_buckets(struct attempt *t)
{
	const struct authd_settings *s = t->a->settings;
	const struct throttle_rule account = {
		.failures = s->account_failures, .window_ms = THROTTLE_MOST_MS, .block_ms = s->account_block_s * 1000,
		.doubling = true
	};
	const struct throttle_rule address = { .failures = s->address_failures,
		.window_ms = s->address_window_s * 1000,
		.block_ms = s->address_window_s * 1000 };

	t->buckets[0].rule = account;
	t->buckets[0].key = t->known ? throttle_device_key(t->device.hash) : throttle_account_key(t->user, t->wanted);
	t->bucket_count = 1;
	if (t->known || !t->call->acting.ip)
		return;
	t->buckets[1] = (struct throttle_bucket){ throttle_address_key(t->call->acting.ip), address };
	t->bucket_count = 2;
}

static int signin_record(struct attempt *t, struct db_tx *tx, const char *event, const char *detail)
{
	const struct audit entry = {
		.event = event, .user = t->user_name, .ip = t->call->acting.ip, .detail = detail
	};

	return audit_write(tx, &entry);
}

static int refuse_throttled(struct attempt *t)
{
	int64_t s = (t->wait_ms + 999) / 1000;

	if (s < 120)
		call_refuse(t->call, ERR_throttled, NULL,
			"Too many sign-ins have failed; try again in %lld seconds.", (long long)s);
	else
		call_refuse(t->call, ERR_throttled, NULL, "Too many sign-ins have failed; try again in %lld minutes.",
			(long long)((s + 59) / 60));
	return call_retry_in(t->call, t->wait_ms);
}

static int charge_within(struct db_tx *tx, void *arg)
{
	struct attempt *t = arg;
	bool first = false;
	int r = find_account(t, tx);

	if (r < 0)
		return r;
	choose_buckets(t);
	r = throttle_charge_all(tx, t->buckets, t->bucket_count, &t->wait_ms, &first);
	if (r == 0 && first) /* one row for a block, not one for each knock at the door */
		r = signin_record(t, tx, "login_throttled", t->user ? NULL : "no such account");
	return r;
}

static int signin_charge(struct attempt *t)
{
	int r = db_transaction(t->a->db, DB_SELF, authd_db_deadline(t->a, t->call->deadline), charge_within, t);

	return r == 0 && t->wait_ms ? refuse_throttled(t) : r;
}

static int signin_fail(struct attempt *t)
{
	const struct audit entry = { .event = "login_failed",
		.user = t->user_name,
		.ip = t->call->acting.ip,
		.detail = t->user ? "wrong password" : "no such account" };
	int r = audit_alone(t->a->db, authd_db_deadline(t->a, t->call->deadline), &entry);

	return r < 0 ? r : call_refuse(t->call, ERR_bad_password, NULL, "%s", "");
}

/* Settings may have become stronger since; only now is the password at hand to follow them. */
static int rehash(struct attempt *t)
{
	t->rehashed[0] = '\0';
	if (!password_is_weaker(t->encoded, &t->a->cost))
		return 0;
	return password_hash(t->a->workers, &t->a->cost, t->password, t->call->deadline, t->rehashed);
}

/*
 * Holds the account until the transaction ends, before anything else of it is touched, as a reset does. -ESTALE: it is
 * not any more what the password was compared with; t has what it is now.
 */
static int lock_account(struct attempt *t, struct db_tx *tx)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	const char *verified = t->encoded;
	int r = tx_query(tx, &res, "SELECT name, password, admin FROM users WHERE id = $1 FOR NO KEY UPDATE", DB_INT(t->user));

	if (r < 0)
		return r;
	if (!db_next(res)) {
		set_nobody(t);
		return -ESTALE;
	}
	signin_read_account(t, res);
	return strcmp(t->encoded, verified) == 0 ? 0 : -ESTALE;
}

/* One that a reset has made the account forget is made known anew, under a value that nobody has seen. */
static int remember_device(struct attempt *t, struct db_tx *tx)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = 0;

	if (t->known) {
		r = tx_query(tx, &res, "UPDATE devices SET seen_at = now() WHERE hash = $1 AND user_id = $2",
			DB_BYTES(t->device.hash, sizeof(t->device.hash)), DB_INT(t->user));
		if (r < 0 || db_changed(res) > 0)
			return r;
		t->known = false;
		r = login_secret_new(&t->device);
	}
	return r < 0 ? r : tx_query(tx, NULL, "INSERT INTO devices (hash, user_id) VALUES ($1, $2)",
		DB_BYTES(t->device.hash, sizeof(t->device.hash)), DB_INT(t->user));
}

/* The hash is written only where it is made anew; lock_account() has seen that it still is the one that was verified. */
static int mark_account(struct attempt *t, struct db_tx *tx)
{
	if (!*t->rehashed)
		return tx_query(tx, NULL, "UPDATE users SET last_login_at = now() WHERE id = $1", DB_INT(t->user));
	return tx_query(tx, NULL, "UPDATE users SET last_login_at = now(), password = $2 WHERE id = $1",
		DB_INT(t->user), DB_TEXT(t->rehashed));
}

/* The login that this browser had before ends: an id that somebody may have planted or seen is worth nothing. */
static int end_previous(struct attempt *t, struct db_tx *tx)
{
	return login_secret_sent(t->call->front, cookie_login_name, &t->previous) ? login_end(tx, &t->previous) : 0;
}

static int admit_within(struct db_tx *tx, void *arg)
{
	struct attempt *t = arg;
	int r = lock_account(t, tx);

	if (r == 0)
		r = throttle_forgive(tx, t->buckets, t->bucket_count);
	if (r == 0)
		r = end_previous(t, tx);
	if (r == 0)
		r = mark_account(t, tx);
	if (r == 0)
		r = remember_device(t, tx);
	if (r == 0)
		r = login_store(t->a, tx, &t->login, t->user, t->call->acting.ip, &t->expires_at_ms);
	if (r == 0)
		r = signin_record(t, tx, "login_ok", arena_printf(t->call->arena, "login %s", t->login.name));
	return r;
}

/* -ESTALE: the account has changed since the password was looked at; nothing was done. */
static int signin_admit(struct attempt *t)
{
	int r = db_transaction(t->a->db, DB_SELF, authd_db_deadline(t->a, t->call->deadline), admit_within, t);

	if (r == 0 && *t->previous.name)
		login_watch_tell(&t->a->watch, t->previous.name);
	return r;
}

/* The device cookie that came, if it can be one; whether it is known to the account turns out later. */
static int read_device(struct attempt *t)
{
	return login_secret_sent(t->call->front, cookie_device_name, &t->device) ? 0 : login_secret_new(&t->device);
}

/* The password is right, and all that a login is made of is at hand. */
static int signin_verify(struct attempt *t)
{
	bool right = false;
	int r = password_verify(t->a->workers, t->encoded, t->password, t->call->deadline, &right);

	if (r < 0)
		return r;
	if (!right || !t->user)
		return signin_fail(t);
	if (!t->known) /* never take over a value that somebody else could have planted */
		r = login_secret_new(&t->device);
	if (r == 0)
		r = rehash(t);
	return r == 0 ? login_secret_new(&t->login) : r;
}

static int sign_in(struct attempt *t)
{
	int r = read_device(t);

	if (r == 0)
		r = signin_charge(t);
	for (int try = 0; try < TRIES && (r == 0 || r == -ESTALE); try++) {
		r = signin_verify(t);
		if (r == 0)
			r = signin_admit(t);
		if (r == 0)
			return 0;
	}
	return r == -ESTALE ? signin_fail(t) : r;
}

int login(struct call *call, const struct login_params *params, struct login_result *result)
{
	struct attempt t = {
		.a = call->daemon, .call = call, .name = params->name, .password = params->password
	};
	int r;

	if (!call->front)
		return call_refuse(call, ERR_invalid, NULL, "Signing in sets a cookie, so it needs HTTP.");
	r = sign_in(&t);
	if (r == 0) {
		front_set_cookie(call->front, cookie_login_name, t.login.cookie, 0);
		front_set_cookie(call->front, cookie_device_name, t.device.cookie, t.a->settings->device_days * 86400);
		*result = (struct login_result){
			.name = t.user_name, .admin = t.admin, .expires_at_ms = t.expires_at_ms
		};
	}
	explicit_bzero(&t, sizeof(t));
	return authd_db_failed(call->daemon, "signing in", r);
}
