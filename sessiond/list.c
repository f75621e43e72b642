/* What there is, and forgetting it. */
#include <errno.h>
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "sessiond/handlers.h"
#include "sessiond/sessiond.h"

/* Times between moments of the ends that were seen, in ms. */
#define BETWEEN(pick, from, to) "(SELECT (extract(epoch FROM " pick "(e." to " - e." from ")) * 1000)::bigint "           \
	"FROM vault.ends e WHERE e.session_id = s.id) AS "
#define SELECT_INFO                                                                                \
	"SELECT s.id, s.user_id, s.site, s.kind, s.account, s.last_version AS version, s.health, s.reason, s.saved_at, " \
	"s.proved_at, s.signed_in_at, s.newest_at, " BETWEEN("min", "signed_in_at", "alive_at") "lived_least, "           \
	BETWEEN("max", "signed_in_at", "ended_at") "lived_most, " BETWEEN("min", "alive_at", "ended_at")                   \
	"ended_unproved FROM vault.sessions s"
#define LIST_MAX 1000 /* as in proto/sessiond.def */

static int list_read_list(struct call *call, struct db_result **ret)
{
	struct db *db = sessiond_of(call)->db;
	int64_t deadline = sessiond_deadline(call);

	if (call->role == ROLE_CONTROL)
		return db_read(db, DB_ROLE("stead_operator"), deadline, ret,
			SELECT_INFO " ORDER BY s.site, s.user_id, s.id LIMIT $1", DB_INT(LIST_MAX));
	return db_read(db, DB_USER(call->acting.user), deadline, ret,
		SELECT_INFO " WHERE s.user_id = $1 ORDER BY s.site, s.id LIMIT $2",
		DB_INT(call->acting.user), DB_INT(LIST_MAX));
}

static void list_fill(struct call *call, const struct db_result *row, struct session_info *info)
{
	*info = (struct session_info){ .id = row_int(row, "id"),
		.site = arena_strdup(call->arena, row_words(row, "site")),
		.kind = arena_strdup(call->arena, row_words(row, "kind")),
		.account = arena_strdup(call->arena, row_words(row, "account")),
		.version = row_int(row, "version"),
		.health = arena_strdup(call->arena, row_words(row, "health")),
		.reason = arena_strdup(call->arena, row_text(row, "reason")),
		.saved_at_ms = row_time(row, "saved_at"),
		.proved_at_ms = row_time(row, "proved_at"),
		.signed_in_at_ms = row_time(row, "signed_in_at"),
		.newest_at_ms = row_time(row, "newest_at"),
		.lived_least_ms = row_int(row, "lived_least"),
		.lived_most_ms = row_int(row, "lived_most"),
		.ended_unproved_ms = row_int(row, "ended_unproved"),
		.user = call->role == ROLE_CONTROL ? row_int(row, "user_id") : 0 };
}

int session_list(struct call *call, const struct session_list_params *,
	struct session_list_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = list_read_list(call, &res);

	if (r < 0)
		return r;
	result->sessions = arena_array(call->arena, (size_t)db_rows(res), sizeof(*result->sessions));
	while (db_next(res))
		list_fill(call, res, &result->sessions[result->sessions_count++]);
	if (keycheck_trouble(&sessiond_of(call)->check))
		result->trouble = "Stead's vault was started with a master key that is not its own, so it opens nothing. What it "
				  "keeps is safe; an administrator has to put the right key back.";
	return 0;
}

int session_show(struct call *call, const struct session_show_params *params,
	struct session_show_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(sessiond_of(call)->db, DB_USER(call->acting.user), sessiond_deadline(call), &res,
		"SELECT account, last_version AS version, health FROM vault.sessions WHERE user_id = $1 AND site = $2 AND kind = 'background'",
		DB_INT(call->acting.user), DB_TEXT(params->site));

	if (r == 0 && db_next(res))
		*result = (struct session_show_result){ .account = arena_strdup(call->arena, row_words(res, "account")),
			.version = row_int(res, "version"),
			.health = arena_strdup(call->arena, row_words(res, "health")) };
	return r;
}

/* Why the deletion found nothing to delete. */
static int refuse_deletion(struct call *call, int64_t id)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(sessiond_of(call)->db, DB_USER(call->acting.user),
		sessiond_deadline(call), &res,
		"SELECT site FROM vault.sessions WHERE id = $1 AND user_id = $2", DB_INT(id),
		DB_INT(call->acting.user));

	if (r < 0)
		return r;
	if (!db_next(res))
		return call_refuse(call, ERR_not_found, "id",
			"You have no session %" PRId64 "; it may have been deleted already.", id);
	return call_refuse(call, ERR_invalid, "confirm_protected",
		"Your jobs for %s run on this session; confirm that you want it deleted "
		"nevertheless.",
		row_words(res, "site"));
}

int session_delete(struct call *call, const struct session_delete_params *params,
	struct session_delete_result *)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_query(sessiond_of(call)->db, DB_USER(call->acting.user),
		sessiond_deadline(call), &res,
		"DELETE FROM vault.sessions "
		"WHERE id = $1 AND user_id = $2 AND (NOT protected OR $3) RETURNING site",
		DB_INT(params->id), DB_INT(call->acting.user), DB_BOOL(params->confirm_protected));

	if (r < 0)
		return r;
	if (!db_next(res))
		return refuse_deletion(call, params->id);
	log_notice("session %" PRId64 " (%s) was deleted by its owner", params->id,
		row_words(res, "site"));
	return 0;
}
