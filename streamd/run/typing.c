#include "streamd/run/typing.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/keys.h"

#define COMPOSING 229 /* the virtual key of what an input method takes (UI Events, section 5.2.3) */

struct key {
	const char *code; /* KeyboardEvent.code */
	int vk, modifiers;
};

static bool typing_key_of(char c, struct keystroke *stroke, struct key *ret)
{
	if (!key_of_character(c, stroke))
		return false;
	*ret = (struct key){ stroke->code, stroke->vk, stroke->shift ? KEY_SHIFT : 0 };
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
	struct keystroke stroke;
	size_t n = 0;

	while (text[n] && !key_of_character(text[n], &stroke))
		n++;
	return n;
}

/* Waits for the last alone. */
static int type_all(struct target_ref page, const char *text, int64_t deadline, struct arena *arena)
{
	for (;;) {
		char character[2] = { *text };
		struct keystroke stroke;
		size_t composed = length_composed(text), n = composed ? composed : 1;
		int64_t wait = text[n] ? 0 : deadline;
		struct key k;
		int r = composed ? compose(page, arena_memdup(arena, text, n), wait) :
			typing_key_of(*text, &stroke, &k) ? type_one(page, character, &k, wait) : 0;
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

int typing_press(struct target_ref page, const struct chord *c, int64_t deadline)
{
	const int control = c->control ? KEY_CONTROL : 0, shift = c->shift ? KEY_SHIFT : 0;
	const struct key keys[] = { { "ControlLeft", 17, control }, { "ShiftLeft", 16, control | shift }, { c->code, c->vk, c->modifiers } };
	const struct key let_go[] = { { "ShiftLeft", 16, control }, { "ControlLeft", 17, 0 } };
	const char *text = *c->text ? c->text : NULL;

	if (c->control)
		send_key(page, "rawKeyDown", "Control", NULL, &keys[0], 0);
	if (c->shift)
		send_key(page, "rawKeyDown", "Shift", NULL, &keys[1], 0);
	send_key(page, text ? "keyDown" : "rawKeyDown", c->key, text, &keys[2], 0);
	if (!c->shift && !c->control)
		return send_key(page, "keyUp", c->key, NULL, &keys[2], deadline);
	send_key(page, "keyUp", c->key, NULL, &keys[2], 0);
	if (!c->control)
		return send_key(page, "keyUp", "Shift", NULL, &let_go[0], deadline);
	if (c->shift)
		send_key(page, "keyUp", "Shift", NULL, &let_go[0], 0);
	return send_key(page, "keyUp", "Control", NULL, &let_go[1], deadline);
}
