#include "db/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/wire.h"

/* Nothing but the PGresult: the wrapper exists so that callers need not know libpq. */
struct db_result {
	PGresult *pg;
};

struct db_result *db_result_wrap(PGresult *pg)
{
	struct db_result *res = malloc(sizeof(*res));

	if (!res)
		abort();
	res->pg = pg;
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

int db_column_named(const struct db_result *res, const char *name)
{
	int n = PQnfields(res->pg);

	for (int i = 0; i < n; i++)
		if (strcmp(PQfname(res->pg, i), name) == 0)
			return i;
	fprintf(stderr, "db: no column \"%s\"\n", name);
	bug(res, n, "read by a name that the statement does not return");
}

int db_column_number(const struct db_result *res, int number)
{
	if (number < 0 || number >= PQnfields(res->pg))
		bug(res, number, "read by a number that the statement does not return");
	return number;
}

bool db_null_at(const struct db_result *res, int row, int column)
{
	if (row < 0 || row >= PQntuples(res->pg))
		bug(res, column, "read in a row that did not come back");
	return PQgetisnull(res->pg, row, column);
}

static int64_t number_at(const struct db_result *res, int row, int column)
{
	return wire_int(PQgetvalue(res->pg, row, column), PQgetlength(res->pg, row, column));
}

int64_t db_int_at(const struct db_result *res, int row, int column)
{
	if (db_null_at(res, row, column))
		return 0;
	switch (PQftype(res->pg, column)) {
	case OID_INT2:
	case OID_INT4:
	case OID_INT8: return number_at(res, row, column);
	case OID_OID: return (uint32_t)number_at(res, row, column);
	default: bug(res, column, "read with db_int(); cast it to bigint in the statement");
	}
}

bool db_bool_at(const struct db_result *res, int row, int column)
{
	if (db_null_at(res, row, column))
		return false;
	if (PQftype(res->pg, column) != OID_BOOL)
		bug(res, column, "read with db_bool(); cast it to boolean in the statement");
	return number_at(res, row, column) != 0;
}

double db_double_at(const struct db_result *res, int row, int column)
{
	union {
		uint64_t bits8;
		double f8;
		uint32_t bits4;
		float f4;
	} u;

	if (db_null_at(res, row, column))
		return 0;
	switch (PQftype(res->pg, column)) {
	case OID_FLOAT4: u.bits4 = (uint32_t)number_at(res, row, column); return (double)u.f4;
	case OID_FLOAT8: u.bits8 = (uint64_t)number_at(res, row, column); return u.f8;
	default: bug(res, column, "read with db_double(); cast it to double precision");
	}
}

int64_t db_time_at(const struct db_result *res, int row, int column)
{
	if (db_null_at(res, row, column))
		return 0;
	if (PQftype(res->pg, column) != OID_TIMESTAMPTZ)
		bug(res, column, "read with db_time(); cast it to timestamptz in the statement");
	return wire_time_to_ms(number_at(res, row, column));
}

/* jsonb is its text behind one byte of version. */
static int text_offset(const struct db_result *res, int column)
{
	switch (PQftype(res->pg, column)) {
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

const char *db_text_at(const struct db_result *res, int row, int column)
{
	int offset = text_offset(res, column);

	if (offset < 0)
		bug(res, column, "read with db_text(); cast it to text in the statement");
	if (db_null_at(res, row, column))
		return NULL;
	return PQgetvalue(res->pg, row, column) + offset;
}

const void *db_bytes_at(const struct db_result *res, int row, int column, size_t *ret_size)
{
	int offset = PQftype(res->pg, column) == OID_BYTEA ? 0 : text_offset(res, column);

	if (offset < 0)
		bug(res, column, "read with db_bytes(); cast it to bytea in the statement");
	if (db_null_at(res, row, column)) {
		*ret_size = 0;
		return NULL;
	}
	*ret_size = (size_t)(PQgetlength(res->pg, row, column) - offset);
	return PQgetvalue(res->pg, row, column) + offset;
}
