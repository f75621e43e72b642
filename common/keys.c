#include "common/keys.h"

#include <string.h>

#include "common/words.h"

#define ALT     1
#define CONTROL KEY_CONTROL
#define META    4
#define SHIFT   KEY_SHIFT

enum { BACKSPACE = 8, ENTER = 13, ALT_KEY = 18, ESCAPE = 27, END = 35, HOME = 36, LEFT = 37, DOWN = 40, DELETE_KEY = 46,
	META_LEFT = 91, MENU = 93, F1 = 112, F24 = 135, BROWSER_BACK = 166, LAUNCH_LAST = 183 };

static bool is_modifier(int64_t vk)
{
	return vk == 16 || vk == 17;
}

/* End, Home and the arrows; not the page keys, which change the tab. */
static bool moves(int64_t vk)
{
	return vk >= END && vk <= DOWN;
}

static bool keys_is_one_of(int64_t vk, const char *letters)
{
	return vk >= 'A' && vk <= 'Z' && strchr(letters, (int)vk);
}

static bool passes_alone(int64_t vk, bool shift)
{
	if (vk >= F1 && vk <= F24)
		return !shift && (vk == F1 + 1 || vk == F1 + 3 || vk == F1 + 7 || vk == F1 + 8); /* F2, F4, F8, F9 */
	if (vk == ALT_KEY || (vk >= META_LEFT && vk <= MENU) || (vk >= BROWSER_BACK && vk <= LAUNCH_LAST))
		return false;
	return !(shift && vk == ESCAPE); /* the task manager */
}

bool key_may_pass(int64_t vk, int64_t modifiers)
{
	bool shift = modifiers & SHIFT;

	if (modifiers & (ALT | META))
		return false;
	if (!(modifiers & CONTROL))
		return passes_alone(vk, shift);
	if (is_modifier(vk) || moves(vk) || vk == ENTER)
		return true;
	return shift ? keys_is_one_of(vk, "ZV") : vk == BACKSPACE || vk == DELETE_KEY || keys_is_one_of(vk, "ACXVZYBI");
}

const char *key_editing_command(const char *code, int64_t modifiers)
{
	static const struct {
		const char *code, *command;
	} rows[] = { { "KeyA", "selectAll" }, { "KeyC", "copy" }, { "KeyX", "cut" }, { "KeyV", "paste" },
		{ "KeyZ", "undo" }, { "KeyY", "redo" } };

	for (size_t i = 0; modifiers == CONTROL && i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].code, code) == 0)
			return rows[i].command;
	return NULL;
}

/* The keys beside the letters and digits: each with what it types alone, and with Shift. */
static const struct {
	char plain, shifted;
	int vk;
	const char *code;
} marks[] = {
	{ ' ', ' ', 32, "Space" }, { ';', ':', 186, "Semicolon" }, { '=', '+', 187, "Equal" }, { ',', '<', 188, "Comma" },
	{ '-', '_', 189, "Minus" }, { '.', '>', 190, "Period" }, { '/', '?', 191, "Slash" }, { '`', '~', 192, "Backquote" },
	{ '[', '{', 219, "BracketLeft" }, { '\\', '|', 220, "Backslash" }, { ']', '}', 221, "BracketRight" },
	{ '\'', '"', 222, "Quote" },
};
static const char digits_shifted[] = ")!@#$%^&*(";

static bool find_mark(char c, struct keystroke *ret)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		if (c != marks[i].plain && c != marks[i].shifted)
			continue;
		*ret = (struct keystroke){ .vk = marks[i].vk, .shift = c != marks[i].plain };
		exact_must(ret->code, sizeof(ret->code), "%s", marks[i].code);
		return true;
	}
	return false;
}

bool key_of_character(char c, struct keystroke *ret)
{
	const char *shifted = c ? strchr(digits_shifted, c) : NULL;
	bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';
	char name = lower ? (char)(c - 'a' + 'A') : shifted ? (char)('0' + (shifted - digits_shifted)) : c;

	if (find_mark(c, ret))
		return true;
	if (!upper && !lower && !digit && !shifted)
		return false;
	*ret = (struct keystroke){ .vk = name, .shift = upper || shifted };
	exact_must(ret->code, sizeof(ret->code), "%s%c", upper || lower ? "Key" : "Digit", name);
	return true;
}
