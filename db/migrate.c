#include "db/migrate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "common/cleanup.h"
#include "common/words.h"

#define LOCK "6004514685761745220" /* "STEAD-MD" as a number: any, but always this one */

/* CREATE SCHEMA IF NOT EXISTS wants the right to create even when it exists. */
#define TABLE                                                                                      \
	"DO $$ BEGIN IF to_regnamespace('stead_migrations') IS NULL THEN "                         \
	"CREATE SCHEMA stead_migrations; END IF; END $$; "                                         \
	"CREATE TABLE IF NOT EXISTS stead_migrations.applied ("                                    \
	"schema text NOT NULL, number int NOT NULL CHECK (number > 0), name text NOT NULL, "       \
	"sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(), "                    \
	"PRIMARY KEY (schema, number))"

#define APPLIED                                                                                    \
	"SELECT number, name, sha256, to_char(applied_at AT TIME ZONE 'UTC', "                     \
	"'YYYY-MM-DD HH24:MI:SS') FROM stead_migrations.applied WHERE schema = $1 ORDER BY number"

/* One run. */
struct run {
	const struct migrate_job *job;
	struct migrations *migrations;
	PGconn *pg;
	unsigned applied; /* the number of the last one that is */
	struct sentence *why;
};

static void clearp(PGresult **res)
{
	PQclear(*res);
}

static bool succeeded(const PGresult *res)
{
	return PQresultStatus(res) == PGRES_COMMAND_OK || PQresultStatus(res) == PGRES_TUPLES_OK;
}

static const char *migrate_field(const PGresult *res, int code)
{
	return PQresultErrorField(res, code) ?: "";
}

/* libpq ends its messages with a line's end. */
static int connection_failed(struct run *run, const char *what)
{
	char message[512];

	words_set(message, sizeof(message), "%s", PQerrorMessage(run->pg));
	return sentence_set(run->why, -ENOTCONN,
		"%s: %s. Check that PostgreSQL runs and that --database, or the variable DATABASE, is right, "
		"then run this again.",
		what, message);
}

static int migrate_failed(struct run *run, const PGresult *res, const char *doing)
{
	const char *hint = migrate_field(res, PG_DIAG_MESSAGE_HINT),
		   *detail = migrate_field(res, PG_DIAG_MESSAGE_DETAIL);

	if (PQstatus(run->pg) != CONNECTION_OK)
		return connection_failed(run, "The connection to the database was lost");
	return sentence_set(run->why, -EINVAL, "%s: %s%s%s%s%s (SQLSTATE %s).%s", doing,
		migrate_field(res, PG_DIAG_MESSAGE_PRIMARY), *detail ? "; " : "", detail, *hint ? "; " : "",
		hint, migrate_field(res, PG_DIAG_SQLSTATE),
		PQtransactionStatus(run->pg) == PQTRANS_INERROR
			? " Nothing of it remains; mend it and run this again."
			: "");
}

/* Runs one statement of our own; the result is the caller's when ret is not NULL. */
static int query(struct run *run, const char *doing, PGresult **ret, const char *sql, int n,
	const char *const *values)
{
	CLEANUP(clearp)
	PGresult *res = n ? PQexecParams(run->pg, sql, n, NULL, values, NULL, NULL, 0)
			  : PQexec(run->pg, sql);

	if (!succeeded(res))
		return migrate_failed(run, res, doing);
	if (ret)
		*ret = TAKE(res);
	return 0;
}

static bool is_true(const PGresult *res)
{
	return PQntuples(res) > 0 && strcmp(PQgetvalue(res, 0, 0), "t") == 0;
}

static int migrate_ask(struct run *run, const char *doing, const char *sql, const char *value, bool *ret)
{
	CLEANUP(clearp) PGresult *res = NULL;
	int r = query(run, doing, &res, sql, 1, &value);

	if (r == 0)
		*ret = is_true(res);
	return r;
}

/* Getting ready */

static bool schema_name_valid(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return n > 0 && n < 64 && !name[n] && strcmp(name, "stead_migrations") != 0;
}

static int connect_database(struct run *run)
{
	const char *keywords[] = { "dbname", "application_name", "client_encoding",
		"fallback_application_name", NULL };
	const char *values[] = { run->job->database, "stead-migrate", "UTF8", NULL, NULL };

	run->pg = PQconnectdbParams(keywords, values, 1);
	if (PQstatus(run->pg) != CONNECTION_OK)
		return connection_failed(run, "The database cannot be reached");
	return query(run, "Setting the session up", NULL,
		"SET client_min_messages = warning; SET lock_timeout = '60s'; SET "
		"statement_timeout = 0",
		0, NULL);
}

