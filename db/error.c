#include "db/error.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include <libpq-fe.h>

#include "common/words.h"

/* The first prefix that fits decides, so a class stands behind its members. */
static const struct {
	const char *prefix;
	int code;
} codes[] = {
	{ "08", -ENOTCONN },    /* connection exception */
	{ "21", -EINVAL },      /* cardinality violation */
	{ "22", -EINVAL },      /* data exception */
	{ "23505", -EEXIST },   /* unique_violation */
	{ "23P01", -EEXIST },   /* exclusion_violation */
	{ "23503", -ENOENT },   /* foreign_key_violation */
	{ "23001", -ENOENT },   /* restrict_violation */
	{ "23", -EINVAL },      /* check_violation, not_null_violation */
	{ "25006", -EROFS },    /* read_only_sql_transaction */
	{ "25P03", -ENOTCONN }, /* idle_in_transaction_session_timeout: it ended the connection */
	{ "26000", -EDEADLK },   /* a pooler in between reset the session, statement and all */
	{ "40", -EDEADLK },      /* serialization_failure, deadlock_detected */
	{ "42501", -EACCES },    /* insufficient_privilege, row-level security too */
	{ "44000", -EACCES },    /* with_check_option_violation */
	{ "53100", -ENOSPC },    /* disk_full */
	{ "53300", -EBUSY },     /* too_many_connections */
	{ "55P03", -ETIMEDOUT }, /* lock_not_available */
	{ "57014", -ETIMEDOUT }, /* query_canceled: by statement_timeout */
	{ "57P", -ENOTCONN },    /* shutdown, crash, starting up */
};

bool db_may_pass(int code)
{
	return code == -ENOTCONN || code == -EINPROGRESS || code == -EBUSY || code == -EDEADLK || code == -ETIMEDOUT;
}

int db_error_code(const char *sqlstate)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strncmp(sqlstate, codes[i].prefix, strlen(codes[i].prefix)) == 0)
			return codes[i].code;
	return -EIO;
}

void db_error_set(struct db_error *e, int code, const char *format, ...)
{
	va_list args;
	size_t n;

	*e = (struct db_error){ .code = code };
	va_start(args, format);
	n = words_set_v(e->text, sizeof(e->text), format, args);
	va_end(args);
	while (n > 0 && e->text[n - 1] == ' ') /* of libpq's messages, which end with a line */
		e->text[--n] = '\0';
}

static const char *error_field(const PGresult *res, int code)
{
	return PQresultErrorField(res, code) ?: "";
}

void db_error_from_result(struct db_error *e, const PGresult *res)
{
	const char *sqlstate = error_field(res, PG_DIAG_SQLSTATE);

	if (!*sqlstate) { /* libpq's own words: the connection broke */
		db_error_set(e, -ENOTCONN, "%s", PQresultErrorMessage(res));
		return;
	}
	db_error_set(e, db_error_code(sqlstate), "%s (SQLSTATE %s)",
		error_field(res, PG_DIAG_MESSAGE_PRIMARY), sqlstate);
	exact_set(e->sqlstate, sizeof(e->sqlstate), "%s", sqlstate);
	exact_set(e->constraint, sizeof(e->constraint), "%s", error_field(res, PG_DIAG_CONSTRAINT_NAME));
}
