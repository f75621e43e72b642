/*
 * What a row of recipe.def says, as data: the one description that reader, filler, JSON Schema and reference walk.
 * (private to recipe/)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recipe/format.h"

enum key_kind {
	KEY_END,
	KEY_OPTIONAL, /* not a key: the next one may be absent */
	KEY_LOCAL,    /* not a key: the next one is never sent to streamd */
	KEY_NAMED,
	KEY_TEXT,
	KEY_TEXTS,
	KEY_NUMBER,
	KEY_FLAG,
	KEY_CHOICE,
	KEY_ONE,
	KEY_NESTED,
	KEY_LIST,
	KEY_MAP,
};

struct key_type;

/* One member of a struct and of the JSON object it comes from. */
struct key {
	const char *name;
	enum key_kind kind;
	size_t offset;       /* of the member */
	size_t count_offset; /* TEXTS, LIST, MAP: of the size_t that counts them */
	int64_t least;       /* NUMBER */
	int64_t most;        /* NUMBER: value; TEXT: bytes; TEXTS, LIST, MAP: items */
	int64_t absent;      /* NUMBER: the value if absent */
	int64_t each;        /* TEXTS: bytes of one */
	enum format format;  /* TEXT, TEXTS */
	const char *words;   /* CHOICE: "a|b|c" */
	const struct key_type *type; /* ONE, NESTED, LIST, MAP */
	const char *sentence;
};

struct reading;
struct place;

/* A TYPE of recipe.def. */
struct key_type {
	const char *name;
	size_t size; /* of one struct */
	const struct key *(*keys)(void);
	int (*check)(struct reading *reading, const struct place *place, const void *p);
	const char *sentence;
};

extern const struct key_type recipe_type, recipe_action_type, step_type, selector_type;

/* The row after this one (and its marks), which may be KEY_END; *ret_optional and *ret_local may be NULL. */
const struct key *key_first(const struct key *rows, bool *ret_optional, bool *ret_local);
const struct key *key_next(const struct key *row, bool *ret_optional, bool *ret_local);

/* The row of that name, or NULL. */
const struct key *key_find(const struct key_type *type, const char *name);

/* Whether the struct holds something for the row: a pointer, a true flag, a number other than 0. */
bool key_present(const struct key *row, const void *p);
