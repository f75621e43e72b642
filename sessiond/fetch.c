/* Handing out one of a session's states. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/memfd.h"
#include "proto/server.h"
#include "sessiond/bound.h"
#include "sessiond/damage.h"
#include "sessiond/devices.h"
#include "sessiond/handlers.h"
#include "sessiond/name.h"
#include "sessiond/sessiond.h"
#include "sessiond/sighting.h"

#define HOUR_MS 3600000
#define LOOKS   8 /* at a row that others change meanwhile */

/* Together with its row in the audit: what cannot be written down is not handed out, nor if it is not known to be. */
#define HAND_OUT                                                                                    \
	"WITH kept AS (SELECT *, $5 AND newest_version IS NOT NULL AS newest FROM vault.sessions WHERE " NAMED "), " \
	"s AS (SELECT id, user_id, site, kind, fingerprint, account, health, used_at, newest, newest_version, last_version, " \
	"version AS proved_version, CASE WHEN NOT newest THEN proof_at END AS proof_at, "           \
	"CASE WHEN newest THEN newest_version ELSE version END AS version, "                        \
	"CASE WHEN newest THEN version ELSE newest_version END AS other, "                          \
	"CASE WHEN newest THEN newest_envelope ELSE envelope END AS envelope FROM kept), "          \
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

/* It could not be sealed anew while its format was taken (reseal.c), and its person has been asked since. */
static bool was_damaged(const struct db_result *row)
{
	return strcmp(row_words(row, "health"), "needs_sign_in") == 0;
}

static int refuse_opening(struct call *call, const struct db_result *row, int error)
{
	const char *site = row_words(row, "site");

	log_error("session %" PRId64 " version %" PRId64 " (%s) cannot be opened: %s", row_int(row, "id"),
		row_int(row, "version"), site, envelope_error(error));
	if (error == -EKEYEXPIRED && was_damaged(row))
		error = -EBADMSG;
	if (error == -EKEYEXPIRED)
		sighting_tell(sessiond_of(call), row, sessiond_deadline(call));
	if (!is_damage(error))
		return call_refuse(call, ERR_vault_refused, NULL,
			"The vault could not open the session for %s. Nothing was changed; an "
			"administrator finds the cause in the journal.",
			site);
	damage_mark(sessiond_of(call), row, sessiond_deadline(call));
	return call_refuse(call, ERR_needs_sign_in, "site",
		"The vault could not open the session for %s: what is stored is damaged, or not "
		"what was saved. Sign in to the site again; an administrator finds the cause in "
		"the journal.",
		site);
}

/* Whether it is what was seen last, and not what somebody has put back. */
static int check_sight(struct call *call, const struct db_result *row)
{
	int r = sighting_judge(sessiond_of(call), row, sessiond_deadline(call));

	if (r != SIGHT_PUT_BACK)
		return r == SIGHT_STALE ? -ESTALE : r;
	return call_refuse(call, ERR_vault_refused, NULL,
		"The session that is stored for %s is older than what was saved last, or was forgotten: somebody has put it back, so it was not "
		"used. Sign in to the site again; if a backup was restored, an administrator can accept that.", row_words(row, "site"));
}

/* -EBADMSG: the newest could not be opened, and is none any more; -ESTALE: what was read is of no use, so it is read again. */
static int open_state(struct call *call, const struct db_result *row, struct secret **ret)
{
	struct bound b;
	size_t n;
	const void *blob = row_bytes(row, "envelope", &n);
	int r = check_sight(call, row);

	if (r < 0)
		return r;
	bound_of(&b, row);
	r = crypt_open(sessiond_of(call), &b.context, blob, n, call->deadline, ret);
	if (r == 0 || r == -EBUSY || r == -ETIMEDOUT || r == -ECANCELED)
		return r;
	if (!is_damage(r) || !row_bool(row, "newest"))
		return refuse_opening(call, row, r);
	r = damage_drop_newest(sessiond_of(call), row, row_int(row, "version"), r, sessiond_deadline(call));
	return r < 0 ? r : -EBADMSG;
}

static int hand_over(struct call *call, const struct db_result *row, const struct secret *state,
	struct session_fetch_result *result)
{
	*result = (struct session_fetch_result){ .account = arena_strdup(call->arena, row_words(row, "account")),
		.which = row_bool(row, "newest") ? "newest" : "proved",
		.version = row_int(row, "version"),
		.other = row_int(row, "other"),
		.health = arena_strdup(call->arena, row_words(row, "health")),
		.state = -1 };
	return memfd_new("session", state->data, state->len, &result->state);
}

/* To the hour, as everywhere (devices.h). What is not noted is noted the next time. */
static void note_use(struct call *call, const struct db_result *row)
{
	int64_t id = row_int(row, "id");
	int r;

	if (row_time(row, "used_at") > wall_now() - HOUR_MS)
		return;
	r = db_query(sessiond_of(call)->db, DB_USER(call->acting.user), sessiond_deadline(call), NULL,
		"UPDATE vault.sessions SET " USED " WHERE id = $1", DB_INT(id));
	if (r < 0)
		log_debug("that session %" PRId64 " is in use could not be noted: %s", id, db_error(sessiond_of(call)->db)->text);
}

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
	if (r < 0)
		return r;
	note_use(call, res);
	return hand_over(call, res, state, result);
}

int session_fetch(struct call *call, const struct session_fetch_params *params,
	struct session_fetch_result *result)
{
	const struct session_name name = NAME_OF(params);
	bool newest = !params->which || strcmp(params->which, "newest") == 0;
	int r = name_check(call, &name);

	if (r == 0)
		r = keycheck_admit(&sessiond_of(call)->check, call);
	if (r < 0)
		return r;
	for (int look = 0; look < LOOKS; look++) {
		r = fetch_fetch(call, &name, newest, result);
		if (r != -EBADMSG && r != -ESTALE)
			return r;
		newest &= r != -EBADMSG;
	}
	return call_refuse(call, ERR_busy, "site", "The session for %s is being saved again and again just now; try again in a moment.",
		name_shown(call, &name));
}
