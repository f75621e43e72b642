#include "authd/user.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "authd/audit.h"
#include "authd/state.h"
#include "authd/handlers.h"
#include "authd/password.h"
#include "common/arena.h"
#include "common/cleanup.h"
#include "db/db.h"
#include "proto/call.h"

const char *user_name_refusal(const char *name)
{
	static const char only[] =
		"A sign-in name is made of letters from a to z, digits, dots, dashes, underscores and @, 64 at most.";

	if (!*name || strlen(name) > 64)
		return only;
	for (const char *p = name; *p; p++)
		if (!isascii(*p) || (!isalnum((unsigned char)*p) && !strchr(".-_@", *p)))
			return only;
	return isalnum((unsigned char)*name) ? NULL : "A sign-in name begins with a letter or a digit.";
}

#define MOST_OWN 16

const char *user_password_refusal(const struct authd *a, const char *name, const char *password)
{
	const char *own[MOST_OWN + 1] = { "stead", name };
	const struct words *origins = &a->settings->origin;
	size_t n = 2;

	for (size_t i = 0; i < origins->count && n < MOST_OWN; i++)
		own[n++] = strstr(origins->items[i], "//") + 2;
	return password_refusal(password, own);
}

int user_insert(struct db_tx *tx, const char *name, const char *encoded, bool admin, int64_t *ret_id)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = tx_query(tx, &res, "INSERT INTO users (name, password, admin) VALUES ($1, $2, $3) RETURNING id",
		DB_TEXT(name), DB_TEXT(encoded), DB_BOOL(admin));

	if (r == 0)
		*ret_id = db_int(res, 0, "id");
	return r;
}

/* The account and its audit row. */
static int add(struct call *call, const struct user_add_params *params, const char *encoded, int64_t *ret_id)
{
	struct authd *a = call->daemon;
	CLEANUP(tx_freep) struct db_tx *tx = NULL;
	const struct audit entry = { .event = "user_added",
		.user = params->name,
		.ip = call->acting.ip,
		.detail = arena_printf(call->arena, "%s, by %s", params->admin ? "administrator" : "user",
			call->acting.name ? call->acting.name : "steadctl") };
	int64_t id;
	int r = db_begin(a->db, DB_SELF, authd_db_deadline(a, call->deadline), &tx);

	if (r == 0)
		r = user_insert(tx, params->name, encoded, params->admin, &id);
	if (r == 0)
		r = audit_write(tx, &entry);
	if (r == 0)
		r = db_commit(&tx);
	if (r == 0)
		*ret_id = id;
	return r;
}

int user_add(struct call *call, const struct user_add_params *params, struct user_add_result *result)
{
	struct authd *a = call->daemon;
	char encoded[PASSWORD_ENCODED];
	const char *why = user_name_refusal(params->name);
	int r;

	if (why)
		return call_refuse(call, ERR_invalid, "name", "%s", why);
	why = user_password_refusal(a, params->name, params->password);
	if (why)
		return call_refuse(call, ERR_invalid, "password", "%s", why);
	r = password_hash(a->workers, &a->cost, params->password, call->deadline, encoded);
	if (r < 0)
		return r;
	r = add(call, params, encoded, &result->id);
	if (r == -EEXIST)
		return call_refuse(call, ERR_already, "name", "There is an account called %s already.", params->name);
	return authd_db_failed(a, "adding an account", r);
}

/* -ENOENT: there is no such account. */
static int set_password(struct call *call, struct db_tx *tx, const char *name, const char *encoded)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	struct audit entry = { .event = "password_set",
		.ip = call->acting.ip,
		.detail = arena_printf(call->arena, "by %s", call->acting.name ? call->acting.name : "steadctl") };
	int r = tx_query(tx, &res, "UPDATE users SET password = $2 WHERE lower(name) = lower($1) RETURNING name",
		DB_TEXT(name), DB_TEXT(encoded));

	if (r < 0)
		return r;
	if (db_rows(res) == 0)
		return -ENOENT;
	entry.user = db_text(res, 0, "name");
	return audit_write(tx, &entry);
}

/* Browsers that are known to it are known no more: one of them may be why the password is changed. */
static int sign_out_everywhere(struct db_tx *tx, const char *name, int64_t *ret_logins)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = tx_query(tx, NULL, "DELETE FROM devices USING users u WHERE user_id = u.id AND lower(u.name) = lower($1)",
		DB_TEXT(name));

	if (r == 0)
		r = tx_query(tx, &res,
			"WITH gone AS (DELETE FROM logins l USING users u WHERE l.user_id = u.id AND lower(u.name) = lower($1)"
			" RETURNING l.name) SELECT pg_notify('authd_login_ended', name)::text FROM gone",
			DB_TEXT(name));
	if (r == 0)
		*ret_logins = db_rows(res);
	return r;
}

static int change_password(struct call *call, const char *name, const char *encoded, int64_t *ret_logins)
{
	struct authd *a = call->daemon;
	CLEANUP(tx_freep) struct db_tx *tx = NULL;
	int r = db_begin(a->db, DB_SELF, authd_db_deadline(a, call->deadline), &tx);

	if (r == 0)
		r = set_password(call, tx, name, encoded);
	if (r == 0)
		r = sign_out_everywhere(tx, name, ret_logins);
	return r == 0 ? db_commit(&tx) : r;
}

int user_passwd(struct call *call, const struct user_passwd_params *params, struct user_passwd_result *result)
{
	struct authd *a = call->daemon;
	char encoded[PASSWORD_ENCODED];
	const char *why = user_password_refusal(a, params->name, params->password);
	int r;

	if (why)
		return call_refuse(call, ERR_invalid, "password", "%s", why);
	r = password_hash(a->workers, &a->cost, params->password, call->deadline, encoded);
	if (r == 0)
		r = change_password(call, params->name, encoded, &result->logins);
	explicit_bzero(encoded, sizeof(encoded));
	if (r == -ENOENT)
		return call_refuse(call, ERR_not_found, "name", "There is no account called %s.", params->name);
	return authd_db_failed(a, "setting a password", r);
}

static void read_user(struct call *call, const struct db_result *res, int row, struct user_info *out)
{
	out->id = db_int(res, row, "id");
	out->name = arena_strdup(call->arena, db_text(res, row, "name"));
	out->admin = db_bool(res, row, "admin");
	out->created_at_ms = db_time(res, row, "created_at");
	out->last_login_at_ms = db_time(res, row, "last_login_at");
}

int user_list(struct call *call, const struct user_list_params *params, struct user_list_result *result)
{
	struct authd *a = call->daemon;
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(a->db, DB_SELF, authd_db_deadline(a, call->deadline), &res,
		"SELECT id, name, admin, created_at, last_login_at FROM users ORDER BY lower(name) LIMIT $1",
		DB_INT(1000));

	(void)params;
	if (r < 0)
		return authd_db_failed(a, "reading the accounts", r);
	result->users_count = (size_t)db_rows(res);
	result->users = arena_array(call->arena, result->users_count, sizeof(*result->users));
	for (int i = 0; i < db_rows(res); i++)
		read_user(call, res, i, &result->users[i]);
	return 0;
}
