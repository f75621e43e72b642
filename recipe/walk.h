/* Every text below a struct. (private to recipe/) */
#pragma once

#include "recipe/reading.h"

/* Calls fn for each. */
void walk_texts(const struct key_type *type, const struct place *place, const void *p,
	void (*fn)(const struct place *place, enum format format, const char *text, void *arg), void *arg);
