/* db/migrate.c and db/roles.sql against a real PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "db/db.h"
#include "db/migrate.h"
#include "tests/integration/test_db_cluster.h"

static char dir[96], conninfo[160];
static struct sentence why;
static char output[4096];

static void put(const char *file, const char *text)
{
	char path[192];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(0, fclose(f));
}

static void take_away(const char *file)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	assert_int_equal(0, unlink(path));
}

static int run(enum migrate_action action, int to, bool dry_run)
{
	struct migrate_job job = {
		.database = conninfo,
		.dir = dir,
		.schema = "authd",
		.action = action,
		.to = to,
		.dry_run = dry_run,
	};
	int r;

	memset(output, 0, sizeof(output));
	why.text[0] = '\0';
	job.out = fmemopen(output, sizeof(output) - 1, "w");
	r = migrate(&job, &why);
	fclose(job.out);
	return r;
}

static void assert_says(const char *part)
{
	if (!strstr(why.text, part))
		fail_msg("\"%s\" does not say \"%s\"", why.text, part);
}

static void assert_prints(const char *part)
{
	if (!strstr(output, part))
		fail_msg("\"%s\" does not print \"%s\"", output, part);
}

static int set_up(void **state)
{
	assert_int_equal(0, cluster_set_up(state));
	cluster_file("", "db/roles.sql");
	cluster_file("", "db/roles.sql"); /* again at will */
	snprintf(dir, sizeof(dir), "%s/schema", cluster.dir);
	assert_int_equal(0, mkdir(dir, 0755));
	cluster_conninfo("stead_migrate", "postgres", conninfo, sizeof(conninfo));
	return 0;
}

/* Each test begins with two good migrations, neither applied. */
static int test_set_up(void **state)
{
	char command[160];

	(void)state;
	cluster_sql(&cluster,
		"DROP SCHEMA IF EXISTS authd CASCADE; DROP SCHEMA stead_migrations CASCADE");
	cluster_file("", "db/roles.sql");
	snprintf(command, sizeof(command), "rm -f %s/*", dir);
	assert_int_equal(0, system(command));
	put("0001_users.up.sql", "CREATE TABLE users (id bigint PRIMARY KEY);\nGRANT ALL ON users "
				 "TO stead_authd;\n");
	put("0001_users.down.sql", "DROP TABLE users;\n");
	put("0002_names.up.sql", "ALTER TABLE users ADD COLUMN name text;\n");
	put("0002_names.down.sql", "ALTER TABLE users DROP COLUMN name;\n");
	return 0;
}

static int64_t table_exists(const char *name)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT (to_regclass('%s') IS NOT NULL)::int", name);
	return cluster_sql(&cluster, sql);
}

static int64_t columns(void)
{
	return cluster_sql(&cluster,
		"SELECT count(*) FROM information_schema.columns WHERE table_schema = 'authd'");
}

static int64_t recorded(void)
{
	return cluster_sql(
		&cluster, "SELECT count(*) FROM stead_migrations.applied WHERE schema = 'authd'");
}

static void test_up_down_up(void **state)
{
	(void)state;
	assert_int_equal(1, run(MIGRATE_STATUS, -1, false)); /* before there is even a table */
	assert_prints("0 of 2 applied");
	assert_int_equal(0, run(MIGRATE_UP, 1, false));
	assert_int_equal(1, columns());
	assert_int_equal(0, run(MIGRATE_UP, -1, false));
	assert_prints("authd: applied 0002 names");
	assert_int_equal(2, columns());
	assert_int_equal(2, recorded());
	assert_int_equal(0, run(MIGRATE_STATUS, -1, false));
	assert_prints("2 of 2 applied");
	assert_int_equal(0, run(MIGRATE_UP, -1, false));
	assert_prints("nothing to do");
	assert_int_equal(0, run(MIGRATE_DOWN, 1, false));
	assert_int_equal(1, columns());
	assert_int_equal(0, run(MIGRATE_DOWN, 0, false));
	assert_prints("took back 0001 users");
	assert_int_equal(0, columns());
	assert_int_equal(0, recorded());
	assert_int_equal(0, run(MIGRATE_UP, -1, false));
	assert_int_equal(2, columns());
}

static void test_dry_run(void **state)
{
	(void)state;
	assert_int_equal(0, run(MIGRATE_UP, -1, true));
	assert_prints("CREATE TABLE users");
	assert_prints("0002_names.up.sql");
	assert_int_equal(0, columns());
	assert_int_equal(0, table_exists("stead_migrations.applied"));
}

