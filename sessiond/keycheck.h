/*
 * Whether the master keys at hand are those this database was written with, found out before
 * anybody needs to know.
 *
 * For each key that was ever current, the table key_checks holds the salt of the fingerprints,
 * sealed under it. A key that does not open its row is a wrong key, and so is a key file of which
 * no key has a row; the vault then refuses everything rather than mix what two keys made. The first
 * start with an empty database makes the salt. A row is never changed, so one of format 1 stays good
 * (envelope.h): it holds no session, and nobody can put another in its place.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "db/db.h"
#include "proto/call.h"
#include "sessiond/masterkey.h"

/* What the rows say. */
struct finding {
	struct secret *salt; /* NULL: no loaded key has a row */
	bool current;        /* the current key has its row */
	char trouble[512];   /* "": none */
};

/* Begins with the first two alone, which are borrowed. */
struct keycheck {
	struct db *db;
	const struct masterkeys *keys;
	struct finding found; /* the verdict: bad with trouble, else good with a salt; neither: there is none yet */
};

void keycheck_free(struct keycheck *k);

/*
 * Asks the database; in a fiber. 0 once there is a verdict, good or bad, which is logged when it
 * changes; an error of the database, and the former verdict stands.
 */
int keycheck_run(struct keycheck *k, int64_t deadline);

/* A sentence about a bad verdict, or NULL. Borrowed until the next run. */
const char *keycheck_trouble(const struct keycheck *k);

/*
 * For handlers that need the keys: 0, or refuses with ERR_vault_refused; checks first if there is
 * no verdict yet.
 */
int keycheck_admit(struct keycheck *k, struct call *call);

/* After keycheck_admit(). Borrowed until the fiber's next wait. */
const struct secret *keycheck_salt(const struct keycheck *k);
