/* Names that nobody else has, and nobody can guess: of a process, a lease, a save, a sign-in. */
#pragma once

#include <stddef.h>

/* Writes so many random bytes (32 at most) as hexadecimal digits, HEX_SIZE(bytes) with the NUL (common/hex.h). */
void random_name(char *out, size_t bytes);

/* "before-" and 24 such digits; size: room for all of it. */
void random_name_after(char *out, size_t size, const char *before);
