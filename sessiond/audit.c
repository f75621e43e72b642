#include "sessiond/audit.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "sessiond/handlers.h"
#include "sessiond/sessiond.h"

int sessiond_audit_act(struct call *call, const char *what)
{
	int r = db_query(sessiond_of(call)->db, DB_SELF, sessiond_deadline(call), NULL,
		"INSERT INTO vault.audit (event, detail) VALUES ('steadctl', $1)", DB_TEXT(what));

	if (r < 0)
		log_error("steadctl's %s could not be written down, so it was not done: %s", what,
			db_error(sessiond_of(call)->db)->text);
	return r;
}

static void audit_read_entry(struct call *call, const struct db_result *row, struct vault_audit_entry *out)
{
	*out = (struct vault_audit_entry){ .id = row_int(row, "id"),
		.at_ms = row_time(row, "at"),
		.event = arena_strdup(call->arena, row_words(row, "event")),
		.user = row_int(row, "user_id"),
		.detail = arena_strdup(call->arena, row_text(row, "detail")) };
}

int vault_audit(struct call *call, const struct vault_audit_params *params, struct vault_audit_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(sessiond_of(call)->db, DB_ROLE("stead_operator"), sessiond_deadline(call), &res,
		"SELECT id, at, event, user_id, detail FROM vault.audit WHERE id < $1 ORDER BY id DESC LIMIT $2",
		DB_INT(params->before ? params->before : INT64_MAX), DB_INT(params->limit ? params->limit : 100));

	if (r < 0)
		return r;
	result->entries = arena_array(call->arena, (size_t)db_rows(res), sizeof(*result->entries));
	while (db_next(res))
		audit_read_entry(call, res, &result->entries[result->entries_count++]);
	return 0;
}
