/* Handing out a session's newest state. */
#include <errno.h>
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/memfd.h"
#include "sessiond/background.h"
#include "sessiond/handlers.h"

static int read_row(struct call *call, const char *site, struct db_result **ret)
{
	return db_read(sessiond_db(call->daemon), DB_USER(call->acting.user),
		sessiond_deadline(call), ret,
		"SELECT id, version, account, health, envelope FROM vault.sessions "
		"WHERE user_id = $1 AND site = $2 AND kind = 'background'",
		DB_INT(call->acting.user), DB_TEXT(site));
}

/*
 * Damage stays until somebody signs in again; a missing key, too little memory, or a format that a newer sessiond wrote is
 * the operator's to mend.
 */
static bool is_damage(int r)
{
	return r == -EBADMSG || r == -EKEYREJECTED || r == -EFBIG;
}

/*
 * So that the person sees it on the dashboard, not only in a job's log. Fails silently: the fetch
 * is refused anyway.
 */
static void mark_damaged(struct call *call, int64_t id, int64_t version)
{
	int r = db_query(sessiond_db(call->daemon), DB_USER(call->acting.user),
		sessiond_deadline(call), NULL,
		"UPDATE vault.sessions SET health = 'needs_sign_in', reason = $3 "
		"WHERE id = $1 AND version = $2 AND health IN ('healthy', 'suspect')",
		DB_INT(id), DB_INT(version),
		DB_TEXT("The vault could not open what it saved; sign in to the site again."));

	if (r < 0)
		log_warning("could not mark session %" PRId64 " as damaged: %s", id,
			db_error(sessiond_db(call->daemon))->text);
}

static int refuse_opening(
	struct call *call, const char *site, int64_t id, int64_t version, int error)
{
	log_error("session %" PRId64 " version %" PRId64 " (%s) cannot be opened: %s", id, version,
		site, envelope_error(error));
	if (!is_damage(error))
		return call_refuse(call, ERR_vault_refused, NULL,
			"The vault could not open the session for %s. Nothing was changed; an "
			"administrator finds the cause in the journal.",
			site);
	mark_damaged(call, id, version);
	return call_refuse(call, ERR_needs_sign_in, "site",
		"The vault could not open the session for %s: what is stored is damaged, or not "
		"what was saved. Sign in to the site again; an administrator finds the cause in "
		"the journal.",
		site);
}

static int open_state(
	struct call *call, const char *site, const struct db_result *row, struct secret **ret)
{
	struct background b;
	int64_t id = db_int(row, 0, "id"), version = db_int(row, 0, "version");
	size_t n;
	const void *blob = db_bytes(row, 0, "envelope", &n);
	int r = background_init(&b, call, site);

	if (r < 0)
		return r;
	background_set(&b, id, version);
	r = crypt_open(sessiond_crypt(call->daemon), &b.context, blob, n, call->deadline, ret);
	if (r == 0 || r == -EBUSY || r == -ETIMEDOUT || r == -ECANCELED)
		return r;
	return refuse_opening(call, site, id, version, r);
}

int session_fetch(struct call *call, const struct session_fetch_params *params,
	struct session_fetch_result *result)
{
	CLEANUP(db_result_freep) struct db_result *row = NULL;
	CLEANUP(secret_freep) struct secret *state = NULL;
	int r = keycheck_admit(sessiond_keycheck(call->daemon), call);

	if (r == 0)
		r = read_row(call, params->site, &row);
	if (r < 0)
		return r;
	if (db_rows(row) == 0)
		return call_refuse(call, ERR_needs_sign_in, "site",
			"There is no session for %s yet; sign in to the site on the dashboard.",
			params->site);
	r = open_state(call, params->site, row, &state);
	if (r == 0)
		r = memfd_new("session", state->data, state->len, &result->state);
	if (r < 0)
		return r;
	result->account = arena_strdup(call->arena, db_text(row, 0, "account"));
	result->version = db_int(row, 0, "version");
	result->health = arena_strdup(call->arena, db_text(row, 0, "health"));
	return 0;
}