static int check_schema(struct run *run)
{
	bool exists = false;
	int r = migrate_ask(run, "Looking for the schema", "SELECT to_regnamespace($1) IS NOT NULL",
		run->job->schema, &exists);

	if (r == 0 && !exists)
		return sentence_set(run->why, -ENOENT,
			"The database \"%s\" has no schema \"%s\". Run db/roles.sql in "
			"it as a superuser first.",
			PQdb(run->pg), run->job->schema);
	return r;
}

static int lock(struct run *run)
{
	CLEANUP(clearp) PGresult *res = NULL;
	int r = query(
		run, "Taking the lock", &res, "SELECT pg_try_advisory_lock(" LOCK ")", 0, NULL);

	if (r < 0 || is_true(res))
		return r;
	fprintf(run->job->out,
		"Another stead-migrate is at work in this database; waiting up to 60 s for it.\n");
	fflush(run->job->out);
	if (query(run, "Waiting for the lock", NULL, "SELECT pg_advisory_lock(" LOCK ")", 0, NULL) <
		0)
		return sentence_set(run->why, -ENOTCONN,
			"Another stead-migrate has been at work in the database \"%s\" "
			"for a minute. See what it waits for (pg_stat_activity), then run this "
			"again.",
			PQdb(run->pg));
	return 0;
}

/* History */

static int migrate_check_one(struct run *run, unsigned number, const char *name, const char *sha256)
{
	const struct migrations *m = run->migrations;

	if (number != run->applied + 1)
		return sentence_set(run->why, -EINVAL,
			"stead_migrations.applied records %04u but not %04u for schema "
			"\"%s\". Somebody changed it by hand: put the row back.",
			number, run->applied + 1, run->job->schema);
	if (number > m->n)
		return sentence_set(run->why, -EINVAL,
			"Migration %04u \"%s\" is applied, but %s ends at %04u: this "
			"program is older than the database. Install the newer one, or go back "
			"with it first.",
			number, name, run->job->dir, m->n);
	if (strcmp(m->all[number - 1].name, name) != 0 ||
		strcmp(m->all[number - 1].sha256, sha256) != 0)
		return sentence_set(run->why, -EINVAL,
			"%s is not what was applied as %04u \"%s\" (sha256 %s, now "
			"%s). Put the file back as it was, and write what should change as a "
			"new migration.",
			m->all[number - 1].up_path, number, name, BRIEF(12, sha256),
			BRIEF(12, m->all[number - 1].sha256));
	run->applied = number;
	return 0;
}

static int check_history(struct run *run, PGresult **ret)
{
	CLEANUP(clearp) PGresult *res = NULL;
	bool table = false;
	int r = migrate_ask(run, "Looking for earlier migrations", "SELECT to_regclass($1) IS NOT NULL",
		"stead_migrations.applied", &table);

	if (r == 0 && table)
		r = query(run, "Reading stead_migrations.applied", &res, APPLIED, 1,
			&run->job->schema);
	for (int i = 0; r == 0 && res && i < PQntuples(res); i++)
		r = migrate_check_one(run, (unsigned)strtoul(PQgetvalue(res, i, 0), NULL, 10),
			PQgetvalue(res, i, 1), PQgetvalue(res, i, 2));
	if (r == 0)
		*ret = TAKE(res);
	return r;
}

/* Running one */

/* A failure in the file itself: with the line where the server says it is. */
static int file_failed(struct run *run, const PGresult *res, const char *path, const char *text)
{
	unsigned long position = strtoul(migrate_field(res, PG_DIAG_STATEMENT_POSITION), NULL, 10);
	char where[512];

	if (position)
		words_set(where, sizeof(where), "%s:%u", path, migration_line(text, position));
	else
		words_set(where, sizeof(where), "%s", path);
	return migrate_failed(run, res, where);
}

static int run_file(struct run *run, const char *path, const char *text)
{
	CLEANUP(clearp) PGresult *res = PQexec(run->pg, text);

	if (!succeeded(res))
		return file_failed(run, res, path, text);
	if (PQtransactionStatus(run->pg) != PQTRANS_INTRANS)
		return sentence_set(run->why, -EINVAL,
			"%s ended its transaction by itself, so part of it may stand "
			"unrecorded. Look at the schema, and take the COMMIT or ROLLBACK out.",
			path);
	return 0;
}

static int migrate_record(struct run *run, const struct migration *m, bool up)
{
	char number[16];
	const char *values[] = { run->job->schema, number, m->name, m->sha256 };

	exact_must(number, sizeof(number), "%u", m->number);
	if (up)
		return query(run, "Recording the migration", NULL,
			"INSERT INTO stead_migrations.applied "
			"(schema, number, name, sha256) VALUES ($1, $2, $3, $4)",
			4, values);
	return query(run, "Recording the way back", NULL,
		"DELETE FROM stead_migrations.applied "
		"WHERE schema = $1 AND number = $2",
		2, values);
}

