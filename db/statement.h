/* Which statements one connection has prepared (private to db/). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <libpq-fe.h>

/* Prepared statements cost memory in the server's process, tens of KB each: a bound, not an aim. */
#define STATEMENTS_MAX 256

struct statement {
	char name[8];  /* as PREPARE knows it */
	bool prepared; /* the server knows it, or is told in the batch under way */
	char *sql;
	Oid *types; /* n of them */
	int n;
};

/* Begins as { 0 }. */
struct statements {
	void *tree; /* tsearch(3) */
	unsigned count;
};

/* Forgets all: the connection is a new one, or ends. */
void statements_clear(struct statements *s);

/*
 * The statement with this text and these parameter types; added if new. NULL when there are
 * STATEMENTS_MAX.
 */
struct statement *statements_get(struct statements *s, const char *sql, const Oid *types, int n);
