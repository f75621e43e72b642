#include "botd/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void name_random(char *out, size_t size, const char *before)
{
	unsigned char random[12];
	size_t n = (size_t)snprintf(out, size, "%s-", before);

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		abort();
	for (size_t i = 0; i < sizeof(random) && n + 3 <= size; i++)
		n += (size_t)snprintf(out + n, size - n, "%02x", random[i]);
}
