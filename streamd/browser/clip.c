#include "streamd/browser/clip.h"

#include <string.h>

#include "common/words.h"

const char *clip(struct arena *arena, const char *text, size_t most)
{
	size_t n = text ? words_fit(text, strlen(text), most) : 0;
	char *copy;

	if (n == 0)
		return NULL;
	copy = arena_memdup(arena, text, n);
	words_clean_lines(copy, n);
	return copy;
}
