/* PostgreSQL's binary format, to and from (private to db/). */
#pragma once

#include <libpq-fe.h>

#include "db/arg.h"

/* src/include/catalog/pg_type.dat of PostgreSQL; these numbers never change. */
enum {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_NAME = 19,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_OID = 26,
	OID_JSON = 114,
	OID_UNKNOWN = 705,
	OID_BPCHAR = 1042,
	OID_VARCHAR = 1043,
	OID_TIMESTAMPTZ = 1184,
	OID_JSONB = 3802,
};

/*
 * Arguments as PQsendQueryPrepared() wants them. values point into wire or to the caller's memory.
 */
struct wire_params {
	int n;
	Oid types[DB_ARGS_MAX];
	const char *values[DB_ARGS_MAX];
	int lengths[DB_ARGS_MAX];
	int formats[DB_ARGS_MAX];
	uint64_t wire[DB_ARGS_MAX];
};

void wire_params_fill(struct wire_params *p, const struct db_arg *args, size_t n);

/*
 * timestamptz is microseconds since 2000-01-01 UTC; ours are ms since 1970, rounded down.
 * Infinities stay.
 */
int64_t wire_time_from_ms(int64_t ms);
int64_t wire_time_to_ms(int64_t us);

/* An integer of size 1, 2, 4 or 8 bytes, most significant first. */
int64_t wire_int(const void *p, int size);
