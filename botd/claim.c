#include "botd/claim.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "common/words.h"

#define MOST_WISHES 16
#define SPARE       "16" /* of candidates, for those that somebody holds */

/*
 * What waits for its time no more lines up. One whose lane somebody else is just changing is left for the next time, for to wait
 * for it would keep all others waiting, too.
 */
static int promote(struct db *db, int64_t deadline)
{
	return db_query(db, DB_ROLE("stead_claimer"), deadline, NULL,
		"UPDATE jobs.jobs SET state = 'queued' WHERE id IN (SELECT id FROM jobs.jobs WHERE state = 'scheduled' AND due_at <= now() "
		"AND (lane IS NULL OR pg_try_advisory_xact_lock(hashtextextended(user_id || ' ' || lane, 0))) "
		"ORDER BY due_at LIMIT 100 FOR UPDATE SKIP LOCKED)");
}

/* The queues in which anything stands, found along jobs_due one after another, and for how many of them there is room. */
#define LINES                                                                                      \
	"wish AS (SELECT * FROM unnest($2::text[], $3::integer[]) AS w (kind, room) WHERE room > 0), " \
	"pair AS ((SELECT queue, kind FROM jobs.jobs WHERE state = 'queued' ORDER BY queue, kind LIMIT 1) UNION ALL " \
	"SELECT n.queue, n.kind FROM pair p CROSS JOIN LATERAL (SELECT queue, kind FROM jobs.jobs WHERE state = 'queued' " \
	"AND (queue, kind) > (p.queue, p.kind) ORDER BY queue, kind LIMIT 1) n), "                 \
	"busy AS MATERIALIZED (SELECT user_id, queue, kind FROM jobs.jobs WHERE state = 'running'), " \
	"line AS (SELECT p.queue, p.kind, s.turn AS served, "                                      \
	"CASE WHEN q.most IS NULL THEN w.room ELSE least(w.room, q.most - (SELECT count(*) FROM busy WHERE queue = p.queue)) END AS room " \
	"FROM pair p JOIN wish w USING (kind) LEFT JOIN jobs.served s USING (queue, kind) "        \
	"LEFT JOIN jobs.queues q ON q.name = p.queue WHERE q.paused IS NOT TRUE)"

/*
 * Those whose lease ran out come first; then, of all lines, whose turn it is, who has fewer under way before who has more. They are
 * ranked before they are locked, so that nothing is locked that is not taken; a few more than wished for, as some may be held.
 */
#define NEXT                                                                                       \
	"lost AS (SELECT x.* FROM wish w CROSS JOIN LATERAL (SELECT j.id, j.user_id, j.queue, j.kind, j.turn, -1::bigint AS rank, " \
	"j.lease_until AS since, true AS vanished FROM jobs.jobs j LEFT JOIN jobs.queues q ON q.name = j.queue " \
	"WHERE j.state = 'running' AND j.kind = w.kind AND j.lease_until <= now() AND q.paused IS NOT TRUE " \
	"ORDER BY j.lease_until LIMIT w.room + " SPARE ") x), "                                    \
	"under AS (SELECT user_id, kind, count(*) AS running FROM busy GROUP BY user_id, kind), "  \
	"due AS (SELECT c.id, c.user_id, l.queue, l.kind, c.turn, c.priority, c.turn - coalesce(l.served, -1) AS ahead, c.queued_at FROM line l " \
	"CROSS JOIN LATERAL (SELECT id, user_id, priority, turn, queued_at FROM jobs.jobs WHERE state = 'queued' AND queue = l.queue " \
	"AND kind = l.kind ORDER BY priority, turn, queued_at LIMIT CASE WHEN l.room > 0 THEN l.room + " SPARE " ELSE 0 END) c), " \
	"fair AS (SELECT d.*, d.ahead + coalesce(u.running, 0) + row_number() OVER (PARTITION BY d.user_id, d.kind " \
	"ORDER BY d.priority, d.ahead, d.queued_at) AS round FROM due d LEFT JOIN under u USING (user_id, kind)), " \
	"ranked AS (SELECT id, queue, kind, turn, rank, since, vanished FROM lost UNION ALL "      \
	"SELECT id, queue, kind, turn, row_number() OVER (PARTITION BY kind ORDER BY priority, round, queued_at), queued_at, false FROM fair), " \
	"first AS (SELECT * FROM (SELECT r.*, w.room, row_number() OVER (PARTITION BY r.kind ORDER BY r.rank, r.since) AS n " \
	"FROM ranked r JOIN wish w USING (kind)) x WHERE n <= room + " SPARE "), "                 \
	"next AS (SELECT x.* FROM wish w CROSS JOIN LATERAL (SELECT f.* FROM first f JOIN jobs.jobs j ON j.id = f.id WHERE f.kind = w.kind " \
	"AND CASE WHEN f.vanished THEN j.state = 'running' AND j.lease_until <= now() ELSE j.state = 'queued' END " \
	"ORDER BY f.n LIMIT w.room FOR UPDATE OF j SKIP LOCKED) x), "                              \
	"served AS (INSERT INTO jobs.served (queue, kind, turn) SELECT queue, kind, max(turn) FROM next WHERE NOT vanished " \
	"GROUP BY queue, kind ORDER BY queue, kind ON CONFLICT (queue, kind) DO UPDATE SET turn = excluded.turn " \
	"WHERE jobs.served.turn < excluded.turn)"

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

