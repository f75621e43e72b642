/* How botd is, for steadctl. Answers also when nothing else works. */
#include <errno.h>

#include "botd/state.h"
#include "botd/handlers.h"
#include "common/cleanup.h"
#include "common/daemon.h"
#include "common/loop.h"

#define COUNT_MS 1500

/* Found by two indexes, however many have ended. */
#define OPEN_JOBS                                                                                  \
	"(SELECT id, state FROM jobs.jobs WHERE state IN ('scheduled', 'behind', 'queued', 'waiting') " \
	"UNION ALL SELECT id, state FROM jobs.jobs WHERE state = 'running') j"

static int status_count(struct call *call, struct botd_status_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(botd_of(call)->db, DB_ROLE("stead_operator"), deadline_in(COUNT_MS), &res,
		"SELECT count(*) FILTER (WHERE state NOT IN ('running', 'waiting') AND NOT sent) AS queued, "
		"count(*) FILTER (WHERE state = 'running' AND NOT sent) AS running, "
		"count(*) FILTER (WHERE state <> 'waiting' AND sent) AS sent, "
		"count(*) FILTER (WHERE state = 'waiting') AS waiting FROM "
		"(SELECT j.state, b.intent_at IS NOT NULL AND NOT b.again AS sent FROM " OPEN_JOBS
		" JOIN jobs.bookings b ON b.id = j.id) x");

	if (r < 0)
		return r;
	if (!db_next(res)) /* an aggregate has a row */
		return -EIO;
	result->queued = row_int(res, "queued");
	result->running = row_int(res, "running");
	result->sent = row_int(res, "sent");
	result->needs_sign_in = row_int(res, "waiting");
	return 0;
}

int botd_status(struct call *call, const struct botd_status_params *, struct botd_status_result *result)
{
	const struct recipe_set *set = botd_of(call)->recipes;
	int r;

	result->version = STEAD_VERSION;
	result->up_ms = daemon_up_ms();
	result->recipes = (int64_t)set->count;
	result->recipe_trouble = arena_strdup(call->arena, set->troubles[0]);
	r = status_count(call, result);
	result->database = r == 0;
	if (r < 0)
		result->database_trouble = arena_strdup(call->arena, db_error(botd_of(call)->db)->text);
	return 0;
}
