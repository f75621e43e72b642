#include "db/result.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/must.h"
#include "db/wire.h"

#define NO_COLUMN (-1)

/* The wrapper exists so that callers need not know libpq. */
struct db_result {
	PGresult *pg;
	int row; /* at which it stands, from 1; 0: at none */
};

struct db_result *db_result_wrap(PGresult *pg)
{
	struct db_result *res = must(malloc(sizeof(*res)));

	*res = (struct db_result){ .pg = pg };
	return res;
}

struct db_result *db_result_free(struct db_result *res)
{
	if (res) {
		PQclear(res->pg);
		free(res);
	}
	return NULL;
}

void db_result_freep(struct db_result **res)
{
	*res = db_result_free(*res);
}

int db_rows(const struct db_result *res)
{
	return res ? PQntuples(res->pg) : 0;
}

int64_t db_changed(const struct db_result *res)
{
	return res ? strtoll(PQcmdTuples(res->pg), NULL, 10) : 0;
}

/* The program and its statement disagree: only a programmer can mend that. */
__attribute__((noreturn)) static void bug(const struct db_result *res, int column, const char *what)
{
	fprintf(stderr, "db: column %d (\"%s\", type %u of pg_type) of %d: %s\n", column,
		PQfname(res->pg, column) ?: "?", PQftype(res->pg, column), PQnfields(res->pg),
		what);
	abort();
}

bool db_next(struct db_result *res)
{
	if (!res)
		return false;
	res->row = res->row < PQntuples(res->pg) ? res->row + 1 : 0;
	return res->row > 0;
}

static bool has_row(const struct db_result *res)
{
	return res && res->row > 0;
}

int row_column_named(const struct db_result *res, const char *name)
{
	int column = has_row(res) ? PQfnumber(res->pg, name) : NO_COLUMN;

	if (column >= 0 || !has_row(res))
		return column;
	fprintf(stderr, "db: no column \"%s\"\n", name);
	bug(res, PQnfields(res->pg), "read by a name that the statement does not return");
}

int row_column_number(const struct db_result *res, int number)
{
	if (!has_row(res))
		return NO_COLUMN;
	if (number < 0 || number >= PQnfields(res->pg))
		bug(res, number, "read by a number that the statement does not return");
	return number;
}

bool row_null_at(const struct db_result *res, int column)
{
	return !has_row(res) || PQgetisnull(res->pg, res->row - 1, column);
}

static Oid type_of(const struct db_result *res, int column)
{
	return PQftype(res->pg, column);
}

static int64_t number_at(const struct db_result *res, int column)
{
	return wire_int(PQgetvalue(res->pg, res->row - 1, column), PQgetlength(res->pg, res->row - 1, column));
}

int64_t row_int_at(const struct db_result *res, int column)
{
	if (row_null_at(res, column))
		return 0;
	switch (type_of(res, column)) {
	case OID_INT2:
	case OID_INT4:
	case OID_INT8: return number_at(res, column);
	case OID_OID: return (uint32_t)number_at(res, column);
	default: bug(res, column, "read with row_int(); cast it to bigint in the statement");
	}
}

bool row_bool_at(const struct db_result *res, int column)
{
	if (row_null_at(res, column))
		return false;
	if (type_of(res, column) != OID_BOOL)
		bug(res, column, "read with row_bool(); cast it to boolean in the statement");
	return number_at(res, column) != 0;
}

int64_t row_time_at(const struct db_result *res, int column)
{
	if (row_null_at(res, column))
		return 0;
	if (type_of(res, column) != OID_TIMESTAMPTZ)
		bug(res, column, "read with row_time(); cast it to timestamptz in the statement");
	return wire_time_to_ms(number_at(res, column));
}

/* jsonb is its text behind one byte of version. */
static int text_offset(const struct db_result *res, int column)
{
	switch (type_of(res, column)) {
	case OID_TEXT:
	case OID_VARCHAR:
	case OID_BPCHAR:
	case OID_NAME:
	case OID_JSON:
	case OID_UNKNOWN: return 0;
	case OID_JSONB: return 1;
	default: return -1;
	}
}

const char *row_text_at(const struct db_result *res, int column)
{
	int offset;

	if (row_null_at(res, column))
		return NULL;
	offset = text_offset(res, column);
	if (offset < 0)
		bug(res, column, "read with row_text(); cast it to text in the statement");
	return PQgetvalue(res->pg, res->row - 1, column) + offset;
}

const void *row_bytes_at(const struct db_result *res, int column, size_t *ret_size)
{
	int offset;

	*ret_size = 0;
	if (row_null_at(res, column))
		return NULL;
	offset = type_of(res, column) == OID_BYTEA ? 0 : text_offset(res, column);
	if (offset < 0)
		bug(res, column, "read with row_bytes(); cast it to bytea in the statement");
	*ret_size = (size_t)(PQgetlength(res->pg, res->row - 1, column) - offset);
	return PQgetvalue(res->pg, res->row - 1, column) + offset;
}
