/* Handing out one of a session's states. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/memfd.h"
#include "proto/server.h"
#include "sessiond/bound.h"
#include "sessiond/handlers.h"
#include "sessiond/name.h"
#include "sessiond/sessiond.h"

/* Together with its row in the audit: what cannot be written down is not handed out, nor if it is not known to be. */
#define HAND_OUT                                                                                    \
	"WITH kept AS (SELECT *, $5 AND newest_version IS NOT NULL AS newest FROM vault.sessions WHERE " NAMED "), " \
	"s AS (SELECT id, user_id, site, kind, fingerprint, account, health, used_at, newest, "    \
	"CASE WHEN newest THEN newest_version ELSE version END AS version, "                        \
	"CASE WHEN newest THEN version ELSE newest_version END AS other, "                          \
	"CASE WHEN newest THEN newest_envelope ELSE envelope END AS envelope FROM kept), "          \
	"used AS (UPDATE vault.sessions u SET used_at = now() FROM s WHERE u.id = s.id AND s.used_at < now() - interval '1 hour'), " \
	"told AS (INSERT INTO vault.audit (event, user_id, detail) SELECT 'session_fetched', $1, "  \
	"format('session %s (%s%s), version %s%s, to %s (uid %s)', id, site, CASE WHEN kind = 'device' THEN ', a device''s' ELSE '' END, " \
	"version, CASE WHEN newest THEN ' (unproved)' ELSE '' END, $7::text, $6::bigint) FROM s) "  \
	"SELECT * FROM s"

static int fetch_read_row(struct call *call, const struct session_name *name, bool newest, struct db_result **ret)
{
	int r = db_query(sessiond_of(call)->db, DB_USER(call->acting.user), sessiond_deadline(call), ret, HAND_OUT,
		NAME_ARGS(call, name), DB_BOOL(newest), DB_INT(call->uid), DB_TEXT(role_word(call->role)));

	return r == -EINPROGRESS ? -ENOTCONN : r;
}

/*
 * Damage stays until somebody signs in again; a missing key, too little memory, or a format that a newer sessiond wrote is
 * the operator's to mend.
 */
static bool is_damage(int r)
{
	return r == -EBADMSG || r == -EKEYREJECTED || r == -EFBIG;
}

/* A newest state that cannot be opened is none: the proved one is there. -EBADMSG: so it is read instead. */
static int drop_newest(struct call *call, const char *site, int64_t id, int64_t version, int error)
{
	int r = db_query(sessiond_of(call)->db, DB_USER(call->acting.user), sessiond_deadline(call), NULL,
		"UPDATE vault.sessions SET newest_version = NULL, newest_at = NULL, newest_key_id = NULL, "
		"newest_envelope = NULL WHERE id = $1 AND newest_version = $2", DB_INT(id), DB_INT(version));

	log_error("session %" PRId64 " version %" PRId64 " (%s) cannot be opened: %s; the state that was proved before it is used",
		id, version, site, envelope_error(error));
	return r < 0 ? r : -EBADMSG;
}

/*
 * So that the person sees it on the dashboard, not only in a job's log. Fails silently: the fetch
 * is refused anyway.
 */
static void mark_damaged(struct call *call, int64_t id, int64_t version)
{
	int r = db_query(sessiond_of(call)->db, DB_USER(call->acting.user),
		sessiond_deadline(call), NULL,
		"UPDATE vault.sessions SET health = 'needs_sign_in', reason = $3 "
		"WHERE id = $1 AND version = $2 AND health IN ('working', 'unproved', 'site_down')",
		DB_INT(id), DB_INT(version),
		DB_TEXT("The vault could not open what it saved; sign in to the site again."));

	if (r < 0)
		log_warning("could not mark session %" PRId64 " as damaged: %s", id,
			db_error(sessiond_of(call)->db)->text);
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

static int open_state(struct call *call, const struct db_result *row, struct secret **ret)
{
	struct bound b;
	int64_t id = row_int(row, "id"), version = row_int(row, "version");
	const char *site = row_words(row, "site");
	size_t n;
	const void *blob = row_bytes(row, "envelope", &n);
	int r;

	bound_of(&b, row);
	r = crypt_open(sessiond_of(call), &b.context, blob, n, call->deadline, ret);
	if (r == 0 || r == -EBUSY || r == -ETIMEDOUT || r == -ECANCELED)
		return r;
	if (is_damage(r) && row_bool(row, "newest"))
		return drop_newest(call, site, id, version, r);
	return refuse_opening(call, site, id, version, r);
}

static int hand_over(struct call *call, const struct db_result *row, const struct secret *state, struct session_fetch_result *result)
{
	*result = (struct session_fetch_result){ .account = arena_strdup(call->arena, row_words(row, "account")),
		.which = row_bool(row, "newest") ? "newest" : "proved",
		.version = row_int(row, "version"),
		.other = row_int(row, "other"),
		.health = arena_strdup(call->arena, row_words(row, "health")),
		.state = -1 };
	return memfd_new("session", state->data, state->len, &result->state);
}

/* -EBADMSG: the newest could not be opened, and is none any more. */
static int fetch_fetch(struct call *call, const struct session_name *name, bool newest, struct session_fetch_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	CLEANUP(secret_freep) struct secret *state = NULL;
	int r = fetch_read_row(call, name, newest, &res);

	if (r < 0)
		return r;
	if (!db_next(res))
		return call_refuse(call, ERR_needs_sign_in, "site",
			"There is no session for %s yet; sign in to the site on the dashboard.", name_shown(call, name));
	r = open_state(call, res, &state);
	return r < 0 ? r : hand_over(call, res, state, result);
}

int session_fetch(struct call *call, const struct session_fetch_params *params,
	struct session_fetch_result *result)
{
	const struct session_name name = NAME_OF(params);
	bool newest = !params->which || strcmp(params->which, "newest") == 0;
	int r = name_check(call, &name);

	if (r == 0)
		r = keycheck_admit(&sessiond_of(call)->check, call);
	if (r == 0)
		r = fetch_fetch(call, &name, newest, result);
	return r == -EBADMSG ? fetch_fetch(call, &name, false, result) : r;
}
