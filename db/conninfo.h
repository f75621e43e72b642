/* From a db_config to what libpq wants to hear when it connects (private to db/). */
#pragma once

#include "db/conn.h"

struct conninfo;
struct db_config;

/* -EINVAL when the connection string cannot be parsed. */
int conninfo_new(const struct db_config *config, struct conninfo **ret);

/* Takes NULL, returns NULL. */
struct conninfo *conninfo_free(struct conninfo *info);

/* Borrowed. */
const struct conn_target *conninfo_target(const struct conninfo *info);
