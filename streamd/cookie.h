/* The Cookie header of a request (RFC 6265 section 4.2.1). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Copies the value of the cookie of that name to out (size bytes with its NUL). False, with out empty, when there is
 * none, when it is longer, or when there are two (somebody planted the other one).
 */
bool cookie_value(const char *header, const char *name, char *out, size_t size);
