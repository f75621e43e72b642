#include "authd/login.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "authd/audit.h"
#include "authd/state.h"
#include "common/cookie.h"
#include "authd/handlers.h"
#include "authd/throttle.h"
#include "common/arena.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/hex.h"
#include "common/loop.h"
#include "db/db.h"
#include "proto/call.h"

#define SECRET_BYTES 32
#define SWEEP_MS     15000 /* at most, between two clean-ups */

/* 32 bytes make 43 characters and one '=' that is left out (RFC 4648 section 5). */
static void base64url(const uint8_t bytes[SECRET_BYTES], char out[LOGIN_COOKIE])
{
	uint8_t text[48];

	EVP_EncodeBlock(text, bytes, SECRET_BYTES);
	for (size_t i = 0; i < LOGIN_COOKIE - 1; i++)
		out[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : (char)text[i];
	out[LOGIN_COOKIE - 1] = '\0';
	explicit_bzero(text, sizeof(text));
}

int login_secret_of(const char *cookie, struct login_secret *ret)
{
	uint8_t again[32];

	if (strlen(cookie) != LOGIN_COOKIE - 1)
		return -EINVAL;
	memcpy(ret->cookie, cookie, LOGIN_COOKIE);
	SHA256((const uint8_t *)cookie, LOGIN_COOKIE - 1, ret->hash);
	SHA256(ret->hash, sizeof(ret->hash), again);
	hex_set(ret->name, again, (LOGIN_NAME - 1) / 2);
	return 0;
}

bool login_secret_sent(const struct front *front, cookie_name *name, struct login_secret *ret)
{
	char cookie[LOGIN_COOKIE];

	return front_cookie(front, name, cookie, sizeof(cookie)) && login_secret_of(cookie, ret) == 0;
}

int login_secret_new(struct login_secret *ret)
{
	uint8_t bytes[SECRET_BYTES];
	char cookie[LOGIN_COOKIE];
	int r;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return -EIO;
	base64url(bytes, cookie);
	r = login_secret_of(cookie, ret);
	explicit_bzero(bytes, sizeof(bytes));
	explicit_bzero(cookie, sizeof(cookie));
	return r;
}

/* Not at every request: a write each would cost more than the minute that it is worth. */
static int64_t touch_s(const struct authd *a)
{
	int64_t s = a->settings->login_idle_s / 4;

	return s < 60 ? s : 60;
}

/* -ENOENT: it has ended since it was looked up. */
static int login_touch(struct authd *a, const char *name, int64_t deadline)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_query(a->db, DB_SELF, authd_db_deadline(a, deadline), &res,
		"UPDATE logins SET seen_at = now() WHERE name = $1 AND expires_at > now()"
		" AND seen_at > now() - $2 * interval '1 second'",
		DB_TEXT(name), DB_INT(a->settings->login_idle_s));

	if (r < 0)
		return r;
	return db_changed(res) ? 0 : -ENOENT;
}

/* By the hash of its cookie, or by its name; used: it is being used, so it does not idle out. */
static int login_look_up(struct authd *a, struct arena *arena, struct db_arg hash, struct db_arg name, bool used, int64_t deadline,
	struct login *ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(a->db, DB_SELF, authd_db_deadline(a, deadline), &res,
		"SELECT l.name, l.user_id, u.name AS user_name, u.admin, l.expires_at,"
		" l.seen_at <= now() - $4 * interval '1 second' AS stale FROM logins l JOIN users u ON u.id = l.user_id"
		" WHERE (l.hash = $1 OR l.name = $2) AND l.expires_at > now() AND l.seen_at > now() - $3 * interval '1 second'",
		hash, name, DB_INT(a->settings->login_idle_s), DB_INT(touch_s(a)));

	if (r == 0 && !db_next(res))
		return -ENOENT;
	if (r == 0 && used && row_bool(res, "stale"))
		r = login_touch(a, row_words(res, "name"), deadline);
	if (r == -ENOENT)
		return r;
	if (r < 0)
		return authd_db_failed(a, "looking a login up", r);
	*ret = (struct login){ .name = arena_strdup(arena, row_words(res, "name")),
		.user = row_int(res, "user_id"),
		.user_name = arena_strdup(arena, row_words(res, "user_name")),
		.admin = row_bool(res, "admin"),
		.expires_at_ms = row_time(res, "expires_at") };
	return 0;
}

int login_find(struct authd *a, struct arena *arena, const char *cookie, bool used, int64_t deadline, struct login *ret)
{
	struct login_secret secret;

	if (login_secret_of(cookie, &secret) < 0)
		return -ENOENT;
	return login_look_up(a, arena, DB_BYTES(secret.hash, sizeof(secret.hash)), DB_NULL, used, deadline, ret);
}

int login_find_named(struct authd *a, struct arena *arena, const char *name, int64_t deadline, struct login *ret)
{
	return login_look_up(a, arena, DB_NULL, DB_TEXT(name), false, deadline, ret);
}

