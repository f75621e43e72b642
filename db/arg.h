/*
 * What a statement's $1, $2, ... are: an array of compound literals, made by the macros below.
 *
 * Everything but text travels in PostgreSQL's binary format with its type named, so a value means
 * the same wherever it stands: DB_INT is always bigint, also where the column is an integer
 * (PostgreSQL casts, and says so if the value does not fit). Text is sent without a type and takes
 * the one its place asks for: DB_TEXT("{a,b}") can be a text[], DB_TEXT("{\"a\": 1}") a jsonb.
 * Pointers are borrowed until the call returns.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum db_type {
	DB_TYPE_INT,
	DB_TYPE_BOOL,
	DB_TYPE_TEXT,
	DB_TYPE_BYTES,
	DB_TYPE_TIME
};

struct db_arg {
	enum db_type type;
	union {
		int64_t integer;  /* INT; BOOL; TIME in wall clock ms since 1970 */
		const void *data; /* TEXT, BYTES; NULL is SQL's NULL */
	};
	size_t size; /* of BYTES; at most INT_MAX */
};

/* More than any statement here needs; a bug asserts. */
#define DB_ARGS_MAX    48

#define DB_NULL        DB_TEXT(NULL)
#define DB_INT(x)      ((struct db_arg){ .type = DB_TYPE_INT, .integer = (x) })
#define DB_BOOL(x)     ((struct db_arg){ .type = DB_TYPE_BOOL, .integer = !!(x) })
#define DB_TEXT(s)     ((struct db_arg){ .type = DB_TYPE_TEXT, .data = (s) })
#define DB_BYTES(p, n) ((struct db_arg){ .type = DB_TYPE_BYTES, .data = (p), .size = (n) })

/* A timestamptz from wall clock ms (wall_now()); DB_NEVER is 'infinity'. */
#define DB_TIME(ms)    ((struct db_arg){ .type = DB_TYPE_TIME, .integer = (ms) })
#define DB_NEVER       INT64_MAX

/* The arguments of a variadic macro as an array, and how many they are. */
#define DB_ARGS(...)   ((const struct db_arg[]){ __VA_ARGS__ })
#define DB_COUNT(...)  (sizeof((const struct db_arg[]){ __VA_ARGS__ }) / sizeof(struct db_arg))
