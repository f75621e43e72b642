/* How a session fares, as those who use it say. */
#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "sessiond/handlers.h"
#include "sessiond/sessiond.h"

/* Every health but "healthy" has a reason, because a person reads it. */
static const char *reason_of(const struct session_report_params *p)
{
	if (strcmp(p->health, "healthy") == 0)
		return NULL;
	if (p->reason)
		return p->reason;
	if (strcmp(p->health, "needs_sign_in") == 0)
		return "The site asks for the person again.";
	if (strcmp(p->health, "not_portable") == 0)
		return "The site ties its sign-in to one browser.";
	return "It could not be told whether the session still works.";
}

/* The row's lock makes two equal reports one change. */
#define REPORT                                                                                     \
	"WITH old AS (SELECT id, health FROM vault.sessions WHERE user_id = $1 AND site = $2 "     \
	"AND kind = 'background' AND version = $3 FOR UPDATE) "                                    \
	"UPDATE vault.sessions s SET health = $4, reason = $5, "                                   \
	"proved_at = GREATEST(s.proved_at, $6::timestamptz) FROM old WHERE s.id = old.id "         \
	"RETURNING s.id, old.health AS was, old.health <> s.health AS changed"

int session_report(struct call *call, const struct session_report_params *params,
	struct session_report_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_query(sessiond_db(call->daemon), DB_USER(call->acting.user),
		sessiond_deadline(call), &res, REPORT, DB_INT(call->acting.user),
		DB_TEXT(params->site), DB_INT(params->version), DB_TEXT(params->health),
		DB_TEXT(reason_of(params)),
		params->proved_at_ms ? DB_TIME(params->proved_at_ms) : DB_NULL);

	if (r < 0)
		return r;
	if (db_rows(res) == 0)
		return 0; /* deleted, or a newer version was saved: nobody asks any more */
	result->changed = db_bool(res, 0, "changed");
	if (result->changed)
		log_notice("session %" PRId64 " (%s) was %s and is %s", db_int(res, 0, "id"),
			params->site, db_text(res, 0, "was"), params->health);
	return 0;
}
