/* One text being read: its file, and the first thing that is wrong with it. (private to recipe/) */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/arena.h"
#include "recipe/key.h"
#include "recipe/place.h"

struct reading {
	struct arena *arena;
	const char *file; /* NULL: a filled-in step, which has no text */
	const char *text;
	size_t length;
	char *why; /* where the sentence goes */
	size_t size;
	/* What the keys of one struct must be together: check_type() (recipe/check.h). */
	int (*check)(struct reading *r, const struct key_type *type, const struct place *place, const void *p);
};

/* Writes "FILE:LINE: place: ..." and returns -EINVAL. */
int reading_fail(struct reading *r, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Fills the struct at out, all of it, from the JSON object; strings point into json. 0, or -EINVAL. */
int reading_struct(struct reading *r, const struct key_type *type, const struct place *place, const json_t *json,
	void *out);
