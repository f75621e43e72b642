/*
 * What a statement returned: rows in memory, read in place.
 *
 * Values travel in PostgreSQL's binary format (bytes are bytes, not hexadecimal), so each reader
 * fits some types and no others; a reader that does not fit is a bug and ends the process with a
 * sentence naming the column. Cast in the statement what has no reader: numeric::bigint,
 * uuid::text, text[] through to_json(...)::text. Columns are given by name or by number from 0.
 * NULL reads as 0, false or NULL; row_null() tells it apart.
 *
 * What a reader returns is borrowed and lives as long as the result.
 */
#pragma once

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

/*
 * Goes on to the next row, the first one to begin with; false, and at no row, when there is none. res may be NULL. A statement
 * that may find nothing is read like this, for another transaction may have deleted what it looks for at any moment:
 *
 *	if (!db_next(res))
 *		return -ENOENT;           the branch of its own that absence has
 *	name = row_text(res, "name");
 *
 * and many as while (db_next(res)). Read where there is no row, a column is what NULL is.
 */
bool db_next(struct db_result *res) __attribute__((warn_unused_result));

/* smallint, integer, bigint, oid */
#define row_int(res, column)              row_int_at(res, row_column(res, column))
/* boolean */
#define row_bool(res, column)             row_bool_at(res, row_column(res, column))
/* text, varchar, char(n), name, json, jsonb; ends with a NUL; NULL for NULL */
#define row_text(res, column)             row_text_at(res, row_column(res, column))
/* The same, "" for NULL: for columns that are NOT NULL, and wherever NULL means as much as nothing. */
#define row_words(res, column)            (row_text(res, column) ?: "")
/*
 * bytea, and whatever row_text reads; *ret_size excludes the NUL that follows; never NULL unless the value is
 */
#define row_bytes(res, column, ret_size)  row_bytes_at(res, row_column(res, column), ret_size)
/*
 * timestamptz: wall clock ms since 1970, rounded down; 'infinity' is DB_NEVER, '-infinity'
 * INT64_MIN
 */
#define row_time(res, column)             row_time_at(res, row_column(res, column))
#define row_null(res, column)             row_null_at(res, row_column(res, column))

#define row_column(res, column)                                                                    \
	_Generic((column), int: row_column_number, char *: row_column_named,                       \
		const char *: row_column_named)(res, column)

int row_column_named(const struct db_result *res, const char *name);
int row_column_number(const struct db_result *res, int number);
int64_t row_int_at(const struct db_result *res, int column);
bool row_bool_at(const struct db_result *res, int column);
const char *row_text_at(const struct db_result *res, int column);
const void *row_bytes_at(const struct db_result *res, int column, size_t *ret_size);
int64_t row_time_at(const struct db_result *res, int column);
bool row_null_at(const struct db_result *res, int column);

struct pg_result;

/* Wraps what libpq returned and owns it from then on (private to db/ and its tests). */
struct db_result *db_result_wrap(struct pg_result *pg);
