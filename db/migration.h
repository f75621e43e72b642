/*
 * A directory of migrations: NNNN_name.up.sql and NNNN_name.down.sql, numbered 0001, 0002, ...
 * without a gap, each with its way back. The name is of lower-case letters, digits and underscores.
 * Other files are left alone, unless they end in .sql: a misspelt migration must not be passed
 * over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/words.h"

#define MIGRATION_SIZE_MAX (4u << 20) /* bytes of one file */
#define MIGRATIONS_MAX     9999

/* What went wrong, to what, and what to do: for whoever ran the program. */
struct sentence {
	char text[1024];
};

/* Fills s and returns code. */
#define sentence_set(s_, code_, ...) words_fail(code_, (s_)->text, sizeof((s_)->text), __VA_ARGS__)

struct migration {
	unsigned number;
	char name[64];
	char *up_path, *down_path, *up, *down; /* of the files, and what they say */
	char sha256[65]; /* of the way up, in hexadecimal: the way back may be mended later */
};

struct migrations {
	unsigned n;
	struct migration *all; /* all[i].number is i + 1 */
};

/*
 * 0, or a negative errno with *why filled: unreadable, misnamed, a number missing or twice, no way
 * back.
 */
int migrations_load(const char *dir, struct migrations **ret, struct sentence *why);

/* Takes NULL, returns NULL. */
struct migrations *migrations_free(struct migrations *m);
void migrations_freep(struct migrations **m);

/* Takes a file's name apart. False if it is not a migration's. Pure. */
bool migration_parse_name(const char *file, unsigned *ret_number, char ret_name[64], bool *ret_up);

/*
 * The line (from 1) on which text ends or begins a transaction of its own, which would break "all
 * or nothing"; 0 if none does. Looks for lines that begin with the command; PL/pgSQL's BEGIN and
 * END, which have no semicolon of this kind, pass. Pure.
 */
unsigned migration_transaction_line(const char *text);

/* The line on which the nth character (from 1) of UTF-8 text stands. Pure. */
unsigned migration_line(const char *text, unsigned long n);
