/* How a session fares, as those who use it say. */
#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "sessiond/handlers.h"
#include "sessiond/name.h"
#include "sessiond/sessiond.h"
#include "sessiond/settle.h"

/* Every health but "working" has a reason, because a person reads it. */
static const char *reason_of(const struct session_report_params *p)
{
	if (strcmp(p->health, "working") == 0)
		return NULL;
	if (p->reason)
		return p->reason;
	if (strcmp(p->health, "needs_sign_in") == 0)
		return "The site asks for the person again.";
	if (strcmp(p->health, "not_portable") == 0)
		return "The site ties its sign-in to one browser.";
	if (strcmp(p->health, "site_down") == 0)
		return "The site itself does not work just now.";
	if (strcmp(p->health, "wrong_account") == 0)
		return "The site shows another account.";
	return "It could not be told whether the session still works.";
}

/*
 * The row's lock makes two equal reports one change. An end is written down with what is known of how long the sign-in lived;
 * a sign-in ends once.
 */
#define KEPT                                                                                        \
	"WITH old AS (SELECT id, health, signed_in_at, proved_at FROM vault.sessions "              \
	"WHERE " NAMED " AND (version = $5 OR newest_version = $5) FOR UPDATE)"
#define END_WRITTEN                                                                                 \
	", gone AS (DELETE FROM vault.ends e USING old WHERE e.session_id = old.id AND e.ended_at < now() - interval '1 year')" \
	", ended AS (INSERT INTO vault.ends (session_id, user_id, signed_in_at, alive_at, ended_at) " \
	"SELECT id, $1, signed_in_at, GREATEST(proved_at, signed_in_at), GREATEST(now(), proved_at, signed_in_at) FROM old " \
	"WHERE $6 = 'needs_sign_in' AND health <> 'needs_sign_in' AND signed_in_at IS NOT NULL "    \
	"ON CONFLICT DO NOTHING) "
#define CHANGED "FROM old WHERE s.id = old.id RETURNING s.id, s.site, old.health AS was, old.health <> s.health AS changed"
#define SHOWN "UPDATE vault.sessions s SET health = $6, reason = $7, proved_at = GREATEST(s.proved_at, $8::timestamptz)"
#define REPORT KEPT END_WRITTEN SHOWN " " CHANGED

static int check_report(struct call *call, const struct session_report_params *p, const struct session_name *name)
{
	if (p->settles && !p->proved_at_ms)
		return call_refuse(call, ERR_invalid, "proved_at_ms", "What settles which state stays is a proof; say when it was.");
	return name_check(call, name);
}

int session_report(struct call *call, const struct session_report_params *params,
	struct session_report_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	const struct session_name name = NAME_OF(params);
	int r = check_report(call, params, &name);

	if (r == 0 && params->settles)
		return settle(call, params, reason_of(params), result);
	if (r == 0)
		r = db_query(sessiond_of(call)->db, DB_USER(call->acting.user), sessiond_deadline(call), &res, REPORT,
			NAME_ARGS(call, &name), DB_INT(params->version), DB_TEXT(params->health), DB_TEXT(reason_of(params)),
			params->proved_at_ms ? DB_TIME(params->proved_at_ms) : DB_NULL);
	if (r < 0)
		return r;
	if (!db_next(res))
		return 0; /* deleted, or something newer was proved: nobody asks any more */
	result->changed = row_bool(res, "changed");
	if (result->changed)
		log_notice("session %" PRId64 " (%s) was %s and is %s", row_int(res, "id"),
			row_words(res, "site"), row_words(res, "was"), params->health);
	return 0;
}
