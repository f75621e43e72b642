#include "streamd/random_name.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

#include "common/hex.h"

void random_name(char *out, size_t bytes)
{
	uint8_t raw[32];

	if (bytes > sizeof(raw) || getrandom(raw, bytes, 0) != (ssize_t)bytes)
		abort();
	hex_set(out, raw, bytes);
}