static void test_changed_file(void **state)
{
	(void)state;
	assert_int_equal(0, run(MIGRATE_UP, 1, false));
	put("0001_users.up.sql", "CREATE TABLE users (id int PRIMARY KEY);\n");
	assert_int_equal(-EINVAL, run(MIGRATE_UP, -1, false));
	assert_says("0001_users.up.sql is not what was applied as 0001 \"users\"");
	assert_says("as a new migration");
	assert_int_equal(-EINVAL, run(MIGRATE_STATUS, -1, false));
	assert_int_equal(-EINVAL, run(MIGRATE_DOWN, 0, false));
	assert_int_equal(1, columns());
}

static void test_incomplete_directory(void **state)
{
	(void)state;
	put("0004_late.up.sql", "SELECT 1;\n");
	put("0004_late.down.sql", "SELECT 1;\n");
	assert_int_equal(-EINVAL, run(MIGRATE_UP, -1, false));
	assert_says("there is no migration 0003");
	take_away("0004_late.up.sql");
	take_away("0004_late.down.sql");
	take_away("0002_names.down.sql");
	assert_int_equal(-EINVAL, run(MIGRATE_UP, -1, false));
	assert_says("0002 \"names\" has no way back. Write 0002_names.down.sql");
	put("0002_names.down.sql", "COMMIT;\n");
	assert_int_equal(-EINVAL, run(MIGRATE_UP, -1, false));
	assert_says("0002_names.down.sql:1 begins or ends a transaction");
	assert_int_equal(0, table_exists("authd.users"));
}

static void test_broken_migration(void **state)
{
	(void)state;
	put("0002_names.up.sql", "CREATE TABLE half (id int);\n-- h\xc3\xa9\nALTER TABLE "
				 "users\n\tADD COLUMN name nonsense;\n");
	assert_int_equal(-EINVAL, run(MIGRATE_UP, -1, false));
	assert_says("0002_names.up.sql:4: type \"nonsense\" does not exist");
	assert_says("Nothing of it remains");
	assert_int_equal(1, table_exists("authd.users")); /* the one before it stands */
	assert_int_equal(0, table_exists("authd.half"));
	assert_int_equal(1, recorded());
	put("0002_names.up.sql", "ALTER TABLE users ADD COLUMN name text; COMMIT;\n");
	assert_int_equal(-EINVAL, run(MIGRATE_UP, -1, false));
	assert_says("ended its transaction by itself");
}

static void test_older_program(void **state)
{
	(void)state;
	assert_int_equal(0, run(MIGRATE_UP, -1, false));
	take_away("0002_names.up.sql");
	take_away("0002_names.down.sql");
	assert_int_equal(-EINVAL, run(MIGRATE_UP, -1, false));
	assert_says("this program is older than the database");
	assert_int_equal(-EINVAL, run(MIGRATE_DOWN, 0, false));
	assert_int_equal(2, columns());
}

static void test_wrong_direction(void **state)
{
	(void)state;
	assert_int_equal(0, run(MIGRATE_UP, 1, false));
	assert_int_equal(-EINVAL, run(MIGRATE_UP, 0, false));
	assert_says("down --to 0");
	assert_int_equal(-EINVAL, run(MIGRATE_DOWN, 2, false));
	assert_says("up --to 2");
	assert_int_equal(-EINVAL, run(MIGRATE_UP, 3, false));
	assert_says("ends at 0002");
}

/* A forced policy would make this UPDATE touch nothing, in silence. */
static void test_silent_update(void **state)
{
	(void)state;
	put("0002_names.up.sql",
		"INSERT INTO users VALUES (1);\nALTER TABLE users ENABLE ROW LEVEL SECURITY;\n"
		"ALTER TABLE users FORCE ROW LEVEL SECURITY;\nCREATE POLICY none ON users USING "
		"(false);\n"
		"UPDATE users SET id = 2;\n");
	assert_int_equal(-EINVAL, run(MIGRATE_UP, -1, false));
	assert_says("row-level security");
	assert_int_equal(1, recorded());
}

static void test_no_schema(void **state)
{
	(void)state;
	cluster_sql(&cluster, "DROP SCHEMA authd");
	assert_int_equal(-ENOENT, run(MIGRATE_UP, -1, false));
	assert_says("db/roles.sql");
	cluster_conninfo("stead_migrate", "nowhere", conninfo, sizeof(conninfo));
	assert_int_equal(-ENOTCONN, run(MIGRATE_UP, -1, false));
	assert_says("nowhere");
	cluster_conninfo("stead_migrate", "postgres", conninfo, sizeof(conninfo));
}

