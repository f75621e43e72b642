/* How the vault is, for steadctl. Answers also when nothing else works. */
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/daemon.h"
#include "common/loop.h"
#include "sessiond/handlers.h"
#include "sessiond/marks.h"
#include "sessiond/sessiond.h"

#define COUNT_MS 1500

static int status_count(struct call *call, struct sessiond_status_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(sessiond_of(call)->db, DB_ROLE("stead_operator"), deadline_in(COUNT_MS),
		&res, "SELECT count(id), count(newest_version), count(id) FILTER (WHERE key_id <> $1) + "
		"count(id) FILTER (WHERE newest_key_id <> $1), count(id) FILTER (WHERE NOT protected), count(id) FILTER (WHERE format = 1) FROM vault.sessions",
		DB_INT(result->master_key));

	if (r < 0)
		return r;
	if (db_next(res)) {
		result->sessions = row_int(res, 0);
		result->unproved = row_int(res, 1);
		result->to_rewrap = row_int(res, 2);
		result->devices = row_int(res, 3);
		result->format_1 = row_int(res, 4);
	}
	return 0;
}

static const char *put_back_trouble(struct call *call, int64_t count)
{
	return count == 0 ? NULL : arena_printf(call->arena,
		"Sessions were put back that are older than what was saved last, or were forgotten: %" PRId64 ", named in \"steadctl vault audit\". "
		"They are not used. If you have restored a backup, \"steadctl vault accept-restore\" takes them as they are; "
		"else somebody has written to the database.", count);
}

int sessiond_status(struct call *call, const struct sessiond_status_params *,
	struct sessiond_status_result *result)
{
	struct sessiond *s = call->daemon;
	int r;

	*result = (struct sessiond_status_result){ .version = STEAD_VERSION,
		.up_ms = daemon_up_ms(),
		.master_key = masterkeys_current(s->keys),
		.put_back = marks_told(s->marks),
		.put_back_trouble = put_back_trouble(call, marks_told(s->marks)),
		.watchers = (int64_t)hub_watchers(s->hub),
		.vault_trouble = arena_strdup(call->arena, keycheck_trouble(&s->check)) };
	r = status_count(call, result);
	result->database = r == 0;
	if (r < 0)
		result->database_trouble =
			arena_strdup(call->arena, db_error(s->db)->text);
	return 0;
}
