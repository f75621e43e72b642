/*
 * Leases: one user of a session at a time, so that no two refresh it at once. The token, which only
 * grows, fences a holder that slept through its lease: its save comes too late and is refused
 * (store.c).
 */
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "sessiond/handlers.h"
#include "sessiond/sessiond.h"

/* clock_timestamp(), not now(): the statement may have waited for the row. */
#define TAKE_LEASE                                                                                 \
	"UPDATE vault.sessions SET lease_token = lease_token + "                                   \
	"CASE WHEN lease_holder = $3 AND lease_until > clock_timestamp() THEN 0 ELSE 1 END, "      \
	"lease_holder = $3, lease_until = clock_timestamp() + $4 * interval '1 ms' "               \
	"WHERE user_id = $1 AND site = $2 AND kind = 'background' "                                \
	"AND (lease_holder IS NULL OR lease_holder = $3 OR lease_until <= clock_timestamp()) "     \
	"RETURNING lease_token, version"

/* Says why the lease was not to be had. */
static int refuse_lease(struct call *call, const char *site)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(sessiond_db(call->daemon), DB_USER(call->acting.user),
		sessiond_deadline(call), &res,
		"SELECT lease_until FROM vault.sessions "
		"WHERE user_id = $1 AND site = $2 AND kind = 'background'",
		DB_INT(call->acting.user), DB_TEXT(site));
	int64_t left;

	if (r < 0)
		return r;
	if (db_rows(res) == 0)
		return call_refuse(call, ERR_needs_sign_in, "site",
			"There is no session for %s yet; sign in to the site on the dashboard.",
			site);
	left = db_null(res, 0, 0) ? 0 : db_time(res, 0, 0) - wall_now();
	return call_refuse(call, ERR_busy, "site",
		"Another job is using the session for %s; try again in %" PRId64
		" s at the latest.",
		site, left > 0 ? left / 1000 + 1 : 1);
}

int session_lease(struct call *call, const struct session_lease_params *params,
	struct session_lease_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_query(sessiond_db(call->daemon), DB_USER(call->acting.user),
		sessiond_deadline(call), &res, TAKE_LEASE, DB_INT(call->acting.user),
		DB_TEXT(params->site), DB_TEXT(params->holder), DB_INT(params->ms));

	if (r < 0)
		return r;
	if (db_rows(res) == 0)
		return refuse_lease(call, params->site);
	result->token = db_int(res, 0, "lease_token");
	result->version = db_int(res, 0, "version");
	return 0;
}

/* Giving back what one no longer holds is no mistake: it had run out. */
int session_release(struct call *call, const struct session_release_params *params,
	struct session_release_result *result)
{
	(void)result;
	return db_query(sessiond_db(call->daemon), DB_USER(call->acting.user),
		sessiond_deadline(call), NULL,
		"UPDATE vault.sessions SET lease_holder = NULL, lease_until = NULL "
		"WHERE user_id = $1 AND site = $2 AND kind = 'background' AND lease_token = $3",
		DB_INT(call->acting.user), DB_TEXT(params->site), DB_INT(params->token));
}
