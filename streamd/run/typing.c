#include "streamd/run/typing.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"

#define SHIFT     8
#define COMPOSING 229 /* the virtual key of what an input method takes (UI Events, section 5.2.3) */

struct key {
	const char *code; /* KeyboardEvent.code; the last character of a letter's or a digit's is put in */
	int vk;
	bool shift;
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
		*ret = (struct key){ marks[i].code, marks[i].vk, c != marks[i].plain };
		return true;
	}
	if (!upper && !lower && !digit && !shifted)
		return false;
	memcpy(code, upper || lower ? "KeyX" : "DigitX", upper || lower ? 5 : 7);
	char name = lower ? (char)(c - 'a' + 'A') : shifted ? (char)('0' + (shifted - digits_shifted)) : c;
	code[strlen(code) - 1] = name;
	*ret = (struct key){ code, name, upper || shifted };
	return true;
}

/* deadline 0: not waited for. Keys are carried out in order, so whoever waits for the last has waited for all. */
static int send_key(struct target_ref page, const char *type, const char *key, const char *text, const struct key *k,
	int64_t deadline)
{
	const struct cdp_arg args[] = { CDP_TEXT("type", type), CDP_TEXT("key", key), CDP_TEXT("code", k->code),
		CDP_INT("windowsVirtualKeyCode", k->vk), CDP_INT("nativeVirtualKeyCode", k->vk),
		CDP_INT("modifiers", k->shift ? SHIFT : 0), CDP_TEXT("text", text), CDP_TEXT("unmodifiedText", text), { 0 } };

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
	static const struct key key = { "", COMPOSING, false };
	const struct target *t = target_of(page);

	if (!t)
		return -EPIPE;
	send_key(page, "rawKeyDown", "Process", NULL, &key, 0);
	cdp_send(browser_cdp(t->browser), t->session, "Input.insertText", CDP_TEXT("text", text));
	return send_key(page, "keyUp", "Process", NULL, &key, deadline);
}

static int erase(struct target_ref page, int64_t deadline)
{
	static const struct key backspace = { "Backspace", 8, false };

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
