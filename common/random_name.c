#include "common/random_name.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

#include "common/hex.h"
#include "common/words.h"

void random_name(char *out, size_t bytes)
{
	uint8_t raw[32];

	if (bytes > sizeof(raw) || getrandom(raw, bytes, 0) != (ssize_t)bytes)
		abort();
	hex_set(out, raw, bytes);
}

void random_name_after(char *out, size_t size, const char *before)
{
	char digits[HEX_SIZE(12)];

	random_name(digits, 12);
	exact_must(out, size, "%s-%s", before, digits);
}
