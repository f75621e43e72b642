/* What an administrator sees of the queues, and does with them. */
#include "botd/audit.h"
#include "botd/handlers.h"
#include "botd/state.h"
#include "common/cleanup.h"

/* What has not ended, found by two indexes, however much has. */
#define OPEN                                                                                       \
	"(SELECT queue, state FROM jobs.jobs WHERE state IN ('scheduled', 'behind', 'queued', 'waiting') UNION ALL " \
	"SELECT queue, state FROM jobs.jobs WHERE state = 'running') j"

/* All queues in which something stands, or of which something has been said; $1: this one alone, unless NULL. */
#define QUEUES                                                                                     \
	"SELECT coalesce(q.name, j.queue) AS name, coalesce(q.paused, false) AS paused, coalesce(q.most, 0)::bigint AS most, " \
	"coalesce(queued, 0) AS queued, coalesce(scheduled, 0) AS scheduled, coalesce(running, 0) AS running, coalesce(waiting, 0) AS waiting " \
	"FROM jobs.queues q FULL JOIN (SELECT queue, count(*) FILTER (WHERE state IN ('queued', 'behind')) AS queued, " \
	"count(*) FILTER (WHERE state = 'scheduled') AS scheduled, count(*) FILTER (WHERE state = 'running') AS running, " \
	"count(*) FILTER (WHERE state = 'waiting') AS waiting FROM " OPEN " GROUP BY queue) j ON j.queue = q.name "

static void queue_read(struct call *call, const struct db_result *row, struct queue_info *ret)
{
	*ret = (struct queue_info){ .name = arena_strdup(call->arena, row_words(row, "name")),
		.paused = row_bool(row, "paused"),
		.most = row_int(row, "most"),
		.queued = row_int(row, "queued"),
		.scheduled = row_int(row, "scheduled"),
		.running = row_int(row, "running"),
		.waiting = row_int(row, "waiting") };
}

int queue_list(struct call *call, const struct queue_list_params *, struct queue_list_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(botd_of(call)->db, DB_ROLE("stead_operator"), botd_deadline(call), &res, QUEUES "ORDER BY 1 LIMIT 500");

	if (r < 0)
		return r;
	result->queues = arena_array(call->arena, (size_t)db_rows(res), sizeof(*result->queues));
	while (db_next(res))
		queue_read(call, res, &result->queues[result->queues_count++]);
	return 0;
}

static int queue_find(struct call *call, const char *name, struct queue_info **ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(botd_of(call)->db, DB_ROLE("stead_operator"), botd_deadline(call), &res,
		QUEUES "WHERE coalesce(q.name, j.queue) = $1", DB_TEXT(name));

	if (r < 0)
		return r;
	*ret = arena_alloc(call->arena, sizeof(**ret));
	if (db_next(res))
		queue_read(call, res, *ret);
	else
		**ret = (struct queue_info){ .name = name };
	return 0;
}

/* A queue is where something stands, or may: a site's name. Another is a slip of whoever typed it, who would believe it paused. */
static int check_name(struct call *call, const char *name)
{
	struct queue_info *q;
	int r;

	if (recipe_find(botd_of(call)->recipes, name))
		return 0;
	r = queue_find(call, name, &q);
	if (r < 0 || q->queued || q->scheduled || q->running || q->waiting || q->paused || q->most)
		return r;
	return call_refuse(call, ERR_not_found, "name", "There is no queue \"%s\": no site is called so, and nothing waits there. "
		"steadctl queue list shows those that there are.", name);
}

/*
 * What is said of a queue. All botd look for work anew, and whoever watches a job there is told; it is written down who said it
 * (of steadctl that has been done).
 */
static int queue_set(struct call *call, const char *name, const char *what, const char *sql, struct db_arg arg,
	struct queue_info **ret)
{
	int r = check_name(call, name);

	if (r == 0 && call->role != ROLE_CONTROL)
		r = botd_audit_admin(call, what);
	if (r == 0)
		r = db_run(botd_of(call)->db, DB_SELF, botd_deadline(call), false, NULL, sql, DB_ARGS(DB_TEXT(name), arg), 2);
	return r < 0 ? r : queue_find(call, name, ret);
}

#define TELL "SELECT pg_notify('jobs_queue', ''), pg_notify('jobs_news', '') FROM q"

#define PAUSE                                                                                      \
	"WITH q AS (INSERT INTO jobs.queues (name, paused) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET paused = excluded.paused " \
	"RETURNING name) " TELL

#define LIMIT                                                                                      \
	"WITH q AS (INSERT INTO jobs.queues (name, most) VALUES ($1, nullif($2, 0)::integer) ON CONFLICT (name) DO UPDATE SET most = excluded.most " \
	"RETURNING name) " TELL

int queue_pause(struct call *call, const struct queue_pause_params *params, struct queue_pause_result *result)
{
	return queue_set(call, params->name, arena_printf(call->arena, "queue_pause name=%s", params->name), PAUSE, DB_BOOL(true), &result->queue);
}

int queue_resume(struct call *call, const struct queue_resume_params *params, struct queue_resume_result *result)
{
	return queue_set(call, params->name, arena_printf(call->arena, "queue_resume name=%s", params->name), PAUSE, DB_BOOL(false), &result->queue);
}

int queue_limit(struct call *call, const struct queue_limit_params *params, struct queue_limit_result *result)
{
	return queue_set(call, params->name, arena_printf(call->arena, "queue_limit name=%s most=%lld", params->name, (long long)params->most),
		LIMIT, DB_INT(params->most), &result->queue);
}
