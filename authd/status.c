#include "authd/state.h"
#include "authd/handlers.h"
#include "common/arena.h"
#include "common/cleanup.h"
#include "common/daemon.h"
#include "common/loop.h"
#include "db/db.h"
#include "proto/call.h"

/* Short, for whoever asks how things are wants to hear it now. */
#define PATIENCE_MS 2000

static int count_logins(struct authd *a, int64_t deadline, int64_t *ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(a->db, DB_SELF, deadline, &res,
		"SELECT count(*) AS n FROM logins WHERE expires_at > now() AND seen_at > now() - $1 * interval '1 second'",
		DB_INT(a->settings->login_idle_s));

	if (r == 0)
		*ret = db_next(res) ? row_int(res, "n") : 0;
	return r;
}

int authd_status(struct call *call, const struct authd_status_params *, struct authd_status_result *result)
{
	struct authd *a = call->daemon;
	int64_t deadline = deadline_min(call->deadline, deadline_in(PATIENCE_MS));
	int r = count_logins(a, deadline, &result->logins);

	result->version = STEAD_VERSION;
	result->up_ms = daemon_up_ms();
	result->database = r == 0;
	if (r < 0)
		result->database_trouble = arena_strdup(call->arena, db_error(a->db)->text);
	return 0;
}
