#include "recipe/chord.h"

#include <ctype.h>
#include <string.h>

#include "common/keys.h"
#include "common/words.h"

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
		const char *text = names[i].text ?: "";

		if (strcmp(names[i].key, s) != 0)
			continue;
		exact_must(c->key, sizeof(c->key), "%s", *text == ' ' ? " " : names[i].key);
		exact_must(c->code, sizeof(c->code), "%s", names[i].key);
		exact_must(c->text, sizeof(c->text), "%s", c->control ? "" : text);
		c->vk = names[i].vk;
		return true;
	}
	return false;
}

/* Of a letter its case says nothing where other keys are held. */
static bool find_character(const char *s, struct chord *c)
{
	char typed = c->shift ? (char)toupper((unsigned char)*s) : c->control ? (char)tolower((unsigned char)*s) : *s;
	struct keystroke stroke;

	if (*s == ' ' || !*s || s[1] || !key_of_character(typed, &stroke))
		return false;
	c->key[0] = typed;
	c->text[0] = c->control ? '\0' : typed;
	exact_must(c->code, sizeof(c->code), "%s", stroke.code);
	c->vk = stroke.vk;
	c->modifiers = stroke.shift ? KEY_SHIFT : 0;
	return true;
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
	if (!find_character(s, &c) && !find_name(s, &c))
		return false;
	c.modifiers |= (c.control ? KEY_CONTROL : 0) | (c.shift ? KEY_SHIFT : 0);
	*ret = c;
	return true;
}

const char *chord_wrong(const char *s)
{
	struct chord c;

	if (!chord_parse(s, &c))
		return "is no key: a character, Enter, Tab, Escape, Space, Backspace, Delete, Insert, Home, End, PageUp, PageDown, ArrowLeft, "
		       "ArrowUp, ArrowRight, ArrowDown, F2, F4, F8 or F9, behind Control+ or Shift+ if those are held";
	return key_may_pass(c.vk, c.modifiers) ? NULL : "is a key of the browser's own, which no page gets; press a button of the page instead";
}
