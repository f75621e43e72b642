/*
 * What a row says about a value, checked for field_text.c, to which this is private.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/arena.h"
#include "proto/error.h"
#include "proto/method.h"

#define FIELD_REFUSED (-EREMOTEIO)

/* One decoding under way: what it draws from and what it is refused with. */
struct decoder {
	struct arena *arena;
	int *fd;
	json_t **keep; /* the documents that were made */
	struct refusal *why;
};

/* Where a value stands, for "steps[2].url"; links up the stack. */
struct place {
	const struct place *parent;
	const char *name;
	long index; /* -1: not in a list */
};

/* Refuses the value at that place; the format is of a sentence. Returns FIELD_REFUSED. */
int field_refuse(struct decoder *d, const struct place *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* 0 with *out set, or FIELD_REFUSED. */
int field_take_text(struct decoder *d, const struct place *at, const struct field *f, const char *s, size_t n,
	const char **out);
int field_take_enum(struct decoder *d, const struct place *at, const struct field *f, const char *s, const char **out);
int field_take_int(struct decoder *d, const struct place *at, const struct field *f, int64_t n, int64_t *out);
int field_take_real(struct decoder *d, const struct place *at, const struct field *f, double n, double *out);
int field_take_json(struct decoder *d, const struct place *at, const struct field *f, json_t *value, json_t **out);
/* size: what the value says, or -1 if it says nothing that can be one */
int field_take_fd(struct decoder *d, const struct place *at, const struct field *f, int64_t size, int *out);

/* Refuses what is not of the kind that the row wants. */
int field_refuse_kind(struct decoder *d, const struct place *at, const struct field *f);

/* Refuses a missing or an unknown member. */
int field_refuse_missing(struct decoder *d, const struct place *at, const struct field *f);
int field_refuse_unknown(struct decoder *d, const struct place *at, const char *name);
