/*
 * What a row of recipe.def says, as data: the one description that reader, filler, JSON Schema and reference walk.
 * (private to recipe/)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/span.h"
#include "recipe/format.h"

enum key_kind {
	KEY_END,
	KEY_MARK, /* not a key: what enum key_mark, in least, says of the next one */
	KEY_NAMED, /* not a key either: it holds the name in a MAP, and comes first in its type */
	KEY_JSON,
	KEY_NOTE, /* a key without a member: a text that may be there and is not kept */
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

/* Bits. */
enum key_mark {
	MARK_OPTIONAL = 1, /* it may be absent */
	MARK_LOCAL = 2,    /* it is never sent to streamd */
	MARK_SENT = 4,     /* it is only sent to streamd, and never in a file */
};

struct key_type;

/* One member of a struct and of the JSON object it comes from. */
struct key {
	const char *name;
	enum key_kind kind;
	size_t offset;       /* of the member */
	size_t count_offset; /* TEXTS, LIST, MAP: of the size_t that counts them */
	int64_t least;       /* NUMBER */
	int64_t most;        /* NUMBER: value; TEXT, NOTE: bytes; TEXTS, LIST, MAP: items */
	int64_t absent;      /* NUMBER: the value if absent */
	int64_t each;        /* TEXTS: bytes of one */
	enum format format;  /* TEXT, TEXTS */
	const char *words;   /* CHOICE: "a|b|c" */
	const struct key_type *type; /* ONE, NESTED, LIST, MAP */
	const char *sentence;
};

/* A TYPE of recipe.def. */
struct key_type {
	const char *name;
	size_t size; /* of one struct */
	const struct key *(*keys)(void);
	const char *sentence;
};

extern const struct key_type recipe_type, recipe_action_type, step_type, selector_type, recipe_probe_request_type;

/* The first key, and the one after this; it may be KEY_END. ret_marks, which may be NULL, are its marks. */
const struct key *key_first(const struct key *rows, unsigned *ret_marks);
const struct key *key_next(const struct key *row, unsigned *ret_marks);

/* The row of that name, or NULL. */
const struct key *key_find(const struct key_type *type, struct span name);

/* Whether the struct holds something for the row: a pointer, a true flag, a number other than 0. */
bool key_present(const struct key *row, const void *p);
