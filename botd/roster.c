#include "botd/roster.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "botd/queue.h"
#include "common/cleanup.h"
#include "common/daemon.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "db/db.h"

#define DB_MS       5000
#define SWEEP       500   /* at once: each goes with its log and its picture */
#define GONE_LEASES 30    /* without a beat, until a worker's row goes, too */

/* A number that nobody else has, below what JSON keeps exact (RFC 8259 section 6). */
static int64_t choose_id(void)
{
	uint64_t n = 0;

	arc4random_buf(&n, sizeof(n));
	return (int64_t)(n >> 11) + 1;
}

static const char *own_host(char *host, size_t size)
{
	if (gethostname(host, size) < 0)
		*host = '\0';
	host[size - 1] = '\0';
	return *host ? host : "?";
}

static int roster_beat(struct roster *r)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int64_t asked_at = loop_now();
	char host[65];
	int e = db_query(r->db, DB_SELF, deadline_in(DB_MS), &res,
		"WITH w AS (INSERT INTO jobs.workers (id, host, pid, version) VALUES ($1, $2, $3, $4) "
		"ON CONFLICT (id) DO UPDATE SET beat_at = clock_timestamp()), "
		"l AS (UPDATE jobs.leader SET worker = $1, until = clock_timestamp() + $5 * interval '1 ms' "
		"WHERE worker = $1 OR worker IS NULL OR until < clock_timestamp() RETURNING worker) "
		"SELECT EXISTS (SELECT FROM l) AS leads",
		DB_INT(r->id), DB_TEXT(own_host(host, sizeof(host))), DB_INT(getpid()), DB_TEXT(STEAD_VERSION),
		DB_INT(r->lease_ms));

	if (e == 0 && db_next(res))
		r->lead_end = row_bool(res, "leads") ? asked_at + r->lease_ms : 0;
	return e;
}

static int64_t days_of(const struct roster *r, const struct kind *k)
{
	return k->keep_days ? k->keep_days : r->keep_days;
}

/* What has ended long ago. 0 when there may be more of it, -ENOENT when not. */
static int sweep_kind(struct roster *r, const struct kind *k)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int e = db_query(r->db, DB_ROLE("stead_sweeper"), deadline_in(DB_MS), &res,
		"DELETE FROM jobs.jobs WHERE id = ANY (ARRAY(SELECT id FROM jobs.jobs WHERE kind = $1 AND state IN ('done', 'cancelled') "
		"AND finished_at < now() - $2 * interval '1 day' ORDER BY finished_at LIMIT $3 FOR UPDATE SKIP LOCKED))",
		DB_TEXT(k->name), DB_INT(days_of(r, k)), DB_INT(SWEEP));

	if (e < 0)
		return e;
	return db_changed(res) < SWEEP ? -ENOENT : 0;
}

static int sweep_workers(struct roster *r)
{
	return db_query(r->db, DB_ROLE("stead_sweeper"), deadline_in(DB_MS), NULL,
		"DELETE FROM jobs.workers WHERE beat_at < now() - $1 * interval '1 ms'", DB_INT(r->lease_ms * GONE_LEASES));
}

/* What whoever leads does. */
static int roster_lead(struct roster *r)
{
	int e = sweep_workers(r);

	for (const struct kind *k = r->kinds; k->name && (e == 0 || e == -ENOENT); k++)
		if (days_of(r, k) > 0)
			while ((e = sweep_kind(r, k)) == 0 && loop_now() < r->lead_end)
				;
	return e == -ENOENT ? 0 : e;
}

/* Says once that it fails, and once that it works again. A database that is away is told of elsewhere. */
static void roster_note(struct roster *r, int e)
{
	if (e == -ENOTCONN || e == -ECANCELED || (e < 0) == r->fails)
		return;
	r->fails = e < 0;
	if (r->fails)
		log_error("this worker cannot say that it is there, or cannot remove what is old: %s", db_error(r->db)->text);
	else
		log_notice("this worker says again that it is there");
}

static void roster_run(void *arg)
{
	struct roster *r = arg;

	while (!r->stopping) {
		int e = roster_beat(r);

		if (e == 0 && loop_now() < r->lead_end)
			e = roster_lead(r);
		roster_note(r, e);
		latch_wait(&r->stopped, deadline_in(r->lease_ms / 3));
	}
	db_query(r->db, DB_SELF, deadline_in(DB_MS), NULL,
		"WITH w AS (DELETE FROM jobs.workers WHERE id = $1) UPDATE jobs.leader SET worker = NULL WHERE worker = $1", DB_INT(r->id));
}

void roster_start(struct roster *r)
{
	r->id = choose_id();
	fiber_start("roster", roster_run, r, &r->fiber);
}

void roster_stop(struct roster *r)
{
	r->stopping = true;
	latch_wake(&r->stopped, 0);
	fiber_join(&r->fiber);
}
