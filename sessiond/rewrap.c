/*
 * Rotation: each state's data key is wrapped anew under the current master key; what is encrypted
 * stays as it is.
 *
 * One state after another, each in a statement of its own that takes effect only if nobody has saved
 * meanwhile. So it can be interrupted at any time, run twice at once, and goes on with what is
 * left.
 */
#include <errno.h>
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "sessiond/bound.h"
#include "sessiond/handlers.h"
#include "sessiond/sessiond.h"

#define REWRAPPER DB_ROLE("stead_rewrapper")
#define ROW_MS    20000
#define MARGIN_MS 3000 /* before the caller's deadline, to answer how far it came */

static int64_t current_key(struct call *call)
{
	return masterkeys_current(sessiond_of(call)->keys);
}

/* The next session of which a state is under another key. */
static int rewrap_next(struct call *call, int64_t after, struct db_result **ret)
{
	return db_read(sessiond_of(call)->db, REWRAPPER, deadline_in(ROW_MS), ret,
		"SELECT id, user_id, site, kind, fingerprint, account, version, proof_at, key_id, envelope, newest_version, newest_key_id, "
		"newest_envelope FROM vault.sessions WHERE id > $1 AND (key_id <> $2 OR newest_key_id <> $2) ORDER BY id LIMIT 1",
		DB_INT(after), DB_INT(current_key(call)));
}

static int rewrap_wrap(struct call *call, const struct db_result *row, bool newest, struct envelope_blob *ret)
{
	struct bound b;
	size_t n;
	const void *blob = row_bytes(row, newest ? "newest_envelope" : "envelope", &n);

	bound_of(&b, row);
	if (newest)
		bound_newest(&b, row_int(row, "newest_version"));
	return crypt_rewrap(sessiond_of(call), &b.context, blob, n, deadline_in(ROW_MS), ret);
}

/* 1 if it was rewrapped, 0 if somebody saved in the meantime (and then under the current key). */
static int put_back(struct call *call, const struct db_result *row, bool newest, const struct envelope_blob *blob)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_query(sessiond_of(call)->db, REWRAPPER, deadline_in(ROW_MS), &res,
		newest ? "UPDATE vault.sessions SET newest_key_id = $4, newest_envelope = $5 "
			 "WHERE id = $1 AND newest_version = $2 AND newest_key_id = $3" :
			 "UPDATE vault.sessions SET key_id = $4, envelope = $5 "
			 "WHERE id = $1 AND version = $2 AND key_id = $3",
		DB_INT(row_int(row, "id")), DB_INT(row_int(row, newest ? "newest_version" : "version")),
		DB_INT(row_int(row, newest ? "newest_key_id" : "key_id")), DB_INT(current_key(call)),
		DB_BYTES(blob->data, blob->len));

	return r < 0 ? r : (int)db_changed(res);
}

static int rewrap_state(struct call *call, const struct db_result *row, bool newest, struct vault_rewrap_result *result)
{
	CLEANUP(envelope_blob_free) struct envelope_blob blob = { 0 };
	int64_t key = row_int(row, newest ? "newest_key_id" : "key_id");
	int r;

	if (row_null(row, newest ? "newest_key_id" : "key_id") || key == current_key(call))
		return 0;
	r = rewrap_wrap(call, row, newest, &blob);
	if (r == -EBUSY || r == -ETIMEDOUT || r == -ECANCELED)
		return r;
	if (r < 0) {
		result->failed++;
		log_error("session %" PRId64 " version %" PRId64 " cannot be rewrapped from master key %" PRId64 ": %s", row_int(row, "id"),
			row_int(row, newest ? "newest_version" : "version"), key, envelope_error(r));
		return 0;
	}
	r = put_back(call, row, newest, &blob);
	if (r > 0)
		result->rewrapped++;
	return r < 0 ? r : 0;
}

static int rewrap_all(struct call *call, struct vault_rewrap_result *result)
{
	int64_t after = 0;

	while (loop_now() < call->deadline - MARGIN_MS) {
		CLEANUP(db_result_freep) struct db_result *res = NULL;
		int r = rewrap_next(call, after, &res);

		if (r < 0 || !db_next(res))
			return r;
		after = row_int(res, "id");
		r = rewrap_state(call, res, false, result);
		if (r == 0)
			r = rewrap_state(call, res, true, result);
		if (r < 0)
			return r;
	}
	return 0;
}

int vault_rewrap(struct call *call, const struct vault_rewrap_params *,
	struct vault_rewrap_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = keycheck_admit(&sessiond_of(call)->check, call);

	if (r == 0)
		r = rewrap_all(call, result);
	if (r == 0)
		r = db_read(sessiond_of(call)->db, REWRAPPER, deadline_in(MARGIN_MS - 500),
			&res, "SELECT count(id) FILTER (WHERE key_id <> $1) + count(id) FILTER (WHERE newest_key_id <> $1) FROM vault.sessions",
			DB_INT(current_key(call)));
	if (result->rewrapped || result->failed)
		log_notice("rewrapped %" PRId64 " states under master key %" PRId64 ", %" PRId64
			   " failed",
			result->rewrapped, current_key(call), result->failed);
	if (r < 0 && result->rewrapped) /* it is not so that nothing was changed */
		return call_refuse(call, error_from_errno(r), NULL,
			"It stopped when the data keys of %" PRId64 " states had been rewrapped; repeat it, and it goes on from there. The "
			"administrator finds the cause in the journal.", result->rewrapped);
	if (r < 0)
		return r;
	result->left = db_next(res) ? row_int(res, 0) : 0;
	return 0;
}
