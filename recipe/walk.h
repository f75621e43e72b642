/* Every text below a struct. (private to recipe/) */
#pragma once

#include "recipe/reading.h"

/* Calls fn for each until one returns less than 0, which is returned. */
int walk_texts(const struct key_type *type, const struct place *place, const void *p,
	int (*fn)(const struct place *place, enum format format, const char *text, void *arg), void *arg);
