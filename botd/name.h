/* Names that nobody else has: of a process, a lease, a save. */
#pragma once

#include <stddef.h>

/* "before-" and 24 hexadecimal digits of chance, cut to size. */
void name_random(char *out, size_t size, const char *before);
