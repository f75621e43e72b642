/*
 * Which keys go to a page. Chromium has a whole user interface even without a display, and a key that the page leaves
 * alone is looked up among its shortcuts: bookmarks, settings, the source of a page, files of this machine. So only
 * what a page and its fields need passes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define KEY_CONTROL 2 /* as Chromium has them (Input.dispatchKeyEvent) */
#define KEY_SHIFT   8

/* A key of an American keyboard. */
struct keystroke {
	char code[16]; /* KeyboardEvent.code */
	int vk;        /* as Windows numbers it */
	bool shift;    /* is held with it */
};

/* Which key types a character; false if none does. */
bool key_of_character(char c, struct keystroke *ret);

/* vk: the Windows virtual key, by which Chromium knows a shortcut. modifiers: Alt 1, Control 2, Meta 4, Shift 8. */
bool key_may_pass(int64_t vk, int64_t modifiers);

/* Headless Chromium has no menus to find these in, so the editor is told: the command of a key, NULL if it has none. */
const char *key_editing_command(const char *code, int64_t modifiers);
