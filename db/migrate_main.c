/*
 * stead-migrate: brings one daemon's schema up to date, or back. Trusts the files it is given and
 * its database role, which owns the schemas; it is run by an administrator or by systemd before the
 * daemons start, and listens to nobody.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "db/migrate.h"
#include "db/remark.h"

/* sysexits.h has no better ones; systemd can restart on 3 (RestartForceExitStatus=). */
enum { EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3, EXIT_PENDING = 4 };

static const char usage[] =
	"Usage: stead-migrate [--database CONNINFO] --dir DIRECTORY --schema SCHEMA [--dry-run] "
	"ACTION\n"
	"\n"
	"  status         say which migrations are applied; exit status 4 if some are not\n"
	"  up [--to N]    apply all that are not, or those up to number N\n"
	"  down --to N    take back all above number N (0: everything)\n"
	"\n"
	"  --database     where, as libpq wants it: \"host=/run/postgresql dbname=stead "
	"user=stead_migrate\"\n"
	"                 if it is left out, what the variable DATABASE of the environment says: what holds\n"
	"                 a password has no place on a command line, which everybody can read\n"
	"  --dir          holds 0001_name.up.sql, 0001_name.down.sql, 0002_...\n"
	"  --schema       the schema that they are about; it must exist (db/roles.sql makes it)\n"
	"  --dry-run      print the SQL that would be run, and run nothing\n"
	"\n"
	"Exit status: 0 done, 1 refused or failed, 2 misused, 3 database unreachable or busy (try "
	"again), 4 see status.\n";

static int misuse(const char *what, const char *value)
{
	fprintf(stderr, "stead-migrate: %s%s. \"stead-migrate --help\" shows how.\n", what, value);
	return EXIT_USAGE;
}

static int parse_number(const char *text, int *ret)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (end == text || *end || number < 0 || number > MIGRATIONS_MAX)
		return -EINVAL;
	*ret = (int)number;
	return 0;
}

static int migrate_main_parse_options(int argc, char *argv[], struct migrate_job *job)
{
	static const struct option options[] = {
		{ "database", required_argument, NULL, 'd' },
		{ "dir", required_argument, NULL, 'f' },
		{ "schema", required_argument, NULL, 's' },
		{ "to", required_argument, NULL, 't' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'd': job->database = optarg; break;
		case 'f': job->dir = optarg; break;
		case 's': job->schema = optarg; break;
		case 'n': job->dry_run = true; break;
		case 't':
			if (parse_number(optarg, &job->to) < 0)
				return misuse("--to wants a number from 0 to 9999, not ", optarg);
			break;
		case 'h': fputs(usage, stdout); exit(EXIT_SUCCESS);
		default: return EXIT_USAGE; /* getopt has said what */
		}
	}
	return 0;
}

static int parse_action(int argc, char *argv[], struct migrate_job *job)
{
	static const char *const actions[] = { "status", "up", "down" }; /* enum migrate_action */

	if (optind != argc - 1)
		return misuse("exactly one action is wanted: ", "status, up or down");
	for (int i = 0; i < 3; i++) {
		if (strcmp(argv[optind], actions[i]) != 0)
			continue;
		job->action = (enum migrate_action)i;
		return 0;
	}
	return misuse("there is no action ", argv[optind]);
}

static int check_job(const struct migrate_job *job)
{
	if (!job->database || !job->dir || !job->schema)
		return misuse("missing: ", !job->database ? "--database, or the variable DATABASE"
					   : !job->dir    ? "--dir"
							  : "--schema");
	if (job->action == MIGRATE_DOWN && job->to < 0)
		return misuse("\"down\" destroys data and wants to know how far: ", "--to N");
	if (job->action == MIGRATE_STATUS && (job->to >= 0 || job->dry_run))
		return misuse("\"status\" takes neither ", "--to nor --dry-run");
	return 0;
}

static void say_remark(const struct migrate_job *job)
{
	char remark[1024];

	if (db_remark(job->database, job->database == getenv("DATABASE") ? "" : NULL, remark, sizeof(remark)))
		fprintf(stderr, "stead-migrate: %s\n", remark);
}

int main(int argc, char *argv[])
{
	struct migrate_job job = { .to = -1, .out = stdout, .database = getenv("DATABASE") };
	struct sentence why = { "" };
	int r = migrate_main_parse_options(argc, argv, &job);

	if (r == 0)
		r = parse_action(argc, argv, &job);
	if (r == 0)
		r = check_job(&job);
	if (r != 0)
		return r;
	if (secret_disable_dumps() < 0) /* the connection string may hold a password */
		return EXIT_REFUSED;
	say_remark(&job);
	r = migrate(&job, &why);
	if (r < 0)
		fprintf(stderr, "stead-migrate: %s\n", why.text);
	if (r == -ENOTCONN)
		return EXIT_UNREACHABLE;
	return r < 0 ? EXIT_REFUSED : r > 0 ? EXIT_PENDING : EXIT_SUCCESS;
}
