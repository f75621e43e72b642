/*
 * What a row of a method table says, as data: the one description that decoder, encoder, dispatch, HTTP routes,
 * OpenAPI page, steadctl and log masking walk.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/vocabulary.h"
#include "proto/scope.h"

enum field_kind {
	FIELD_END,
	FIELD_OPTIONAL, /* not a field: the next one may be absent */
	FIELD_STR,
	FIELD_SECRET,
	FIELD_INT,
	FIELD_REAL,
	FIELD_BOOL,
	FIELD_ENUM,
	FIELD_JSON,
	FIELD_STRS,
	FIELD_OBJ,
	FIELD_LIST,
	FIELD_MEMFD,
	FIELD_HANDLE,
};

/* One member of a struct and of the JSON object it comes from or goes to. */
struct field {
	const char *name;
	enum field_kind kind;
	size_t offset;       /* of the member */
	size_t count_offset; /* STRS, LIST: of the size_t that counts them */
	int64_t least;       /* INT, REAL */
	int64_t most;        /* INT, REAL: value; STR, SECRET, JSON, MEMFD: bytes; STRS, LIST: items */
	int64_t each;        /* STRS: bytes of one */
	size_t size;         /* OBJ, LIST: of one struct */
	const struct field *(*type)(void); /* OBJ, LIST */
	const char *words;   /* ENUM: "a|b|c" */
	const char *sentence;
};

/* The socket a caller arrived on is its role; bits, so that a row can name several. */
enum role {
	ROLE_FRONT = 1 << 0,    /* authd, for a signed-in person or a token */
	ROLE_STREAM = 1 << 1,   /* streamd */
	ROLE_VAULT = 1 << 2,    /* sessiond */
	ROLE_BOT = 1 << 3,      /* botd */
	ROLE_CONTROL = 1 << 4,  /* steadctl */
	ROLE_VIEWER = 1 << 5,   /* a page on a WebSocket */
	ROLE_LAUNCHER = 1 << 6, /* streamd, to one browser's launcher */
};

struct method {
	const char *name;
	unsigned roles;
	enum scope scope;        /* what the caller must carry */
	const char *verb, *path; /* HTTP, below /api/v1; NULL if it is not public */
	const char *media;       /* the media type of its result, which is a body and nothing else; NULL: JSON */
	bool reads;              /* not public, and changes nothing; method_reads() knows of the others */
	const char *cli;         /* steadctl's words; NULL if it has none */
	const char *sentence;
	bool streams; /* sends items until it ends; result describes one item. See METHOD_CURSOR */
	bool event;   /* a notification; it has no result */
	const struct field *(*params)(void);
	size_t params_size;
	const struct field *(*result)(void);
	size_t result_size;
};

/*
 * What streams and has a path is served there by authd as an event stream, and below /ws/ by streamd over a WebSocket. Each item
 * may carry METHOD_CURSOR, a number that counts up: whoever gives it as METHOD_AFTER goes on behind that item.
 */
#define METHOD_CURSOR "cursor"
#define METHOD_AFTER  "after"

/* A daemon's rows, in the order of its .def file. */
struct method_list {
	const char *daemon;
	const struct method *const *methods;
	size_t count;
};

/* The field of that name, or NULL. */
const struct field *field_named(const struct field *rows, const char *name);

/* The number after which an item is gone on from; 0 if it carries none. */
int64_t method_cursor(const struct method *method, const void *item);

/* Whether it changes nothing (a GET, READS or a stream): then nobody need look what has become of it, nor write it down. */
bool method_reads(const struct method *method);

/* All daemons' rows, for authd's routes and steadctl: authd, streamd, sessiond, botd, then NULL. */
const struct method_list *const *method_lists(void);

/* The name of a role's socket: "front", "bot". */
const char *role_word(enum role role);
