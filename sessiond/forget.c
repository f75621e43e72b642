/*
 * Forgetting sessions: one by its number, or those of devices. The background session goes only when that is confirmed, which the
 * database sees to: it deletes none but the one that the transaction names (schema/0006_devices.up.sql).
 */
#include <errno.h>
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/words.h"
#include "sessiond/handlers.h"
#include "sessiond/name.h"
#include "sessiond/sessiond.h"
#include "sessiond/sighting.h"

/* One deletion. */
struct deletion {
	struct call *call;
	int64_t id, user;
	const char *by; /* who wants it, for the log */
};

static int refuse_unknown(struct call *call, int64_t id)
{
	return call_refuse(call, ERR_not_found, "id", "There is no session %" PRId64 " here, or it is not yours; it may have been deleted already.",
		id);
}

/* steadctl deletes for the person whose session it is, under that person's identity. */
static int find_owner(struct deletion *d)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r;

	d->user = d->call->acting.user;
	d->by = "its owner";
	if (d->call->role != ROLE_CONTROL)
		return 0;
	d->by = "steadctl";
	r = db_read(sessiond_of(d->call)->db, DB_ROLE("stead_operator"), sessiond_deadline(d->call), &res,
		"SELECT user_id FROM vault.sessions WHERE id = $1", DB_INT(d->id));
	if (r < 0)
		return r;
	if (!db_next(res))
		return refuse_unknown(d->call, d->id);
	d->user = row_int(res, "user_id");
	return 0;
}

/* Why the deletion found nothing to delete. */
static int refuse_deletion(struct deletion *d)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(sessiond_of(d->call)->db, DB_USER(d->user), sessiond_deadline(d->call), &res,
		"SELECT site FROM vault.sessions WHERE id = $1 AND user_id = $2", DB_INT(d->id), DB_INT(d->user));

	if (r < 0)
		return r;
	if (!db_next(res))
		return refuse_unknown(d->call, d->id);
	return call_refuse(d->call, ERR_invalid, "confirm_protected",
		"Jobs for %s run on this session; confirm that you want it deleted nevertheless.", row_words(res, "site"));
}

static int delete_confirmed(struct deletion *d, bool confirmed, struct db_result **ret)
{
	CLEANUP(tx_freep) struct db_tx *tx = NULL;
	char id[24];
	int r = db_begin(sessiond_of(d->call)->db, DB_USER(d->user), sessiond_deadline(d->call), &tx);

	exact_must(id, sizeof(id), "%" PRId64, d->id);
	if (r == 0)
		r = tx_query(tx, NULL, "SELECT set_config('stead.confirmed', $1, true)", DB_TEXT(confirmed ? id : ""));
	if (r == 0)
		r = db_commit_query(&tx, ret, "DELETE FROM vault.sessions WHERE id = $1 AND user_id = $2 RETURNING site", DB_INT(d->id),
			DB_INT(d->user));
	return r;
}

int session_delete(struct call *call, const struct session_delete_params *params,
	struct session_delete_result *)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	struct deletion d = { .call = call, .id = params->id };
	int r = find_owner(&d);

	if (r == 0)
		r = delete_confirmed(&d, params->confirm_protected, &res);
	if (r < 0)
		return r;
	if (!db_next(res))
		return refuse_deletion(&d);
	sighting_forget(d.call->daemon, d.id);
	log_notice("session %" PRId64 " (%s) was deleted by %s", params->id, row_words(res, "site"), d.by);
	return 0;
}

static int check_user(struct call *call, int64_t named)
{
	if (call->role == ROLE_CONTROL && !named)
		return call_refuse(call, ERR_invalid, "user", "Say whose devices are meant: --user, as \"session list\" shows it.");
	if (call->role != ROLE_CONTROL && named)
		return call_refuse(call, ERR_invalid, "user", "Only the sessions of your own devices can be forgotten here; leave this out.");
	return 0;
}

int session_delete_devices(struct call *call, const struct session_delete_devices_params *params,
	struct session_delete_devices_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int64_t user = params->user ?: call->acting.user;
	int r = check_user(call, params->user);

	if (r == 0)
		r = db_query(sessiond_of(call)->db, DB_USER(user), sessiond_deadline(call), &res,
			"DELETE FROM vault.sessions WHERE user_id = $1 AND NOT protected AND site = COALESCE($2, site) "
			"AND fingerprint = COALESCE($3, fingerprint) RETURNING id",
			DB_INT(user), DB_TEXT(params->site), DB_TEXT(params->fingerprint));
	if (r < 0)
		return r;
	result->forgotten = db_rows(res);
	while (db_next(res))
		sighting_forget(sessiond_of(call), row_int(res, "id"));
	log_notice("%" PRId64 " sessions of devices of user %" PRId64 " were deleted by %s", result->forgotten, user,
		call->role == ROLE_CONTROL ? "steadctl" : "their owner");
	return 0;
}
