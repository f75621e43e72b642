#include "authd/audit.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "authd/state.h"
#include "authd/handlers.h"
#include "common/arena.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "common/words.h"
#include "db/db.h"
#include "proto/call.h"

#define MINUTE_MS     60000
#define MOST_A_MINUTE 30 /* of each kind */

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

/* Whether there is room for one more this minute. */
static bool audit_admits(struct audit_limit *limit)
{
	if (!limit->since || loop_now() - limit->since > MINUTE_MS) {
		limit->since = loop_now();
		limit->rows = 0;
	}
	if (++limit->rows <= MOST_A_MINUTE)
		return true;
	limit->unsaid++;
	return false;
}

void audit_limited(struct call *call, struct audit_limit *limit, const char *event, const char *detail)
{
	struct authd *a = call->daemon;
	struct audit told = { .event = event, .user = call->acting.name, .ip = call->acting.ip, .detail = detail };
	size_t unsaid = limit->unsaid;
	int r;

	if (!audit_admits(limit))
		return;
	if (unsaid)
		told.detail = words_new(call->arena, 500, "%s; %zu more were not recorded", BRIEF(400, detail), unsaid);
	limit->unsaid = 0;
	fiber_shield(); /* who hangs up at once is written down all the same */
	r = audit_alone(a->db, authd_db_deadline(a, call->deadline), &told);
	fiber_unshield();
	if (r < 0)
		limit->unsaid += unsaid + 1; /* told with the next one that can be written */
	if (r < 0 && r != -ENOTCONN)
		authd_db_failed(a, "recording a refusal", r);
}

/* Too much of what steadctl does is refused: what cannot be written down must not be done either. */
int audit_note(struct call *call, const struct audit_note_params *params, struct audit_note_result *)
{
	struct authd *a = call->daemon;
	const struct audit entry = { .event = params->event,
		.user = call->acting.name,
		.ip = call->acting.ip,
		.detail = params->detail };

	if (strcmp(params->event, "steadctl") != 0) {
		audit_limited(call, &a->forbidden, params->event, params->detail);
		return 0;
	}
	if (!audit_admits(&a->acts))
		return call_refuse(call, ERR_busy, NULL, "Too much is done in a minute to be written down; try again in a moment.");
	return authd_db_failed(a, "recording what steadctl does",
		audit_alone(a->db, authd_db_deadline(a, call->deadline), &entry));
}

static void audit_read_entry(struct call *call, const struct db_result *row, struct audit_entry *out)
{
	*out = (struct audit_entry){ .id = row_int(row, "id"),
		.at_ms = row_time(row, "at"),
		.event = arena_strdup(call->arena, row_words(row, "event")),
		.user = arena_strdup(call->arena, row_text(row, "user_name")),
		.ip = arena_strdup(call->arena, row_text(row, "ip")),
		.detail = arena_strdup(call->arena, row_text(row, "detail")) };
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
	result->entries = arena_array(call->arena, (size_t)db_rows(res), sizeof(*result->entries));
	while (db_next(res))
		audit_read_entry(call, res, &result->entries[result->entries_count++]);
	return 0;
}
