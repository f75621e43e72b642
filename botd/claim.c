#include "botd/claim.h"

#include <errno.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"

#define BEGIN_PAUSE_MS 100 /* between two tries while the database is away */

/* What waits for its time no more lines up; what comes of that is claimed by the next claim. */
#define PROMOTE                                                                                    \
	"promoted AS (UPDATE jobs.jobs SET state = 'queued' WHERE id IN (SELECT id FROM jobs.jobs " \
	"WHERE state = 'scheduled' AND due_at <= now() ORDER BY due_at LIMIT 100 FOR UPDATE SKIP LOCKED) RETURNING id)"

/* The queues in which anything stands, found along jobs_due one after another, and for how many of them there is room. */
#define LINES                                                                                      \
	"wish AS (SELECT * FROM unnest($2::text[], $3::integer[]) AS w (kind, room)), "            \
	"pair AS ((SELECT queue, kind FROM jobs.jobs WHERE state = 'queued' ORDER BY queue, kind LIMIT 1) UNION ALL " \
	"SELECT n.queue, n.kind FROM pair p CROSS JOIN LATERAL (SELECT queue, kind FROM jobs.jobs WHERE state = 'queued' " \
	"AND (queue, kind) > (p.queue, p.kind) ORDER BY queue, kind LIMIT 1) n), "                 \
	"line AS (SELECT p.queue, p.kind, least(w.room, q.most - (SELECT count(*) FROM jobs.jobs r WHERE r.state = 'running' " \
	"AND r.kind = p.kind AND r.queue = p.queue AND r.lease_until > now())) AS room FROM pair p JOIN wish w USING (kind) " \
	"LEFT JOIN jobs.queues q ON q.name = p.queue WHERE q.paused IS NOT TRUE)"

/* Whose lease ran out come first; then, of all lines, whose turn it is. What is locked and not taken is free again at once. */
#define NEXT                                                                                       \
	"lost AS (SELECT id, kind, 0 AS priority, -1::bigint AS turn, lease_until AS since, true AS vanished FROM jobs.jobs " \
	"WHERE state = 'running' AND kind = ANY ($2::text[]) AND lease_until <= now() "            \
	"LIMIT (SELECT sum(room) FROM wish) FOR UPDATE SKIP LOCKED), "                             \
	"due AS (SELECT c.*, false AS vanished FROM line l CROSS JOIN LATERAL (SELECT id, kind, priority, turn, queued_at AS since " \
	"FROM jobs.jobs WHERE state = 'queued' AND queue = l.queue AND kind = l.kind ORDER BY priority, turn, queued_at " \
	"LIMIT greatest(l.room, 0) FOR UPDATE SKIP LOCKED) c), "                                   \
	"ranked AS (SELECT *, row_number() OVER (PARTITION BY kind ORDER BY vanished DESC, priority, turn, since) AS n " \
	"FROM (SELECT * FROM lost UNION ALL SELECT * FROM due) x), "                               \
	"next AS (SELECT r.* FROM ranked r JOIN wish w USING (kind) WHERE r.n <= w.room), "        \
	"served AS (SELECT setval('jobs.served', max(turn)) FROM next HAVING max(turn) > (SELECT last_value FROM jobs.served))"

static int claim_row(struct db *db, int64_t lease_ms, int64_t deadline, struct db_result **ret)
{
	int r = db_query(db, DB_ROLE("stead_claimer"), deadline, ret,
		"WITH RECURSIVE " PROMOTE ", " LINES ", " NEXT ", "
		"claimed AS (UPDATE jobs.jobs j SET " CLAIM_SET ", failures = j.failures + next.vanished::integer "
		"FROM next WHERE j.id = next.id RETURNING " CLAIM_COLUMNS ", next.vanished) "
		"SELECT c.*, (SELECT count(*) FROM promoted) AS promoted FROM (SELECT (SELECT count(*) FROM served)) s "
		"LEFT JOIN claimed c ON true",
		DB_INT(lease_ms), DB_TEXT("{booking}"), DB_TEXT("{1}"));

	if (r < 0)
		return r;
	if (!db_next(*ret)) /* it has a row in any case */
		return -EIO;
	if (row_null(*ret, "id"))
		return row_int(*ret, "promoted") > 0 ? -EAGAIN : -ENOENT;
	return 0;
}

/* What is claimed is begun, for as long as the lease lasts: else it would look as if whoever had it had gone. */
static int claim_begin(struct db *db, const struct db_result *claimed, int64_t lease_end, struct db_result **ret)
{
	int r;

	fiber_shield();
	do {
		r = db_query(db, DB_USER(row_int(claimed, "user_id")), lease_end, ret, claim_begin_sql, DB_INT(row_int(claimed, "id")),
			DB_INT(row_int(claimed, "attempt")), DB_BOOL(row_bool(claimed, "vanished")));
	} while (db_may_pass(r) && loop_now() + BEGIN_PAUSE_MS < lease_end && fiber_sleep_until(deadline_in(BEGIN_PAUSE_MS)) == 0);
	fiber_unshield();
	return r;
}

int queue_claim(struct db *db, int64_t lease_ms, int64_t deadline, struct job **ret)
{
	CLEANUP(db_result_freep) struct db_result *claimed = NULL;
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int64_t asked_at = loop_now();
	int r = claim_row(db, lease_ms, deadline, &claimed);

	if (r == 0)
		r = claim_begin(db, claimed, asked_at + lease_ms, &res);
	if (r < 0)
		return r;
	if (!db_next(res)) /* it was removed, or the lease has run out already */
		return -EAGAIN;
	*ret = job_new(db, res, lease_ms, asked_at);
	return 0;
}

int queue_others_wait(struct db *db, const struct job *j, int64_t deadline, bool *ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(db, DB_ROLE("stead_claimer"), deadline, &res,
		"SELECT EXISTS (SELECT FROM jobs.jobs WHERE state = 'queued' AND kind = 'booking' AND id <> $1) OR "
		"EXISTS (SELECT FROM jobs.jobs WHERE state = 'scheduled' AND due_at <= now()) OR "
		"EXISTS (SELECT FROM jobs.jobs WHERE state = 'running' AND kind = 'booking' AND lease_until <= now()) AS wait", DB_INT(j->id));

	if (r < 0)
		return r;
	*ret = db_next(res) && row_bool(res, "wait");
	return 0;
}

int queue_next_due(struct db *db, int64_t deadline, int64_t *ret_ms)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(db, DB_ROLE("stead_claimer"), deadline, &res,
		"SELECT (extract(epoch FROM least((SELECT min(due_at) FROM jobs.jobs WHERE state = 'scheduled' AND due_at > now()), "
		"(SELECT min(lease_until) FROM jobs.jobs WHERE state = 'running' AND lease_until > now())) "
		"- clock_timestamp()) * 1000)::bigint AS ms");

	if (r < 0)
		return r;
	if (!db_next(res) || row_null(res, "ms"))
		return -ENOENT;
	*ret_ms = row_int(res, "ms");
	return 0;
}
