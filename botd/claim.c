#include "botd/claim.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "common/words.h"

#define MOST_WISHES 16

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

/* As PostgreSQL writes arrays; a kind is a name. */
static void write_wishes(const struct claim_wish *wishes, size_t n, char *kinds, char *rooms, size_t size)
{
	exact_must(kinds, size, "{");
	exact_must(rooms, size, "{");
	for (size_t i = 0; i < n; i++) {
		size_t k = strlen(kinds), m = strlen(rooms);

		exact_must(kinds + k, size - k, "%s%s", i ? "," : "", wishes[i].kind);
		exact_must(rooms + m, size - m, "%s%lld", i ? "," : "", (long long)wishes[i].room);
	}
	exact_must(kinds + strlen(kinds), size - strlen(kinds), "}");
	exact_must(rooms + strlen(rooms), size - strlen(rooms), "}");
}

static size_t wish_of(const struct claim_wish *wishes, const char *kind)
{
	size_t i = 0;

	while (strcmp(wishes[i].kind, kind) != 0)
		i++;
	return i;
}

int claim_jobs(struct db *db, const struct claim_wish *wishes, size_t n, int64_t lease_ms, int64_t deadline, struct claim *claims,
	size_t *ret_count)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	char kinds[MOST_WISHES * 66 + 2], rooms[sizeof(kinds)];
	int64_t lease_end = loop_now() + lease_ms, promoted = 0;
	size_t count = 0;
	int r;

	assert(n <= MOST_WISHES);
	write_wishes(wishes, n, kinds, rooms, sizeof(kinds));
	r = db_query(db, DB_ROLE("stead_claimer"), deadline, &res,
		"WITH RECURSIVE " PROMOTE ", " LINES ", " NEXT ", "
		"claimed AS (UPDATE jobs.jobs j SET " CLAIM_SET ", failures = j.failures + next.vanished::integer "
		"FROM next WHERE j.id = next.id RETURNING j.id, j.user_id, j.attempt, j.kind, next.vanished) "
		"SELECT c.*, (SELECT count(*) FROM promoted) AS promoted FROM (SELECT (SELECT count(*) FROM served)) s "
		"LEFT JOIN claimed c ON true",
		DB_INT(lease_ms), DB_TEXT(kinds), DB_TEXT(rooms));
	if (r < 0)
		return r;
	while (db_next(res)) { /* there is a row in any case */
		promoted = row_int(res, "promoted");
		if (!row_null(res, "id"))
			claims[count++] = (struct claim){ .id = row_int(res, "id"), .user = row_int(res, "user_id"),
				.token = row_int(res, "attempt"), .wish = wish_of(wishes, row_words(res, "kind")),
				.vanished = row_bool(res, "vanished"), .lease_end = lease_end };
	}
	*ret_count = count;
	return count ? 0 : promoted ? -EAGAIN : -ENOENT;
}

int claim_others_wait(struct db *db, const char *kind, int64_t deadline, bool *ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(db, DB_ROLE("stead_claimer"), deadline, &res,
		"SELECT EXISTS (SELECT FROM jobs.jobs WHERE state = 'queued' AND kind = $1) OR "
		"EXISTS (SELECT FROM jobs.jobs WHERE state = 'scheduled' AND kind = $1 AND due_at <= now()) OR "
		"EXISTS (SELECT FROM jobs.jobs WHERE state = 'running' AND kind = $1 AND lease_until <= now()) AS wait", DB_TEXT(kind));

	if (r < 0)
		return r;
	*ret = db_next(res) && row_bool(res, "wait");
	return 0;
}

int claim_next_due(struct db *db, int64_t deadline, int64_t *ret_ms)
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
