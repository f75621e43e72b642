/* What there is, and forgetting it. */
#include <errno.h>
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "sessiond/handlers.h"
#include "sessiond/sessiond.h"

#define SELECT_INFO                                                                                \
	"SELECT id, user_id, site, kind, account, version, health, reason, saved_at, proved_at "   \
	"FROM vault.sessions"
#define LIST_MAX 1000 /* as in proto/sessiond.def */

static int read_list(struct call *call, struct db_result **ret)
{
	struct db *db = sessiond_db(call->daemon);
	int64_t deadline = sessiond_deadline(call);

	if (call->role == ROLE_CONTROL)
		return db_read(db, DB_ROLE("stead_operator"), deadline, ret,
			SELECT_INFO " ORDER BY site, user_id, id LIMIT $1", DB_INT(LIST_MAX));
	return db_read(db, DB_USER(call->acting.user), deadline, ret,
		SELECT_INFO " WHERE user_id = $1 ORDER BY site, id LIMIT $2",
		DB_INT(call->acting.user), DB_INT(LIST_MAX));
}

static void fill(struct call *call, const struct db_result *res, int row, struct session_info *info)
{
	*info = (struct session_info){ .id = db_int(res, row, "id"),
		.site = arena_strdup(call->arena, db_text(res, row, "site")),
		.kind = arena_strdup(call->arena, db_text(res, row, "kind")),
		.account = arena_strdup(call->arena, db_text(res, row, "account")),
		.version = db_int(res, row, "version"),
		.health = arena_strdup(call->arena, db_text(res, row, "health")),
		.reason = arena_strdup(call->arena, db_text(res, row, "reason")),
		.saved_at_ms = db_time(res, row, "saved_at"),
		.proved_at_ms = db_time(res, row, "proved_at"),
		.user = call->role == ROLE_CONTROL ? db_int(res, row, "user_id") : 0 };
}

int session_list(struct call *call, const struct session_list_params *params,
	struct session_list_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = read_list(call, &res);

	(void)params;
	if (r < 0)
		return r;
	result->sessions_count = (size_t)db_rows(res);
	result->sessions =
		arena_array(call->arena, result->sessions_count, sizeof(*result->sessions));
	for (int row = 0; row < db_rows(res); row++)
		fill(call, res, row, &result->sessions[row]);
	return 0;
}

int session_show(struct call *call, const struct session_show_params *params,
	struct session_show_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(sessiond_db(call->daemon), DB_USER(call->acting.user), sessiond_deadline(call), &res,
		"SELECT account, version, health FROM vault.sessions WHERE user_id = $1 AND site = $2 AND kind = 'background'",
		DB_INT(call->acting.user), DB_TEXT(params->site));

	if (r == 0 && db_rows(res)) {
		result->account = arena_strdup(call->arena, db_text(res, 0, "account"));
		result->version = db_int(res, 0, "version");
		result->health = arena_strdup(call->arena, db_text(res, 0, "health"));
	}
	return r;
}

/* Why the deletion found nothing to delete. */
static int refuse_deletion(struct call *call, int64_t id)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(sessiond_db(call->daemon), DB_USER(call->acting.user),
		sessiond_deadline(call), &res,
		"SELECT site FROM vault.sessions WHERE id = $1 AND user_id = $2", DB_INT(id),
		DB_INT(call->acting.user));

	if (r < 0)
		return r;
	if (db_rows(res) == 0)
		return call_refuse(call, ERR_not_found, "id",
			"You have no session %" PRId64 "; it may have been deleted already.", id);
	return call_refuse(call, ERR_invalid, "confirm_protected",
		"Your jobs for %s run on this session; confirm that you want it deleted "
		"nevertheless.",
		db_text(res, 0, "site"));
}

int session_delete(struct call *call, const struct session_delete_params *params,
	struct session_delete_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_query(sessiond_db(call->daemon), DB_USER(call->acting.user),
		sessiond_deadline(call), &res,
		"DELETE FROM vault.sessions "
		"WHERE id = $1 AND user_id = $2 AND (NOT protected OR $3) RETURNING site",
		DB_INT(params->id), DB_INT(call->acting.user), DB_BOOL(params->confirm_protected));

	(void)result;
	if (r < 0)
		return r;
	if (db_rows(res) == 0)
		return refuse_deletion(call, params->id);
	log_notice("session %" PRId64 " (%s) was deleted by its owner", params->id,
		db_text(res, 0, "site"));
	return 0;
}
