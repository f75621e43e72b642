/* JSON Pointer (RFC 6901): "" is the whole document, "/bookings/0/id" a value in it; ~1 is a slash, ~0 a tilde. Pure. */
#pragma once

#include <jansson.h>

/* NULL, or what is wrong with it, as the end of a sentence. Borrowed. */
const char *pointer_wrong(const char *pointer);

/* The value, borrowed; NULL: there is none. */
json_t *pointer_find(json_t *document, const char *pointer);
