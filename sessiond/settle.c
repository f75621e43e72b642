/*
 * A state that was tried may be spent by that; one that was proved as it stands stays, whichever of the two it was, and the
 * other goes. It is sealed anew, for its envelope is bound to the time of its proof.
 */
#include "sessiond/settle.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "sessiond/bound.h"
#include "sessiond/name.h"
#include "sessiond/sessiond.h"
#include "sessiond/sighting.h"

#define TRIED                                                                                       \
	"SELECT " SIGHT ", user_id, site, kind, fingerprint, account, health, $5 AS version, "      \
	"CASE WHEN version = $5 THEN proof_at END AS proof_at, "                                    \
	"CASE WHEN version = $5 THEN envelope ELSE newest_envelope END AS envelope "                \
	"FROM vault.sessions WHERE " NAMED " AND (version = $5 OR newest_version = $5) FOR UPDATE"

static int settle_seal(struct call *call, const struct db_result *row, int64_t proof, struct envelope_blob *ret)
{
	CLEANUP(secret_freep) struct secret *state = NULL;
	struct bound b;
	size_t n;
	const void *blob = row_bytes(row, "envelope", &n);
	int r;

	bound_of(&b, row);
	r = crypt_open(sessiond_of(call), &b.context, blob, n, sessiond_deadline(call), &state);
	b.context.proved_at_ms = (uint64_t)proof;
	if (r == 0)
		r = crypt_seal(sessiond_of(call), &b.context, state->data, state->len, sessiond_deadline(call), ret);
	if (r == 0 || r == -EBUSY || r == -ETIMEDOUT || r == -ECANCELED)
		return r;
	log_error("session %" PRId64 " version %" PRId64 " (%s) was proved, but cannot be sealed as such: %s", row_int(row, "id"),
		row_int(row, "version"), row_words(row, "site"), envelope_error(r));
	return call_refuse(call, ERR_vault_refused, NULL, "The vault could not open the session for %s. Nothing was changed; an administrator "
		"finds the cause in the journal.", row_words(row, "site"));
}

static int settle_write(struct call *call, struct db_tx **tx, const struct db_result *row, int64_t proof, const char *health,
	const char *reason)
{
	CLEANUP(envelope_blob_free) struct envelope_blob blob = { 0 };
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int64_t key = masterkeys_current(sessiond_of(call)->keys);
	int r = settle_seal(call, row, proof, &blob);

	if (r == 0)
		r = db_commit_query(tx, &res,
			"UPDATE vault.sessions SET health = $3, reason = $4, version = $2, proved_at = GREATEST(proved_at, $5), proof_at = $5, "
			"saved_at = CASE WHEN newest_version = $2 THEN newest_at ELSE saved_at END, key_id = $6, envelope = $7, format = 2, "
			"newest_version = NULL, newest_at = NULL, newest_key_id = NULL, newest_envelope = NULL WHERE id = $1 RETURNING " SIGHT,
			DB_INT(row_int(row, "id")), DB_INT(row_int(row, "version")), DB_TEXT(health), DB_TEXT(reason), DB_TIME(proof),
			DB_INT(key), DB_BYTES(blob.data, blob.len));
	if (r == 0 && db_next(res))
		sighting_note(sessiond_of(call), res);
	return r;
}

int settle(struct call *call, const struct session_report_params *p, const char *reason, struct session_report_result *result)
{
	CLEANUP(tx_freep) struct db_tx *tx = NULL;
	CLEANUP(db_result_freep) struct db_result *row = NULL;
	const struct session_name name = NAME_OF(p);
	int64_t proof = p->proved_at_ms;
	int r = db_begin(sessiond_of(call)->db, DB_USER(call->acting.user), sessiond_deadline(call), &tx);

	if (r == 0)
		r = tx_query(tx, &row, TRIED, NAME_ARGS(call, &name), DB_INT(p->version));
	if (r < 0 || !db_next(row))
		return r;
	r = sighting_judge(sessiond_of(call), row, sessiond_deadline(call));
	if (r != SIGHT_GOOD) /* it is not what was tried */
		return r < 0 ? r : 0;
	if (!row_null(row, "proof_at") && row_time(row, "proof_at") > proof)
		proof = row_time(row, "proof_at"); /* it was proved since */
	r = settle_write(call, &tx, row, proof, p->health, reason);
	if (r < 0)
		return r;
	result->changed = strcmp(row_words(row, "health"), p->health) != 0;
	if (result->changed)
		log_notice("session %" PRId64 " (%s) was %s and is %s", row_int(row, "id"), row_words(row, "site"),
			row_words(row, "health"), p->health);
	return 0;
}
