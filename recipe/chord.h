/*
 * A key, or keys held together, as a recipe writes them: "Enter", "Control+Shift+Z". Names are those of KeyboardEvent.key (UI Events
 * KeyboardEvent key Values); what an American keyboard types is named by itself. Pure.
 */
#pragma once

#include <stdbool.h>

struct chord {
	bool control, shift; /* held besides */
	char character;      /* the key types it; '\0': it is one of those with a name: */
	const char *key, *code, *text; /* text: what it types, NULL for nothing */
	int vk; /* as Windows numbers it */
};

/* NULL, or what is wrong with it, as the end of a sentence. Borrowed. */
const char *chord_wrong(const char *s);

/* False if it is wrong. Its texts are borrowed from nobody. */
bool chord_parse(const char *s, struct chord *ret);
