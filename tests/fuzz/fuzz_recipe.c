/* Any text as a recipe, and as a filled-in step: refused with a reason, or right. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "recipe/pattern.h"
#include "recipe/recipe.h"
#include "recipe/step.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_step(const char *text, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	json_auto_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	char why[512] = "";
	struct step s;

	if (json && step_parse(arena, json, &s, why, sizeof(why)) < 0 && !*why)
		abort();
}

static void try_patterns(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *a = strndup((const char *)data, size), *b = NULL;
	char out[64];

	b = strdup(a + strcspn(a, "\n"));
	a[strcspn(a, "\n")] = '\0';
	if (!url_pattern_wrong(a))
		url_match(a, b + (*b == '\n'));
	if (!account_pattern_wrong(a))
		account_match(a, b, out, sizeof(out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct recipe *recipe = NULL;
	char why[1024] = "";

	if (size > 16384)
		return 0;
	if (recipe_parse("fuzz.json", (const char *)data, size, &recipe, why, sizeof(why)) < 0 && !*why)
		abort();
	recipe_unref(recipe);
	try_step((const char *)data, size);
	try_patterns(data, size);
	return 0;
}