static int in_transaction(struct run *run, const struct migration *m, bool up)
{
	int r = query(run, "BEGIN", NULL, "BEGIN", 0, NULL);

	if (r == 0)
		r = query(run, "Setting the transaction up", NULL,
			"SELECT set_config('search_path', $1, true), "
			"set_config('row_security', 'off', true)",
			1, &run->job->schema);
	if (r == 0)
		r = run_file(run, up ? m->up_path : m->down_path, up ? m->up : m->down);
	if (r == 0)
		r = query(run, "Setting the transaction up", NULL, "SET LOCAL row_security = on", 0,
			NULL);
	if (r == 0)
		r = migrate_record(run, m, up);
	if (r == 0)
		r = query(run, "COMMIT", NULL, "COMMIT", 0, NULL);
	return r;
}

static int run_one(struct run *run, const struct migration *m, bool up)
{
	int r;

	if (run->job->dry_run) {
		fprintf(run->job->out, "-- would run %s:\n%s\n", up ? m->up_path : m->down_path,
			up ? m->up : m->down);
		return 0;
	}
	r = in_transaction(run, m, up);
	if (r == 0)
		fprintf(run->job->out, "%s: %s %04u %s\n", run->job->schema,
			up ? "applied" : "took back", m->number, m->name);
	return r;
}

/* The three actions */

static int go_up(struct run *run)
{
	unsigned n = run->migrations->n, to = run->job->to < 0 ? n : (unsigned)run->job->to;
	int r = 0;

	if (to > n)
		return sentence_set(run->why, -EINVAL,
			"There is no migration %04u to go up to: %s ends at %04u.", to,
			run->job->dir, n);
	if (to < run->applied)
		return sentence_set(run->why, -EINVAL,
			"Schema \"%s\" is at %04u already, beyond %04u. Use \"down --to "
			"%u\" to go back.",
			run->job->schema, run->applied, to, to);
	if (to == run->applied)
		fprintf(run->job->out, "%s: nothing to do, at %04u\n", run->job->schema, to);
	for (unsigned i = run->applied; r == 0 && i < to; i++)
		r = run_one(run, &run->migrations->all[i], true);
	return r;
}

static int go_down(struct run *run)
{
	unsigned to = (unsigned)run->job->to;
	int r = 0;

	if (to > run->applied)
		return sentence_set(run->why, -EINVAL,
			"Schema \"%s\" is at %04u, which is not above %04u. Use \"up --to "
			"%u\".",
			run->job->schema, run->applied, to, to);
	if (to == run->applied)
		fprintf(run->job->out, "%s: nothing to do, at %04u\n", run->job->schema, to);
	for (unsigned i = run->applied; r == 0 && i > to; i--)
		r = run_one(run, &run->migrations->all[i - 1], false);
	return r;
}

static int migrate_show(struct run *run, const PGresult *applied)
{
	const struct migrations *m = run->migrations;

	fprintf(run->job->out, "%s: %u of %u applied\n", run->job->schema, run->applied, m->n);
	for (unsigned i = 0; i < m->n; i++)
		fprintf(run->job->out, "  %04u %-32s %s%s\n", m->all[i].number, m->all[i].name,
			i < run->applied ? PQgetvalue(applied, (int)i, 3) : "to be applied",
			i < run->applied ? " UTC" : "");
	return run->applied < m->n ? 1 : 0;
}

/* Only what changes something takes the lock and makes the table. */
static int migrate_prepare(struct run *run)
{
	int r = check_schema(run);

	if (r < 0 || run->job->action == MIGRATE_STATUS || run->job->dry_run)
		return r;
	r = lock(run);
	if (r == 0)
		r = query(run,
			"Making the table stead_migrations.applied (db/roles.sql lets "
			"stead_migrate do that)",
			NULL, TABLE, 0, NULL);
	return r;
}

static int migrate_act(struct run *run)
{
	CLEANUP(clearp) PGresult *applied = NULL;
	int r = migrate_prepare(run);

	if (r == 0)
		r = check_history(run, &applied);
	if (r < 0)
		return r;
	switch (run->job->action) {
	case MIGRATE_STATUS: return migrate_show(run, applied);
	case MIGRATE_UP: return go_up(run);
	case MIGRATE_DOWN: return go_down(run);
	}
	return -EINVAL;
}

int migrate(const struct migrate_job *job, struct sentence *why)
{
	struct run run = { .job = job, .why = why };
	int r;

	if (!schema_name_valid(job->schema))
		return sentence_set(why, -EINVAL,
			"\"%s\" is no name for a schema here: lower-case letters, digits and "
			"underscores.",
			job->schema);
	r = migrations_load(job->dir, &run.migrations, why);
	if (r == 0)
		r = connect_database(&run);
	if (r == 0)
		r = migrate_act(&run);
	PQfinish(run.pg); /* an open transaction ends with it, and so does the lock */
	migrations_free(run.migrations);
	return r;
}
