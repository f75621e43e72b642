#include "botd/claim.h"

#include <errno.h>

#include "common/cleanup.h"
#include "common/loop.h"
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

/*
 * What could be claimed, one job for each person and site: pair goes from one to the next along the index
 * bookings_next, so ten thousand bookings of one person cost one step. A person's jobs at a site go one after another
 * (bookings_one_run), so a pair that has one under way is passed over; a lease that ran out is claimed like a due job.
 */
#define DUE                                                                                        \
	"WITH RECURSIVE pair AS ("                                                                 \
	"(SELECT user_id, site FROM jobs.bookings WHERE state = 'queued' ORDER BY user_id, site LIMIT 1) UNION ALL " \
	"SELECT n.user_id, n.site FROM pair p CROSS JOIN LATERAL (SELECT user_id, site FROM jobs.bookings " \
	"WHERE state = 'queued' AND (user_id, site) > (p.user_id, p.site) ORDER BY user_id, site LIMIT 1) n), " \
	"busy AS MATERIALIZED (SELECT id, user_id, site, due_at FROM jobs.bookings WHERE state = 'running'), " \
	"due AS (SELECT f.id, p.user_id, p.site, f.due_at FROM pair p CROSS JOIN LATERAL "         \
	"(SELECT id, due_at FROM jobs.bookings WHERE state = 'queued' AND user_id = p.user_id AND site = p.site " \
	"AND due_at <= now() ORDER BY due_at, id LIMIT 1) f "                                      \
	"WHERE NOT EXISTS (SELECT FROM busy WHERE user_id = p.user_id AND site = p.site) UNION ALL " \
	"SELECT id, user_id, site, due_at FROM busy WHERE due_at <= now()) "

/* In turn. More than one, for those that another worker is just claiming are passed over; no more than there are workers. */
#define FIRST                                                                                      \
	", first AS (SELECT d.id, d.due_at, (SELECT count(*) FROM busy WHERE user_id = d.user_id AND due_at > now()) AS running, " \
	"(SELECT max(served_at) FROM jobs.turns WHERE user_id = d.user_id) AS person, "            \
	"(SELECT served_at FROM jobs.turns WHERE user_id = d.user_id AND site = d.site) AS place FROM due d " \
	"ORDER BY running, person NULLS FIRST, place NULLS FIRST, due_at, id LIMIT 64), "          \
	"next AS (SELECT b.id, b.user_id, b.site, b.state FROM first f JOIN jobs.bookings b ON b.id = f.id "  \
	"WHERE b.state IN ('queued', 'running') AND b.due_at <= now() "                            \
	"ORDER BY f.running, f.person NULLS FIRST, f.place NULLS FIRST, f.due_at, f.id LIMIT 1 FOR UPDATE OF b SKIP LOCKED) "

int queue_claim(struct db *db, int64_t lease_ms, int64_t deadline, struct job **ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int64_t asked_at = loop_now();
	int r = db_query(db, DB_ROLE("stead_claimer"), deadline, &res,
		DUE FIRST ", " CLAIM_TURN("next")
		"UPDATE jobs.bookings b SET " CLAIM_SET " FROM next WHERE b.id = next.id RETURNING " JOB_COLUMNS,
		DB_INT(lease_ms));

	if (r == -EEXIST) /* another worker took one of the same person and site in this very moment */
		return -EAGAIN;
	if (r < 0)
		return r;
	if (!db_next(res))
		return -ENOENT;
	*ret = job_new(db, res, lease_ms, asked_at);
	return 0;
}

int queue_others_wait(struct db *db, const struct job *j, int64_t deadline, bool *ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(db, DB_ROLE("stead_claimer"), deadline, &res, DUE "SELECT id FROM due WHERE id <> $1 LIMIT 1",
		DB_INT(j->id));

	if (r < 0)
		return r;
	*ret = db_next(res);
	return 0;
}

int queue_next_due(struct db *db, int64_t deadline, int64_t *ret_ms)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(db, DB_ROLE("stead_claimer"), deadline, &res,
		"SELECT (extract(epoch FROM due_at - clock_timestamp()) * 1000)::bigint AS ms FROM jobs.bookings "
		"WHERE state IN ('queued', 'running') AND due_at > now() ORDER BY due_at, id LIMIT 1");

	if (r < 0)
		return r;
	if (!db_next(res))
		return -ENOENT;
	*ret_ms = row_int(res, "ms");
	return 0;
}
