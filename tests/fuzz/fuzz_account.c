/* A name in what a site says of itself: the first line is the claim, the rest the text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/cleanup.h"
#include "streamd/session/account.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_source(const struct recipe_account_source *source, const char *text)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	char lack[ACCOUNT_LACK] = "";

	if (!account_decode(source, text, arena, lack) && !*lack)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *text = strndup((const char *)data, size);
	char *line = strchr(text, '\n'), *rest = line ? line + 1 : text;

	if (line)
		*line = '\0';
	try_source(&(const struct recipe_account_source){ .claim = text }, rest);
	try_source(&(const struct recipe_account_source){ .pointer = "/a/0" }, rest);
	try_source(&(const struct recipe_account_source){ .pointer = "/a", .claim = text }, rest);
	return 0;
}
