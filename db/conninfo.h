/* From a db_config to a connection that libpq begins (private to db/). */
#pragma once

#include <libpq-fe.h>

struct conninfo;
struct db_config;

/* -EINVAL when the connection string cannot be parsed. */
int conninfo_new(const struct db_config *config, struct conninfo **ret);

/* Takes NULL, returns NULL. */
struct conninfo *conninfo_free(struct conninfo *info);

/* Begins to connect, without waiting (PQconnectPoll). Never NULL. */
PGconn *conninfo_connect(const struct conninfo *info);

/* What a parsed connection string gives for a keyword; NULL if nothing. Borrowed. */
const char *conninfo_value(const PQconninfoOption *options, const char *keyword);
