/*
 * Leases: one user of a session at a time, so that no two refresh it at once. The token grows whenever
 * another takes the lease, and so fences a holder that slept through its own: its save comes too late and
 * is refused (store.c). No token is given twice, also not where a session was forgotten and another is kept
 * in its place. A lease that lapsed while nobody took it, as when the database is away, is taken up again
 * with the same token: what its holder has is still the newest there is.
 */
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "sessiond/devices.h"
#include "sessiond/handlers.h"
#include "sessiond/name.h"
#include "sessiond/sessiond.h"

/* clock_timestamp(), not now(): the statement may have waited for the row. */
#define LEASE_HAS_ENDED "(lease_holder IS NULL OR lease_until <= clock_timestamp())"

#define TAKE_LEASE                                                                                  \
	"UPDATE vault.sessions SET lease_token = CASE WHEN lease_holder IS DISTINCT FROM $5 "       \
	"THEN nextval('vault.lease_tokens') ELSE lease_token END, "                                 \
	"lease_holder = $5, lease_until = clock_timestamp() + $6 * interval '1 ms', "               \
	USED " WHERE " NAMED " AND (lease_holder = $5 OR " LEASE_HAS_ENDED ") "                           \
	"RETURNING id, lease_token, last_version AS version"

/* Says why the lease was not to be had. */
static int refuse_lease(struct call *call, const struct session_name *name)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(sessiond_of(call)->db, DB_USER(call->acting.user), sessiond_deadline(call), &res,
		"SELECT lease_until FROM vault.sessions WHERE " NAMED, NAME_ARGS(call, name));
	int64_t left;

	if (r < 0)
		return r;
	if (!db_next(res))
		return call_refuse(call, ERR_needs_sign_in, "site",
			"There is no session for %s yet; sign in to the site on the dashboard.", name_shown(call, name));
	left = row_null(res, 0) ? 0 : row_time(res, 0) - wall_now();
	left = left > 0 ? left / 1000 + 1 : 1;
	call_refuse(call, ERR_busy, "site", "Another job is using the session for %s. It goes on by itself, in %" PRId64 " s at the latest.",
		name_shown(call, name), left);
	return call_retry_in(call, left * 1000);
}

int session_lease(struct call *call, const struct session_lease_params *params,
	struct session_lease_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	const struct session_name name = NAME_OF(params);
	int r = name_check(call, &name);

	if (r == 0)
		r = db_query(sessiond_of(call)->db, DB_USER(call->acting.user), sessiond_deadline(call), &res, TAKE_LEASE,
			NAME_ARGS(call, &name), DB_TEXT(params->holder), DB_INT(params->ms));
	if (r < 0)
		return r;
	if (!db_next(res))
		return refuse_lease(call, &name);
	*result = (struct session_lease_result){ .token = row_int(res, "lease_token"),
		.session = row_int(res, "id"),
		.version = row_int(res, "version") };
	return 0;
}

/* Giving back what one no longer holds is no mistake: it had run out. */
int session_release(struct call *call, const struct session_release_params *params,
	struct session_release_result *)
{
	const struct session_name name = NAME_OF(params);
	int r = name_check(call, &name);

	if (r < 0)
		return r;
	return db_query(sessiond_of(call)->db, DB_USER(call->acting.user), sessiond_deadline(call), NULL,
		"UPDATE vault.sessions SET lease_holder = NULL, lease_until = NULL WHERE " NAMED " AND lease_token = $5",
		NAME_ARGS(call, &name), DB_INT(params->token));
}
