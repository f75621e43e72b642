#include "authd/user.h"

#include <ctype.h>
#include <errno.h>
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

	if (r < 0)
		return r;
	if (!db_next(res))
		return -ENOENT;
	*ret_id = row_int(res, "id");
	return 0;
}

/*
 * Holds the account of who asks, and that of name (may be NULL), until the transaction ends: in the order of their numbers,
 * so that two who do this to each other do not wait for each other.
 */
static int lock_accounts(struct call *call, struct db_tx *tx, const char *name)
{
	return tx_query(tx, NULL,
		"SELECT FROM users WHERE id = $1 OR lower(name) = lower($2) ORDER BY id FOR NO KEY UPDATE",
		DB_INT(call->acting.user), DB_TEXT(name));
}

/*
 * Who asks may have been signed out while a password was hashed, by a reset because somebody else was signed in as them:
 * that one must not undo it. A statement of its own, for it must see what the others had written when they let go.
 */
static int check_acting(struct call *call, struct db_tx *tx)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r;

	if (call->role == ROLE_CONTROL)
		return 0;
	r = tx_query(tx, &res,
		"SELECT u.admin FROM logins l JOIN users u ON u.id = l.user_id WHERE l.name = $1 AND u.id = $2 AND l.expires_at > now()",
		DB_TEXT(call->acting.login), DB_INT(call->acting.user));
	if (r < 0)
		return r;
	if (!db_next(res))
		return call_refuse(call, ERR_not_signed_in, NULL, "%s", "");
	return row_bool(res, "admin") ? 0 : call_refuse(call, ERR_forbidden, NULL, "%s", "");
}

/* The account and its audit row. */
static int user_add_hashed(struct call *call, const struct user_add_params *params, const char *encoded, int64_t *ret_id)
{
	struct authd *a = call->daemon;
	CLEANUP(tx_freep) struct db_tx *tx = NULL;
	const struct audit entry = { .event = "user_added",
		.user = params->name,
		.ip = call->acting.ip,
		.detail = arena_printf(call->arena, "%s, by %s", params->admin ? "administrator" : "user",
			call->acting.name ? call->acting.name : "steadctl") };
	int r = db_begin(a->db, DB_SELF, authd_db_deadline(a, call->deadline), &tx);

	if (r == 0)
		r = lock_accounts(call, tx, NULL);
	if (r == 0)
		r = check_acting(call, tx);
	if (r == 0)
		r = user_insert(tx, params->name, encoded, params->admin, ret_id);
	if (r == 0)
		r = audit_write(tx, &entry);
	return r == 0 ? db_commit(&tx) : r;
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
	r = user_add_hashed(call, params, encoded, &result->id);
	if (r == -EEXIST)
		return call_refuse(call, ERR_already, "name", "There is an account called %s already.", params->name);
	return authd_db_failed(a, "adding an account", r);
}

/* -ENOENT: there is no such account. */
static int set_password(struct call *call, struct db_tx *tx, const char *name, const char *encoded, int64_t *ret_id)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	struct audit entry = { .event = "password_set",
		.ip = call->acting.ip,
		.detail = arena_printf(call->arena, "by %s", call->acting.name ? call->acting.name : "steadctl") };
	int r = tx_query(tx, &res, "UPDATE users SET password = $2 WHERE lower(name) = lower($1) RETURNING id, name",
		DB_TEXT(name), DB_TEXT(encoded));

	if (r < 0)
		return r;
	if (!db_next(res))
		return -ENOENT;
	entry.user = row_text(res, "name");
	*ret_id = row_int(res, "id");
	return audit_write(tx, &entry);
}

/*
 * Browsers that are known to it are known no more: one of them may be why the password is changed. A login that was being
 * made held the account (signin.c), so it is there to be ended by now or finds the new password. Logins come before devices,
 * as in login_sweep(), so that the two do not wait for each other.
 */
static int sign_out_everywhere(struct db_tx *tx, int64_t user, int64_t *ret_logins)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = tx_query(tx, &res, "DELETE FROM logins WHERE user_id = $1", DB_INT(user));

	if (r < 0)
		return r;
	*ret_logins = db_changed(res);
	return tx_query(tx, NULL, "DELETE FROM devices WHERE user_id = $1", DB_INT(user));
}

/* One password being set. */
struct change {
	struct call *call;
	const char *name, *encoded;
	int64_t *ret_logins; /* that were ended */
};

static int change_within(struct db_tx *tx, void *arg)
{
	struct change *s = arg;
	int64_t id = 0;
	int r = lock_accounts(s->call, tx, s->name);

	if (r == 0)
		r = check_acting(s->call, tx);
	if (r == 0)
		r = set_password(s->call, tx, s->name, s->encoded, &id);
	return r == 0 ? sign_out_everywhere(tx, id, s->ret_logins) : r;
}

int user_passwd(struct call *call, const struct user_passwd_params *params, struct user_passwd_result *result)
{
	struct authd *a = call->daemon;
	char encoded[PASSWORD_ENCODED];
	struct change s = { .call = call, .name = params->name, .encoded = encoded, .ret_logins = &result->logins };
	const char *why = user_password_refusal(a, params->name, params->password);
	int r;

	if (why)
		return call_refuse(call, ERR_invalid, "password", "%s", why);
	r = password_hash(a->workers, &a->cost, params->password, call->deadline, encoded);
	/* Tried anew when the clean-up of logins (login_sweep()), which takes rows in an order of its own, has them meanwhile. */
	if (r == 0)
		r = db_transaction(a->db, DB_SELF, authd_db_deadline(a, call->deadline), change_within, &s);
	explicit_bzero(encoded, sizeof(encoded));
	if (r == -ENOENT)
		return call_refuse(call, ERR_not_found, "name", "There is no account called %s.", params->name);
	return authd_db_failed(a, "setting a password", r);
}

static void read_user(struct call *call, const struct db_result *row, struct user_info *out)
{
	*out = (struct user_info){ .id = row_int(row, "id"),
		.name = arena_strdup(call->arena, row_words(row, "name")),
		.admin = row_bool(row, "admin"),
		.created_at_ms = row_time(row, "created_at"),
		.last_login_at_ms = row_time(row, "last_login_at") };
}

int user_list(struct call *call, const struct user_list_params *, struct user_list_result *result)
{
	struct authd *a = call->daemon;
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(a->db, DB_SELF, authd_db_deadline(a, call->deadline), &res,
		"SELECT id, name, admin, created_at, last_login_at FROM users ORDER BY lower(name) LIMIT $1",
		DB_INT(1000));

	if (r < 0)
		return authd_db_failed(a, "reading the accounts", r);
	result->users = arena_array(call->arena, (size_t)db_rows(res), sizeof(*result->users));
	while (db_next(res))
		read_user(call, res, &result->users[result->users_count++]);
	return 0;
}
