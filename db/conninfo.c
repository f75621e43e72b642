#include "db/conninfo.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "common/must.h"
#include "common/words.h"
#include "db/db.h"

#define KEYWORDS_MAX 64 /* libpq 15 has 41 */

/*
 * Settings of the session. A vanished client's statement ends within two seconds (the deadline's
 * last resort: we close the connection), and a transaction that its process forgot, stopped in a
 * debugger say, lets go of its locks after a minute.
 */
#define SESSION                                                                                    \
	"-c timezone=UTC -c datestyle=ISO -c client_connection_check_interval=2000 "               \
	"-c idle_in_transaction_session_timeout=60000"

struct conninfo {
	PQconninfoOption *parsed;
	char *options, *application_name;
	struct conn_target target;
	const char *keywords[KEYWORDS_MAX + 1], *values[KEYWORDS_MAX + 1];
	int n;
};

static void conninfo_set(struct conninfo *info, const char *keyword, const char *value)
{
	if (!value || info->n == KEYWORDS_MAX)
		return;
	info->keywords[info->n] = keyword;
	info->values[info->n++] = value;
}

static const char *given(const struct conninfo *info, const char *keyword)
{
	for (const PQconninfoOption *o = info->parsed; o->keyword; o++)
		if (strcmp(o->keyword, keyword) == 0)
			return o->val;
	return NULL;
}

static void set_default(struct conninfo *info, const char *keyword, const char *value)
{
	if (!given(info, keyword))
		conninfo_set(info, keyword, value);
}

static char *session_options(const struct conninfo *info, int64_t statement_timeout_ms)
{
	const char *theirs = given(info, "options") ?: "";

	return exact_new("%s -c statement_timeout=%" PRId64 " %s", SESSION, statement_timeout_ms, theirs);
}

static void conninfo_fill(struct conninfo *info, const struct db_config *config)
{
	info->options = session_options(info, config->statement_timeout_ms);
	info->application_name = config->application_name ? strdup(config->application_name) : NULL;
	for (const PQconninfoOption *o = info->parsed; o->keyword; o++)
		conninfo_set(info, o->keyword, o->val);
	/* libpq takes the last of several */
	conninfo_set(info, "options", info->options);
	conninfo_set(info, "application_name", info->application_name);
	conninfo_set(info, "client_encoding", "UTF8");
	/* over TCP, a server that vanished is noticed within a minute */
	set_default(info, "keepalives_idle", "30");
	set_default(info, "keepalives_interval", "10");
	set_default(info, "keepalives_count", "3");
	set_default(info, "tcp_user_timeout", "30000");
	info->target = (struct conn_target){ info->keywords, info->values };
}

int conninfo_new(const struct db_config *config, struct conninfo **ret)
{
	PQconninfoOption *parsed = PQconninfoParse(config->conninfo, NULL);
	struct conninfo *info;

	if (!parsed)
		return -EINVAL;
	info = must(calloc(1, sizeof(*info)));
	info->parsed = parsed;
	conninfo_fill(info, config);
	*ret = info;
	return 0;
}

struct conninfo *conninfo_free(struct conninfo *info)
{
	if (!info)
		return NULL;
	PQconninfoFree(info->parsed);
	free(info->options);
	free(info->application_name);
	free(info);
	return NULL;
}

const struct conn_target *conninfo_target(const struct conninfo *info)
{
	return &info->target;
}
