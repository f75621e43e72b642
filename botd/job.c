#include "botd/claim.h"

#include "common/words.h"

struct job *job_new(struct db *db, const struct db_result *row, int64_t lease_ms, int64_t asked_at)
{
	struct arena *arena = arena_new(0);
	struct job *j = arena_alloc(arena, sizeof(*j));

	*j = (struct job){ .arena = arena,
		.db = db,
		.id = row_int(row, "id"),
		.user = row_int(row, "user_id"),
		.token = row_int(row, "attempt"),
		.site = arena_strdup(arena, row_words(row, "site")),
		.action = arena_strdup(arena, row_words(row, "action")),
		.inputs = json_loads(row_words(row, "inputs"), 0, NULL),
		.failures = row_int(row, "failures"),
		.intended = row_bool(row, "intended"),
		.again = row_bool(row, "again"),
		.vanished = row_bool(row, "vanished"),
		.looks = row_int(row, "looks"),
		.look_end = asked_at + row_int(row, "look_ms"),
		.lease_ms = lease_ms,
		.lease_end = asked_at + lease_ms };
	words_set(j->seen.answer, sizeof(j->seen.answer), "%s", row_words(row, "answer"));
	if (!j->inputs)
		j->inputs = json_object();
	return j;
}

struct job *job_free(struct job *j)
{
	while (j) {
		struct job *older = j->older;

		json_decref(j->inputs);
		arena_free(j->arena);
		j = older;
	}
	return NULL;
}

/* Why one is tried again stays there to be read. */
const char claim_begin_sql[] =
	"WITH mine AS (SELECT id FROM jobs.jobs WHERE id = $1 AND attempt = $2 AND state = 'running' FOR UPDATE), "
	"b AS (UPDATE jobs.bookings b SET step = NULL, steps = NULL, "
	"looks = b.looks + (b.intent_at IS NOT NULL AND NOT b.again)::integer FROM mine WHERE b.id = mine.id RETURNING b.*) "
	"UPDATE jobs.jobs j SET reason = CASE WHEN $3 THEN 'A part of Stead stopped in the middle of it.' "
	"WHEN j.failures > 0 OR b.intent_at IS NOT NULL AND NOT b.again THEN j.reason END "
	"FROM b WHERE j.id = b.id "
	"RETURNING j.id, j.user_id, j.attempt, j.failures, b.site, b.action, b.inputs, b.again, b.looks, "
	"b.intent_at IS NOT NULL AND NOT b.again AS intended, b.answer, $3 AS vanished, "
	"coalesce((extract(epoch FROM b.look_until - clock_timestamp()) * 1000)::bigint, 0) AS look_ms";
