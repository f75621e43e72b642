/*
 * Rotation: each session's data key is wrapped anew under the current master key; what is encrypted
 * stays as it is.
 *
 * One row after another, each in a statement of its own that takes effect only if nobody has saved
 * meanwhile. So it can be interrupted at any time, run twice at once, and goes on with what is
 * left.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "sessiond/handlers.h"
#include "sessiond/sessiond.h"

#define REWRAPPER DB_ROLE("stead_rewrapper")
#define ROW_MS    20000
#define MARGIN_MS 3000 /* before the caller's deadline, to answer how far it came */

static int64_t current_key(struct call *call)
{
	return masterkeys_current(crypt_keys(sessiond_crypt(call->daemon)));
}

static int next_row(struct call *call, int64_t after, struct db_result **ret)
{
	return db_read(sessiond_db(call->daemon), REWRAPPER, deadline_in(ROW_MS), ret,
		"SELECT id, user_id, site, kind, fingerprint, version, key_id, envelope "
		"FROM vault.sessions WHERE id > $1 AND key_id <> $2 ORDER BY id LIMIT 1",
		DB_INT(after), DB_INT(current_key(call)));
}

static int wrap(struct call *call, const struct db_result *row, struct envelope_blob *ret)
{
	char user[24], id[24];
	struct envelope_context context = { .user = user,
		.site = db_text(row, 0, "site"),
		.fingerprint = db_text(row, 0, "fingerprint"),
		.row = id,
		.kind = db_text(row, 0, "kind"),
		.version = (uint64_t)db_int(row, 0, "version") };
	size_t n;
	const void *blob = db_bytes(row, 0, "envelope", &n);

	snprintf(user, sizeof(user), "%" PRId64, db_int(row, 0, "user_id"));
	snprintf(id, sizeof(id), "%" PRId64, db_int(row, 0, "id"));
	return crypt_rewrap(
		sessiond_crypt(call->daemon), &context, blob, n, deadline_in(ROW_MS), ret);
}

/* 1 if it was rewrapped, 0 if somebody saved in the meantime (and then under the current key). */
static int put_back(
	struct call *call, const struct db_result *row, const struct envelope_blob *blob)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_query(sessiond_db(call->daemon), REWRAPPER, deadline_in(ROW_MS), &res,
		"UPDATE vault.sessions SET key_id = $4, envelope = $5 "
		"WHERE id = $1 AND version = $2 AND key_id = $3",
		DB_INT(db_int(row, 0, "id")), DB_INT(db_int(row, 0, "version")),
		DB_INT(db_int(row, 0, "key_id")), DB_INT(current_key(call)),
		DB_BYTES(blob->data, blob->len));

	return r < 0 ? r : (int)db_changed(res);
}

static int rewrap_row(
	struct call *call, const struct db_result *row, struct vault_rewrap_result *result)
{
	CLEANUP(envelope_blob_free) struct envelope_blob blob = { 0 };
	int r = wrap(call, row, &blob);

	if (r == -EBUSY || r == -ETIMEDOUT || r == -ECANCELED)
		return r;
	if (r < 0) {
		result->failed++;
		log_error("session %" PRId64 " version %" PRId64
			  " cannot be rewrapped from master key %" PRId64 ": %s",
			db_int(row, 0, "id"), db_int(row, 0, "version"), db_int(row, 0, "key_id"),
			envelope_error(r));
		return 0;
	}
	r = put_back(call, row, &blob);
	if (r > 0)
		result->rewrapped++;
	return r < 0 ? r : 0;
}

static int rewrap_all(struct call *call, struct vault_rewrap_result *result)
{
	int64_t after = 0;

	while (loop_now() < call->deadline - MARGIN_MS) {
		CLEANUP(db_result_freep) struct db_result *row = NULL;
		int r = next_row(call, after, &row);

		if (r < 0 || db_rows(row) == 0)
			return r;
		after = db_int(row, 0, "id");
		r = rewrap_row(call, row, result);
		if (r < 0)
			return r;
	}
	return 0;
}

int vault_rewrap(struct call *call, const struct vault_rewrap_params *params,
	struct vault_rewrap_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = keycheck_admit(sessiond_keycheck(call->daemon), call);

	(void)params;
	if (r == 0)
		r = rewrap_all(call, result);
	if (r == 0)
		r = db_read(sessiond_db(call->daemon), REWRAPPER, deadline_in(MARGIN_MS - 500),
			&res, "SELECT count(*) FROM vault.sessions WHERE key_id <> $1",
			DB_INT(current_key(call)));
	if (result->rewrapped || result->failed)
		log_notice("rewrapped %" PRId64 " sessions under master key %" PRId64 ", %" PRId64
			   " failed",
			result->rewrapped, current_key(call), result->failed);
	if (r < 0)
		return r;
	result->left = db_int(res, 0, 0);
	return 0;
}
