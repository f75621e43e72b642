/*
 * A program's settings: one row each, from which come the struct, the check of a file, the sample file and --help.
 *
 * A daemon lists its rows in a .def file, read twice through common/settings_expand.h. The file format is
 * "name = value" a line, '#' starts a comment, a list's name may be repeated. Unknown keys, repeated scalars and
 * values that do not have their setting's form or range are errors that name file, line and key, and say what is wanted.
 *
 * What several daemons must agree on is a shared setting: it stands once, in the file SETTINGS_SHARED_FILE beside theirs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The name of the file that all daemons read beside their own; which names it may hold is said in settings.c. */
#define SETTINGS_SHARED_FILE "stead.conf"

enum setting_kind { SETTING_TEXT, SETTING_NUMBER, SETTING_WORDS };

/* A setting of kind WORDS: its values in the order of the file. */
struct words {
	char **items;
	size_t count;
};

/* What the values of a setting look like. */
struct setting_form {
	const char *(*wrong)(const char *value); /* what is wrong with it, without a full stop, or NULL */
	const char *example;
	bool secret; /* a complaint does not repeat the value */
};

struct setting {
	const char *name;
	enum setting_kind kind;
	size_t offset;
	const char *text; /* TEXT: the default; NULL where it must be set */
	const struct setting_form *form; /* TEXT and WORDS: what a value that is given is held to; NULL: anything */
	int64_t number, least, most; /* NUMBER: default and range */
	bool shared; /* TEXT or WORDS, named in settings.c */
	const char *sentence; /* what it means, with its unit */
};

/*
 * Fills out (the struct the rows describe) with the defaults, then with file (NULL: none) and the shared file beside it if
 * there is one, then with overrides ("name=value", count of them). A shared setting that still stands in file is taken from
 * there while the shared file is silent about it, and is an error where the two differ. 0 with a sentence for the operator
 * in why (size bytes), or "" in it; -EINVAL after writing the reason, as one sentence, to why; -ENOENT and the like,
 * likewise, when a file cannot be read.
 */
int settings_load(const struct setting *rows, void *out, const char *file, const char *const *overrides,
	size_t count, char *why, size_t size);

/* The shared file beside file. To be freed. Aborts on exhaustion. */
char *settings_shared_path(const char *file);

/* The value of the TEXT setting of that name, of which there must be a row. */
const char *settings_text(const struct setting *rows, const void *settings, const char *name);

/* Frees what settings_load() put into out. */
void settings_free(const struct setting *rows, void *out);

/* A sample file: each row's sentence as a comment, then its default; without those that are shared. */
void settings_print_sample(const struct setting *rows, FILE *out);
