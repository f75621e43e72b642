/*
 * A program's settings: one row each, from which come the struct, the check of a file, the sample file and --help.
 *
 * A daemon lists its rows in a .def file, read twice through common/settings_expand.h. The file format is
 * "name = value" a line, '#' starts a comment, a list's name may be repeated. Unknown keys, repeated scalars and
 * values out of range are errors that name file, line and key.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum setting_kind { SETTING_TEXT, SETTING_NUMBER, SETTING_WORDS };

/* A setting of kind WORDS: its values in the order of the file. */
struct words {
	char **items;
	size_t count;
};

struct setting {
	const char *name;
	enum setting_kind kind;
	size_t offset;
	const char *text; /* TEXT: the default; NULL where it must be set */
	int64_t number, least, most; /* NUMBER: default and range */
	const char *sentence; /* what it means, with its unit */
};

/*
 * Fills out (the struct the rows describe) with the defaults, then with file (NULL: none), then with overrides
 * ("name=value", count of them). -EINVAL after writing the reason, as one sentence, to why (size bytes);
 * -ENOENT and the like, likewise, when the file cannot be read.
 */
int settings_load(const struct setting *rows, void *out, const char *file, const char *const *overrides,
	size_t count, char *why, size_t size);

/* Frees what settings_load() put into out. */
void settings_free(const struct setting *rows, void *out);

/* A sample file: each row's sentence as a comment, then its default. */
void settings_print_sample(const struct setting *rows, FILE *out);
