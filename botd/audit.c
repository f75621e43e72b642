#include "botd/audit.h"

#include "botd/handlers.h"
#include "botd/state.h"
#include "common/cleanup.h"
#include "common/log.h"

int botd_audit_act(struct call *call, const char *what)
{
	int r = db_query(botd_of(call)->db, DB_SELF, botd_deadline(call), NULL,
		"INSERT INTO jobs.audit (event, detail) VALUES ('steadctl', $1)", DB_TEXT(what));

	if (r < 0)
		log_error("steadctl's %s could not be written down, so it was not done: %s", what, db_error(botd_of(call)->db)->text);
	return r;
}

int botd_audit_admin(struct call *call, const char *what)
{
	const char *detail = arena_printf(call->arena, "%s: %s", call->acting.name, what);
	int r = db_query(botd_of(call)->db, DB_SELF, botd_deadline(call), NULL,
		"INSERT INTO jobs.audit (event, detail) VALUES ('administrator', $1)", DB_TEXT(detail));

	if (r < 0)
		log_error("%s could not be written down, so it was not done: %s", detail, db_error(botd_of(call)->db)->text);
	return r;
}

static void audit_read_entry(struct call *call, const struct db_result *row, struct booking_audit_entry *out)
{
	*out = (struct booking_audit_entry){ .id = row_int(row, "id"),
		.at_ms = row_time(row, "at"),
		.event = arena_strdup(call->arena, row_words(row, "event")),
		.detail = arena_strdup(call->arena, row_text(row, "detail")) };
}

int booking_audit(struct call *call, const struct booking_audit_params *params, struct booking_audit_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(botd_of(call)->db, DB_ROLE("stead_operator"), botd_deadline(call), &res,
		"SELECT id, at, event, detail FROM jobs.audit WHERE id < $1 ORDER BY id DESC LIMIT $2",
		DB_INT(params->before ? params->before : INT64_MAX), DB_INT(params->limit ? params->limit : 100));

	if (r < 0)
		return r;
	result->entries = arena_array(call->arena, (size_t)db_rows(res), sizeof(*result->entries));
	while (db_next(res))
		audit_read_entry(call, res, &result->entries[result->entries_count++]);
	return 0;
}
