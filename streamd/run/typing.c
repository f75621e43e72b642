#include "streamd/run/typing.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "streamd/screen/keys.h"

#define CONTROL   2
#define SHIFT     8
#define COMPOSING 229 /* the virtual key of what an input method takes (UI Events, section 5.2.3) */

struct key {
	const char *code; /* KeyboardEvent.code; the last character of a letter's or a digit's is put in */
	int vk, modifiers;
};

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

/* Which key types it; false if none does. code: at least eight bytes, for those whose name is made. */
static bool typing_key_of(char c, char code[8], struct key *ret)
{
	const char *shifted = c ? strchr(digits_shifted, c) : NULL;
	bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		if (c != marks[i].plain && c != marks[i].shifted)
			continue;
		*ret = (struct key){ marks[i].code, marks[i].vk, c != marks[i].plain ? SHIFT : 0 };
		return true;
	}
	if (!upper && !lower && !digit && !shifted)
		return false;
	memcpy(code, upper || lower ? "KeyX" : "DigitX", upper || lower ? 5 : 7);
	char name = lower ? (char)(c - 'a' + 'A') : shifted ? (char)('0' + (shifted - digits_shifted)) : c;
	code[strlen(code) - 1] = name;
	*ret = (struct key){ code, name, upper || shifted ? SHIFT : 0 };
	return true;
}

/* deadline 0: not waited for. Keys are carried out in order, so whoever waits for the last has waited for all. */
static int send_key(struct target_ref page, const char *type, const char *key, const char *text, const struct key *k,
	int64_t deadline)
{
	const char *command = strcmp(type, "keyUp") == 0 ? NULL : key_editing_command(k->code, k->modifiers);
	const struct cdp_arg args[] = { CDP_TEXT("type", type), CDP_TEXT("key", key), CDP_TEXT("code", k->code),
		CDP_INT("windowsVirtualKeyCode", k->vk), CDP_INT("nativeVirtualKeyCode", k->vk),
		CDP_INT("modifiers", k->modifiers), CDP_TEXT("text", text), CDP_TEXT("unmodifiedText", text),
		command ? (struct cdp_arg)CDP_LIST("commands", CDP_TEXT(NULL, command)) : (struct cdp_arg){ 0 }, { 0 } };
	const struct target *t = target_of(page);

	if (!t)
		return -EPIPE;
	if (deadline)
		return target_call_args(page, "Input.dispatchKeyEvent", deadline, NULL, args);
	cdp_send_args(browser_cdp(t->browser), t->session, "Input.dispatchKeyEvent", args);
	return 0;
}

static int type_one(struct target_ref page, const char *character, const struct key *k, int64_t deadline)
{
	send_key(page, "keyDown", character, character, k, 0);
	return send_key(page, "keyUp", character, NULL, k, deadline);
}

static int compose(struct target_ref page, const char *text, int64_t deadline)
{
	static const struct key key = { "", COMPOSING, 0 };
	const struct target *t = target_of(page);

	if (!t)
		return -EPIPE;
	send_key(page, "rawKeyDown", "Process", NULL, &key, 0);
	cdp_send(browser_cdp(t->browser), t->session, "Input.insertText", CDP_TEXT("text", text));
	return send_key(page, "keyUp", "Process", NULL, &key, deadline);
}

static int erase(struct target_ref page, int64_t deadline)
{
	static const struct key backspace = { "Backspace", 8, 0 };

	send_key(page, "rawKeyDown", "Backspace", NULL, &backspace, 0);
	return send_key(page, "keyUp", "Backspace", NULL, &backspace, deadline);
}

/* Up to the next that a key types. */
static size_t length_composed(const char *text)
{
	char code[8];
	struct key k;
	size_t n = 0;

	while (text[n] && !typing_key_of(text[n], code, &k))
		n++;
	return n;
}

/* Waits for the last alone. */
static int type_all(struct target_ref page, const char *text, int64_t deadline, struct arena *arena)
{
	for (;;) {
		char code[8], character[2] = { *text };
		size_t composed = length_composed(text), n = composed ? composed : 1;
		int64_t wait = text[n] ? 0 : deadline;
		struct key k;
		int r = composed ? compose(page, arena_memdup(arena, text, n), wait) :
			typing_key_of(*text, code, &k) ? type_one(page, character, &k, wait) : 0;
		if (wait)
			return r;
		text += n;
	}
}

int typing_carry_out(struct target_ref page, const char *text, int64_t deadline)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_secret(0);

	return *text ? type_all(page, text, deadline, arena) : erase(page, deadline);
}

/* Which key it is; of a letter its case says nothing where other keys are held. code, character: of at least eight bytes, two. */
static void chord_key(const struct chord *c, char code[8], char character[2], struct key *ret)
{
	char typed = c->control || c->shift ? (char)(c->shift ? toupper(c->character) : tolower(c->character)) : c->character;

	*character = typed;
	if (!c->character || !typing_key_of(typed, code, ret))
		*ret = (struct key){ .code = c->code, .vk = c->vk };
	ret->modifiers |= (c->control ? CONTROL : 0) | (c->shift ? SHIFT : 0);
}

bool typing_may_press(const struct chord *c)
{
	char code[8], character[2];
	struct key k;

	chord_key(c, code, character, &k);
	return key_may_pass(k.vk, k.modifiers);
}

int typing_press(struct target_ref page, const struct chord *c, int64_t deadline)
{
	const struct key control = { "ControlLeft", 17, CONTROL }, shift = { "ShiftLeft", 16, SHIFT | (c->control ? CONTROL : 0) };
	const struct key control_up = { "ControlLeft", 17, 0 }, shift_up = { "ShiftLeft", 16, c->control ? CONTROL : 0 };
	char code[8], character[2] = { 0 };
	const char *key, *text;
	struct key k;

	chord_key(c, code, character, &k);
	key = c->character ? character : c->key;
	text = c->control ? NULL : c->character ? character : c->text;
	if (c->control)
		send_key(page, "rawKeyDown", "Control", NULL, &control, 0);
	if (c->shift)
		send_key(page, "rawKeyDown", "Shift", NULL, &shift, 0);
	send_key(page, text ? "keyDown" : "rawKeyDown", key, text, &k, 0);
	if (!c->shift && !c->control)
		return send_key(page, "keyUp", key, NULL, &k, deadline);
	send_key(page, "keyUp", key, NULL, &k, 0);
	if (c->shift && c->control)
		send_key(page, "keyUp", "Shift", NULL, &shift_up, 0);
	return c->control ? send_key(page, "keyUp", "Control", NULL, &control_up, deadline) :
			    send_key(page, "keyUp", "Shift", NULL, &shift_up, deadline);
}
