#include "authd/audit.h"

#include "authd/state.h"
#include "authd/handlers.h"
#include "common/arena.h"
#include "common/cleanup.h"
#include "db/db.h"
#include "proto/call.h"

static const char insert[] = "INSERT INTO audit (event, user_name, ip, detail) VALUES ($1, $2, $3, $4)";

int audit_write(struct db_tx *tx, const struct audit *entry)
{
	return tx_query(tx, NULL, insert, DB_TEXT(entry->event), DB_TEXT(entry->user), DB_TEXT(entry->ip),
		DB_TEXT(entry->detail));
}

int audit_alone(struct db *db, int64_t deadline, const struct audit *entry)
{
	return db_query(db, DB_SELF, deadline, NULL, insert, DB_TEXT(entry->event), DB_TEXT(entry->user),
		DB_TEXT(entry->ip), DB_TEXT(entry->detail));
}

static void read_entry(struct call *call, const struct db_result *res, int row, struct audit_entry *out)
{
	out->id = db_int(res, row, "id");
	out->at_ms = db_time(res, row, "at");
	out->event = arena_strdup(call->arena, db_text(res, row, "event"));
	out->user = arena_strdup(call->arena, db_text(res, row, "user_name"));
	out->ip = arena_strdup(call->arena, db_text(res, row, "ip"));
	out->detail = arena_strdup(call->arena, db_text(res, row, "detail"));
}

int audit_list(struct call *call, const struct audit_list_params *params, struct audit_list_result *result)
{
	struct authd *a = call->daemon;
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(a->db, DB_SELF, authd_db_deadline(a, call->deadline), &res,
		"SELECT id, at, event, user_name, ip, detail FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2",
		DB_INT(params->before ? params->before : INT64_MAX), DB_INT(params->limit ? params->limit : 100));

	if (r < 0)
		return authd_db_failed(a, "reading the audit", r);
	result->entries_count = (size_t)db_rows(res);
	result->entries = arena_array(call->arena, result->entries_count, sizeof(*result->entries));
	for (int i = 0; i < db_rows(res); i++)
		read_entry(call, res, i, &result->entries[i]);
	return 0;
}
