/*
 * What a statement returned: rows in memory, read in place.
 *
 * Values travel in PostgreSQL's binary format (bytes are bytes, not hexadecimal), so each reader
 * fits some types and no others; a reader that does not fit is a bug and ends the process with a
 * sentence naming the column. Cast in the statement what has no reader: numeric::bigint,
 * uuid::text, text[] through to_json(...)::text. Columns are given by name or by number from 0.
 * NULL reads as 0, false or NULL; db_null() tells it apart.
 *
 * What a reader returns is borrowed and lives as long as the result.
 */
#ifndef STEAD_DB_RESULT_H
#define STEAD_DB_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db_result;

/* Takes NULL, returns NULL. */
struct db_result *db_result_free(struct db_result *res);

/* For CLEANUP(db_result_freep) struct db_result *res = NULL; */
void db_result_freep(struct db_result **res);

/* How many rows came back; 0 for NULL. */
int db_rows(const struct db_result *res);

/* How many rows an INSERT, UPDATE, DELETE or MERGE touched (with or without RETURNING). */
int64_t db_changed(const struct db_result *res);

/* smallint, integer, bigint, oid */
#define db_int(res, row, column)             db_int_at(res, row, db_column(res, column))
/* boolean */
#define db_bool(res, row, column)            db_bool_at(res, row, db_column(res, column))
/* real, double precision */
#define db_double(res, row, column)          db_double_at(res, row, db_column(res, column))
/* text, varchar, char(n), name, json, jsonb; ends with a NUL */
#define db_text(res, row, column)            db_text_at(res, row, db_column(res, column))
/*
 * bytea, and whatever db_text reads; *ret_size excludes the NUL that follows; never NULL unless the
 * value is
 */
#define db_bytes(res, row, column, ret_size) db_bytes_at(res, row, db_column(res, column), ret_size)
/*
 * timestamptz: wall clock ms since 1970, rounded down; 'infinity' is DB_NEVER, '-infinity'
 * INT64_MIN
 */
#define db_time(res, row, column)            db_time_at(res, row, db_column(res, column))
#define db_null(res, row, column)            db_null_at(res, row, db_column(res, column))

#define db_column(res, column)                                                                     \
	_Generic((column), int: db_column_number, char *: db_column_named,                         \
		const char *: db_column_named)(res, column)

int db_column_named(const struct db_result *res, const char *name);
int db_column_number(const struct db_result *res, int number);
int64_t db_int_at(const struct db_result *res, int row, int column);
bool db_bool_at(const struct db_result *res, int row, int column);
double db_double_at(const struct db_result *res, int row, int column);
const char *db_text_at(const struct db_result *res, int row, int column);
const void *db_bytes_at(const struct db_result *res, int row, int column, size_t *ret_size);
int64_t db_time_at(const struct db_result *res, int row, int column);
bool db_null_at(const struct db_result *res, int row, int column);

struct pg_result;

/* Wraps what libpq returned and owns it from then on (private to db/ and its tests). */
struct db_result *db_result_wrap(struct pg_result *pg);

#endif