/* Those that have a limit are claimed from by one at a time, for what another is just claiming could not be counted. */
static int lock_limited(struct db_tx *tx)
{
	return tx_query(tx, NULL, "SELECT FROM jobs.queues WHERE most IS NOT NULL ORDER BY name FOR UPDATE");
}

static int claim_rows(const struct claimer *c, const char *kinds, const char *rooms, int64_t deadline, struct db_result **ret)
{
	CLEANUP(tx_freep) struct db_tx *tx = NULL;
	int r = db_begin(c->db, DB_ROLE("stead_claimer"), deadline, &tx);

	if (r == 0)
		r = lock_limited(tx);
	if (r < 0)
		return r;
	return db_commit_query(&tx, ret,
		"WITH RECURSIVE " LINES ", " NEXT ", "
		"claimed AS (UPDATE jobs.jobs j SET " CLAIM_SET ", worker = nullif($4, 0), failures = j.failures + next.vanished::integer "
		"FROM next WHERE j.id = next.id RETURNING j.id, j.user_id, j.attempt, j.failures, j.kind, j.cancel, next.vanished) "
		"SELECT c.*, s.seen FROM (SELECT count(*) AS seen FROM first) s LEFT JOIN claimed c ON true",
		DB_INT(c->lease_ms), DB_TEXT(kinds), DB_TEXT(rooms), DB_INT(c->worker));
}

int claim_jobs(const struct claimer *c, const struct claim_wish *wishes, size_t n, int64_t deadline,
	struct claim *claims, size_t *ret_count)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	char kinds[MOST_WISHES * 66 + 2], rooms[sizeof(kinds)];
	int64_t lease_end, seen = 0;
	size_t count = 0;
	int r;

	assert(n <= MOST_WISHES);
	write_wishes(wishes, n, kinds, rooms, sizeof(kinds));
	r = promote(c->db, deadline);
	lease_end = loop_now() + c->lease_ms;
	if (r == 0)
		r = claim_rows(c, kinds, rooms, deadline, &res);
	if (r < 0)
		return r;
	while (db_next(res)) { /* there is a row in any case */
		seen = row_int(res, "seen");
		if (!row_null(res, "id"))
			claims[count++] = (struct claim){ .id = row_int(res, "id"), .user = row_int(res, "user_id"),
				.token = row_int(res, "attempt"), .failures = row_int(res, "failures"),
				.wish = wish_of(wishes, row_words(res, "kind")), .vanished = row_bool(res, "vanished"),
				.unwanted = row_bool(res, "cancel"), .lease_end = lease_end };
	}
	*ret_count = count;
	return count ? 0 : seen ? -EAGAIN : -ENOENT;
}

int claim_others_wait(struct db *db, const char *kind, int64_t deadline, bool *ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(db, DB_ROLE("stead_claimer"), deadline, &res,
		"WITH shut AS (SELECT name FROM jobs.queues q WHERE paused OR most <= (SELECT count(*) FROM jobs.jobs "
		"WHERE state = 'running' AND queue = q.name)) "
		"SELECT EXISTS (SELECT FROM jobs.jobs WHERE state = 'queued' AND kind = $1 AND queue NOT IN (SELECT name FROM shut)) OR "
		"EXISTS (SELECT FROM jobs.jobs WHERE state = 'scheduled' AND kind = $1 AND due_at <= now() "
		"AND queue NOT IN (SELECT name FROM shut)) OR "
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
