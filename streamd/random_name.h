/* Names that nobody can guess. */
#pragma once

#include <stddef.h>

/* Writes so many random bytes (32 at most) as hexadecimal digits, HEX_SIZE(bytes) with the NUL (common/hex.h). */
void random_name(char *out, size_t bytes);
