#include "db/conninfo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/must.h"
#include "common/words.h"
#include "db/db.h"

/*
 * Settings of the session. A vanished client's statement ends within two seconds (the deadline's
 * last resort: we close the connection), and a transaction that its process forgot, stopped in a
 * debugger say, lets go of its locks after a minute.
 */
#define SESSION                                                                                    \
	"-c timezone=UTC -c datestyle=ISO -c client_connection_check_interval=2000 "               \
	"-c idle_in_transaction_session_timeout=60000 -c statement_timeout=0"

struct conninfo {
	char *database, *options, *application_name;
};

const char *conninfo_value(const PQconninfoOption *options, const char *keyword)
{
	for (const PQconninfoOption *o = options; o->keyword; o++)
		if (strcmp(o->keyword, keyword) == 0 && o->val && *o->val)
			return o->val;
	return NULL;
}

int conninfo_new(const struct db_config *config, struct conninfo **ret)
{
	PQconninfoOption *parsed = PQconninfoParse(config->conninfo, NULL);
	struct conninfo *info;

	if (!parsed)
		return -EINVAL;
	info = must(calloc(1, sizeof(*info)));
	info->database = must(strdup(config->conninfo));
	info->options = exact_new("%s %s", SESSION, conninfo_value(parsed, "options") ?: "");
	info->application_name = must(strdup(config->application_name ?: ""));
	PQconninfoFree(parsed);
	*ret = info;
	return 0;
}

struct conninfo *conninfo_free(struct conninfo *info)
{
	if (!info)
		return NULL;
	free(info->database);
	free(info->options);
	free(info->application_name);
	free(info);
	return NULL;
}

/*
 * libpq takes the last of several, so the connection string (dbname) may say otherwise than what stands before it, and not than
 * what stands behind it. Over TCP, a server that vanished is noticed within a minute.
 */
PGconn *conninfo_connect(const struct conninfo *info)
{
	const char *const keywords[] = { "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "dbname",
		"options", "application_name", "client_encoding", NULL };
	const char *const values[] = { "30", "10", "3", "30000", info->database, info->options, info->application_name, "UTF8", NULL };

	return must(PQconnectStartParams(keywords, values, 1));
}
