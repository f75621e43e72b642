#include "botd/name.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/hex.h"
#include "common/words.h"

void name_random(char *out, size_t size, const char *before)
{
	unsigned char random[12];
	char hex[2 * sizeof(random) + 1];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		abort();
	hex_set(hex, random, sizeof(random));
	exact_must(out, size, "%s-%s", before, hex);
}
