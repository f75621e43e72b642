/*
 * Logins: what a login cookie stands for. The cookie holds 256 random bits; PostgreSQL holds their SHA-256.
 *
 * A login ends when it has not been used for settings->login_idle_s, at its expires_at in any case, or when its person
 * says so. Its name is the beginning of a hash of that hash: it can be told to others and tells them nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "authd/front.h"

struct arena;
struct authd;
struct db_tx;

#define LOGIN_COOKIE 44 /* bytes of a cookie's value with its NUL: 32 bytes as base64url */
#define LOGIN_NAME   17 /* bytes of a name with its NUL */

/* What lies in the browser, and what is kept of it. */
struct login_secret {
	char cookie[LOGIN_COOKIE];
	uint8_t hash[32];
	char name[LOGIN_NAME];
};

/* A fresh one. -EIO when there is no randomness. */
int login_secret_new(struct login_secret *ret);

/* The hash and name of a cookie's value. -EINVAL when it cannot be one. Pure. */
int login_secret_of(const char *cookie, struct login_secret *ret);

/* The same of the cookie that the request has; false when it has none, or none that can be one. */
bool login_secret_sent(const struct front *front, cookie_name *name, struct login_secret *ret);

struct login {
	const char *name;
	int64_t user;
	const char *user_name;
	bool admin;
	int64_t expires_at_ms; /* wall clock */
};

/* What its person may do (proto/scope.h). */
unsigned login_scopes(const struct login *login);

/*
 * In a fiber: the login that a cookie's value stands for; used: its person is using it, which prolongs it. Strings are the
 * arena's. -ENOENT: it is none, or has ended. Database errors.
 */
int login_find(struct authd *a, struct arena *arena, const char *cookie, bool used, int64_t deadline, struct login *ret);

/* The same by its name, and not as use. */
int login_find_named(struct authd *a, struct arena *arena, const char *name, int64_t deadline, struct login *ret);

/* Within tx: stores a new login. *ret_expires is wall clock ms. Database errors. */
int login_store(struct authd *a, struct db_tx *tx, const struct login_secret *secret, int64_t user, const char *ip,
	int64_t *ret_expires);

/* Within tx: ends a login, if there is one, which PostgreSQL tells every authd once that is committed. */
int login_end(struct db_tx *tx, const struct login_secret *secret);

/*
 * Of a fiber of its own, until it is cancelled: removes every few seconds logins that have run out, devices that were not seen for
 * long and idle throttle buckets.
 */
void login_sweep(void *authd);
