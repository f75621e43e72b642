/*
 * Brings one schema of the database to the state that a directory of migrations describes, up or
 * down. Blocking: a program's whole work, not a daemon's.
 *
 * Each migration runs in one transaction together with the row that records it in
 * stead_migrations.applied, with search_path set to the schema and row_security off: a statement
 * that a forced policy would make pass over rows in silence fails instead (lift FORCE within the
 * migration where its data must be touched). One advisory lock in the database lets one run at a
 * time; a second one waits for it.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "db/migration.h"

enum migrate_action { MIGRATE_STATUS, MIGRATE_UP, MIGRATE_DOWN };

struct migrate_job {
	const char *database; /* libpq's connection string */
	const char *dir, *schema;
	enum migrate_action action;
	int to;       /* the number to end at; -1: all the way up */
	bool dry_run; /* print what would be run, and run nothing */
	FILE *out;    /* what was done, a line each */
};

/*
 * 0 when done; 1 for MIGRATE_STATUS with something left to apply; -ENOTCONN when the database
 * cannot be reached or another run holds the lock: worth trying again; else a negative errno, and
 * nothing of the migration that failed remains. *why is filled on failure.
 */
int migrate(const struct migrate_job *job, struct sentence *why);
