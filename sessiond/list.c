/* What there is. */
#include <errno.h>
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "sessiond/handlers.h"
#include "sessiond/name.h"
#include "sessiond/sessiond.h"

/* Times between moments of the ends that were seen, in ms. */
#define BETWEEN(pick, from, to) "(SELECT (extract(epoch FROM " pick "(e." to " - e." from ")) * 1000)::bigint "           \
	"FROM vault.ends e WHERE e.session_id = s.id) AS "
#define SELECT_INFO(fingerprint)                                                                   \
	"SELECT s.id, s.user_id, s.site, s.kind, " fingerprint " AS fingerprint, s.account, s.last_version AS version, s.health, " \
	"s.reason, s.saved_at, s.proved_at, s.used_at, s.signed_in_at, s.newest_at, "               \
	BETWEEN("min", "signed_in_at", "alive_at") "lived_least, " BETWEEN("max", "signed_in_at", "ended_at") "lived_most, " \
	BETWEEN("min", "alive_at", "ended_at") "ended_unproved FROM vault.sessions s"
#define LIST_MAX 1000 /* as in proto/sessiond.def */

static int list_read_list(struct call *call, struct db_result **ret)
{
	struct db *db = sessiond_of(call)->db;
	int64_t deadline = sessiond_deadline(call);

	if (call->role == ROLE_CONTROL)
		return db_read(db, DB_ROLE("stead_operator"), deadline, ret,
			SELECT_INFO("NULL") " ORDER BY s.site, s.user_id, s.id LIMIT $1", DB_INT(LIST_MAX));
	return db_read(db, DB_USER(call->acting.user), deadline, ret,
		SELECT_INFO("CASE WHEN NOT s.protected THEN s.fingerprint END") " WHERE s.user_id = $1 ORDER BY s.site, s.id LIMIT $2",
		DB_INT(call->acting.user), DB_INT(LIST_MAX));
}

static void list_fill(struct call *call, const struct db_result *row, struct session_info *info)
{
	*info = (struct session_info){ .id = row_int(row, "id"),
		.site = arena_strdup(call->arena, row_words(row, "site")),
		.kind = arena_strdup(call->arena, row_words(row, "kind")),
		.fingerprint = arena_strdup(call->arena, row_text(row, "fingerprint")),
		.account = arena_strdup(call->arena, row_words(row, "account")),
		.version = row_int(row, "version"),
		.health = arena_strdup(call->arena, row_words(row, "health")),
		.reason = arena_strdup(call->arena, row_text(row, "reason")),
		.saved_at_ms = row_time(row, "saved_at"),
		.proved_at_ms = row_time(row, "proved_at"),
		.used_at_ms = row_time(row, "used_at"),
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
	const struct session_name name = NAME_OF(params);
	int r = name_check(call, &name);

	if (r == 0)
		r = db_read(sessiond_of(call)->db, DB_USER(call->acting.user), sessiond_deadline(call), &res,
			"SELECT account, last_version AS version, health FROM vault.sessions WHERE " NAMED, NAME_ARGS(call, &name));
	if (r == 0 && db_next(res))
		*result = (struct session_show_result){ .account = arena_strdup(call->arena, row_words(res, "account")),
			.version = row_int(res, "version"),
			.health = arena_strdup(call->arena, row_words(res, "health")) };
	return r;
}