/* Two at once: the second waits for the first, then finds nothing to do. */
static void test_lock(void **state)
{
	PGconn *first = cluster_connect(&cluster);
	char sql[256];
	pid_t second;
	int status;
	(void)state;

	PQclear(PQexec(first, "SELECT pg_advisory_lock(6004514685761745220)"));
	second = fork();
	if (second == 0)
		_exit(run(MIGRATE_UP, -1, false) == 0 &&
					strstr(output, "Another stead-migrate is at work")
				? 0
				: 1);
	/* it waits in the server: let go when it does */
	snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
	while (cluster_sql(&cluster, sql) == 0)
		;
	assert_int_equal(0, table_exists("authd.users"));
	PQfinish(first);
	assert_int_equal(second, waitpid(second, &status, 0));
	assert_int_equal(0, status);
	assert_int_equal(2, recorded());
}

/* db/roles.sql */

static struct db *open_as(const char *role)
{
	char text[160];
	struct db *db = NULL;

	cluster_conninfo(role, "postgres", text, sizeof(text));
	assert_int_equal(0, db_new(&(struct db_config){ .conninfo = text, .size = 1 }, &db));
	return db;
}

static int try(struct db *db, struct db_who who, const char *sql)
{
	return db_query(db, who, deadline_in(20000), NULL, sql);
}

static void roles(void *arg)
{
	CLEANUP(db_freep) struct db *authd = open_as("stead_authd");
	CLEANUP(db_freep) struct db *sessiond = open_as("stead_sessiond");
	CLEANUP(db_freep) struct db *botd = open_as("stead_botd");
	CLEANUP(db_freep) struct db *operator= open_as("stead_operator");
	(void)arg;

	assert_int_equal(0,
		try(authd, DB_SELF, "INSERT INTO users VALUES (1)")); /* found by its search_path */
	assert_int_equal(-EACCES, try(sessiond, DB_SELF, "SELECT * FROM authd.users"));
	assert_int_equal(
		-EACCES, try(botd, DB_ROLE("stead_operator"), "SELECT * FROM authd.users"));
	assert_int_equal(-EACCES, try(authd, DB_SELF, "CREATE TABLE mine (id int)"));
	assert_int_equal(-EACCES, try(authd, DB_SELF, "CREATE TABLE public.mine (id int)"));
	assert_int_equal(-EACCES, try(authd, DB_SELF, "CREATE TEMPORARY TABLE mine (id int)"));
	assert_int_equal(-EACCES, try(authd, DB_ROLE("stead_operator"), "SELECT 1"));
	assert_int_equal(-EACCES, try(authd, DB_ROLE("stead_migrate"), "SELECT 1"));
	assert_int_equal(0, try(sessiond, DB_ROLE("stead_operator"), "SELECT 1"));
	assert_int_equal(-EACCES, try(sessiond, DB_ROLE("stead_claimer"), "SELECT 1"));
	assert_int_equal(0, try(sessiond, DB_ROLE("stead_rewrapper"), "SELECT 1"));
	assert_int_equal(-EACCES, try(botd, DB_ROLE("stead_rewrapper"), "SELECT 1"));
	assert_int_equal(0, try(botd, DB_ROLE("stead_operator"), "SELECT 1"));
	assert_int_equal(0, try(botd, DB_ROLE("stead_claimer"), "SELECT 1"));
	assert_int_equal(-ENOTCONN, db_read(operator, DB_SELF, deadline_in(200), NULL, "SELECT 1"));
	assert_non_null(strstr(db_error(operator)->text, "not permitted to log in"));
}

static void test_roles(void **state)
{
	(void)state;
	assert_int_equal(0, run(MIGRATE_UP, -1, false));
	in_fiber(roles, NULL);
	assert_int_equal(
		0, cluster_sql(&cluster,
			   "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'stead%' "
			   "AND (rolbypassrls OR rolsuper OR rolinherit OR rolcreaterole)"));
}

#define TEST(name) cmocka_unit_test_setup(name, test_set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_up_down_up),
		TEST(test_dry_run),
		TEST(test_changed_file),
		TEST(test_incomplete_directory),
		TEST(test_broken_migration),
		TEST(test_older_program),
		TEST(test_wrong_direction),
		TEST(test_silent_update),
		TEST(test_no_schema),
		TEST(test_lock),
		TEST(test_roles),
	};

	return cmocka_run_group_tests(tests, set_up, cluster_tear_down);
}
