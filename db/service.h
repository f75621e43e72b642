/* A daemon's database: what is to be known of its settings, and when it goes and comes, is said in the log and to systemd. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "db/db.h"

struct db_service {
	const char *program, *conninfo;
	int64_t connections;
	const char *without; /* what goes wrong while it is away: "no booking can be taken" */
	void (*changed)(bool up, void *arg); /* may be NULL */
	void *arg;
};

/* s is borrowed until db_free(). 0, or a negative errno after saying why. */
int db_open(const struct db_service *s, struct db **ret);
