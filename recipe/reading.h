/*
 * One text being read: its file, and all that is wrong with it. Whoever finds a mistake tells it and goes on, leaving out what it
 * cannot judge because of it; so a slip is told once, and nothing that only follows from it. (private to recipe/)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/arena.h"
#include "recipe/key.h"
#include "recipe/mistake.h"
#include "recipe/place.h"

struct reading {
	struct arena *arena;
	const char *file; /* NULL: a filled-in step, which has no text */
	const char *text;
	size_t length;
	struct mistakes mistakes;
	/* What the keys of one struct must be together: check_type() (recipe/check.h) */
	void (*check)(struct reading *r, const struct key_type *type, const struct place *place, const void *p, bool whole);
};

/* Tells a mistake, and where it is. */
void reading_fail(struct reading *r, const struct place *place, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Whether one has been told of that place or of anything below it, or of a key that was meant for it. */
bool reading_failed(const struct reading *r, const struct place *place);

/* The sentence of the mistake that was told last, which then has not been told. In the arena. */
const char *reading_take(struct reading *r);

/* Fills the struct at out from the JSON object; when a mistake is told, with what could be read, and the rest is absent. */
void reading_struct(struct reading *r, const struct key_type *type, const struct place *place, const json_t *json, void *out);
