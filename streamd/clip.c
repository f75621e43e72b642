#include "streamd/clip.h"

#include <string.h>

const char *clip(struct arena *arena, const char *text, size_t most)
{
	size_t n = text ? strlen(text) : 0;
	char *copy;

	if (n > most)
		for (n = most; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;)
			n--;
	if (n == 0)
		return NULL;
	copy = arena_memdup(arena, text, n);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)copy[i] < 0x20 && copy[i] != '\n' && copy[i] != '\t')
			copy[i] = ' ';
	return copy;
}

const char *clip_url(struct arena *arena, const char *url)
{
	size_t n = strcspn(url, "?#");
	const char *host = strstr(url, "://"), *at;

	if (!host || host > url + n)
		return arena_memdup(arena, url, n);
	host += 3;
	at = memchr(host, '@', strcspn(host, "/?#"));
	return arena_printf(arena, "%.*s%.*s", (int)(host - url), url,
		(int)(url + n - (at ? at + 1 : host)), at ? at + 1 : host);
}
