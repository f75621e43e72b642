#include "recipe/chord.h"

#include <string.h>

/* Their code is the same word. */
static const struct {
	const char *key, *text;
	int vk;
} names[] = {
	{ "Enter", "\r", 13 }, { "Tab", NULL, 9 }, { "Escape", NULL, 27 }, { "Space", " ", 32 },
	{ "Backspace", NULL, 8 }, { "Delete", NULL, 46 }, { "Insert", NULL, 45 }, { "Home", NULL, 36 },
	{ "End", NULL, 35 }, { "PageUp", NULL, 33 }, { "PageDown", NULL, 34 }, { "ArrowLeft", NULL, 37 },
	{ "ArrowUp", NULL, 38 }, { "ArrowRight", NULL, 39 }, { "ArrowDown", NULL, 40 }, { "F2", NULL, 113 },
	{ "F4", NULL, 115 }, { "F8", NULL, 119 }, { "F9", NULL, 120 },
};

static bool skip_held(const char **s, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(*s, name, n) != 0 || !(*s)[n])
		return false;
	*s += n;
	return true;
}

static bool find_name(const char *s, struct chord *c)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(names[i].key, s) != 0)
			continue;
		c->text = names[i].text;
		c->key = c->text && *c->text == ' ' ? " " : names[i].key;
		c->code = names[i].key;
		c->vk = names[i].vk;
		return true;
	}
	return false;
}

bool chord_parse(const char *s, struct chord *ret)
{
	struct chord c = { 0 };

	for (bool more = true; more;) {
		more = false;
		if (!c.control && skip_held(&s, "Control+"))
			more = c.control = true;
		if (!c.shift && skip_held(&s, "Shift+"))
			more = c.shift = true;
	}
	if (*s > ' ' && *s < '\x7f' && !s[1])
		c.character = *s;
	else if (!find_name(s, &c))
		return false;
	*ret = c;
	return true;
}

const char *chord_wrong(const char *s)
{
	struct chord c;

	return chord_parse(s, &c) ? NULL :
		"is no key: a character, Enter, Tab, Escape, Space, Backspace, Delete, Insert, Home, End, PageUp, PageDown, ArrowLeft, "
		"ArrowUp, ArrowRight, ArrowDown, F2, F4, F8 or F9, behind Control+ or Shift+ if those are held";
}
