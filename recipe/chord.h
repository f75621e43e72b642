/*
 * A key, or keys held together, as a recipe writes them: "Enter", "Control+Shift+Z". Names are those of KeyboardEvent.key (UI Events
 * KeyboardEvent key Values); what an American keyboard types is named by itself. Pure.
 */
#pragma once

#include <stdbool.h>

struct chord {
	bool control, shift; /* held besides */
	char key[16], code[16]; /* as KeyboardEvent has them */
	char text[2];  /* what it types; "": nothing */
	int vk;        /* as Windows numbers it */
	int modifiers; /* KEY_CONTROL and the like, also what the character itself needs */
};

/* NULL, or what is wrong with it, as the end of a sentence: it is no key, or one that no page gets (common/keys.h). Borrowed. */
const char *chord_wrong(const char *s);

/* False if it is wrong. */
bool chord_parse(const char *s, struct chord *ret);