int login_store(struct authd *a, struct db_tx *tx, const struct login_secret *secret, int64_t user, const char *ip,
	int64_t *ret_expires)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = tx_query(tx, &res,
		"INSERT INTO logins (hash, name, user_id, ip, expires_at)"
		" VALUES ($1, $2, $3, $4, now() + $5 * interval '1 second') RETURNING expires_at",
		DB_BYTES(secret->hash, sizeof(secret->hash)), DB_TEXT(secret->name), DB_INT(user), DB_TEXT(ip),
		DB_INT(a->settings->login_most_s));

	if (r < 0)
		return r;
	if (!db_next(res))
		return -ENOENT;
	*ret_expires = row_time(res, "expires_at");
	return 0;
}

int login_end(struct db_tx *tx, const struct login_secret *secret)
{
	return tx_query(tx, NULL, "DELETE FROM logins WHERE hash = $1", DB_BYTES(secret->hash, sizeof(secret->hash)));
}

int logout(struct call *call, const struct logout_params *, struct logout_result *)
{
	struct authd *a = call->daemon;
	const struct audit entry = { .event = "logout", .user = call->acting.name, .ip = call->acting.ip };
	CLEANUP(tx_freep) struct db_tx *tx = NULL;
	struct login_secret secret;
	int r;

	if (!call->front || !login_secret_sent(call->front, cookie_login_name, &secret))
		return call_refuse(call, ERR_not_signed_in, NULL, "%s", "");
	r = db_begin(a->db, DB_SELF, authd_db_deadline(a, call->deadline), &tx);
	if (r == 0)
		r = login_end(tx, &secret);
	if (r == 0)
		r = audit_write(tx, &entry);
	if (r == 0)
		r = db_commit(&tx);
	if (r < 0)
		return authd_db_failed(a, "ending a login", r);
	login_watch_tell(&a->watch, secret.name); /* at once; the notification may be held up or lost */
	front_set_cookie(call->front, cookie_login_name, "", -1);
	return 0;
}

unsigned login_scopes(const struct login *login)
{
	return login->admin ? SCOPES_ADMIN : SCOPES_PERSON;
}

int account_show(struct call *call, const struct account_show_params *, struct account_show_result *result)
{
	const struct front *front = call->front;
	const struct login *login = front ? front->login : NULL;

	if (!login)
		return call_refuse(call, ERR_not_signed_in, NULL, "%s", "");
	*result = (struct account_show_result){ .id = login->user,
		.name = login->user_name,
		.admin = login->admin,
		.expires_at_ms = login->expires_at_ms };
	return 0;
}

int login_check(struct call *call, const struct login_check_params *params, struct login_check_result *result)
{
	char *scopes = arena_alloc(call->arena, SCOPES_TEXT);
	struct login login;
	int r = login_find(call->daemon, call->arena, params->cookie, false, call->deadline, &login);

	if (r == -ENOENT)
		return call_refuse(call, ERR_not_signed_in, NULL, "%s", "");
	if (r < 0)
		return r;
	scopes_write(login_scopes(&login), scopes, SCOPES_TEXT);
	*result = (struct login_check_result){ .user = login.user,
		.name = login.user_name,
		.login = login.name,
		.scopes = scopes,
		.expires_at_ms = login.expires_at_ms };
	return 0;
}

int login_look(struct call *call, const struct login_look_params *params, struct login_look_result *result)
{
	struct authd *a = call->daemon;
	struct login login;
	int r = login_look_up(a, call->arena, DB_NULL, DB_TEXT(params->login), params->used, call->deadline, &login);

	if (r == -ENOENT)
		return call_refuse(call, ERR_not_signed_in, NULL, "%s", "");
	if (r < 0)
		return r;
	*result = (struct login_look_result){ .expires_at_ms = login.expires_at_ms, .again_ms = touch_s(a) * 1000 };
	return 0;
}

static int sweep(struct db_tx *tx, void *arg)
{
	struct authd *a = arg;
	int r = tx_query(tx, NULL, "DELETE FROM logins WHERE expires_at <= now() OR seen_at <= now() - $1 * interval '1 second'",
		DB_INT(a->settings->login_idle_s));

	if (r == 0)
		r = tx_query(tx, NULL, "DELETE FROM devices WHERE seen_at < now() - $1 * interval '1 day'",
			DB_INT(a->settings->device_days));
	return r == 0 ? throttle_sweep(tx) : r;
}

void login_sweep(void *authd)
{
	struct authd *a = authd;
	int64_t half_ms = a->settings->login_idle_s * 500, pause = half_ms < SWEEP_MS ? half_ms : SWEEP_MS;
	int last = 0; /* what the last one failed with: said once, not every few seconds */

	while (fiber_sleep_until(deadline_in(pause)) == 0) {
		int r = db_transaction(a->db, DB_SELF, deadline_in(10000), sweep, a);
		if (r < 0 && r != last)
			authd_db_failed(a, "ending logins whose time is up", r);
		last = r;
	}
}
