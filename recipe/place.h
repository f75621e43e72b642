/*
 * Where in a recipe's text something stands. jansson tells no positions of values, so a path is followed through the
 * text when, and only when, something is wrong there. (private to recipe/)
 */
#pragma once

#include <stddef.h>

/* A step down from the document; chained on the stack. */
struct place {
	const struct place *up; /* NULL: this is the document itself */
	const char *key;        /* in an object; NULL: in an array */
	size_t index;           /* in an array, from 0 */
};

#define PLACE_KEY(up_, key_)     (&(const struct place){ .up = (up_), .key = (key_) })
#define PLACE_INDEX(up_, index_) (&(const struct place){ .up = (up_), .index = (index_) })

/* "actions.book.steps[2].at"; cut to size. The document itself is "". */
void place_print(const struct place *p, char *out, size_t size);

/* Its line in n bytes of well-formed JSON, from 1. A place that is not there has the line of what should hold it. */
unsigned place_line(const struct place *p, const char *text, size_t n);
