/*
 * Which keys go to a page. Chromium has a whole user interface even without a display, and a key that the page leaves
 * alone is looked up among its shortcuts: bookmarks, settings, the source of a page, files of this machine. So only
 * what a page and its fields need passes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* vk: the Windows virtual key, by which Chromium knows a shortcut. modifiers: Alt 1, Control 2, Meta 4, Shift 8. */
bool key_may_pass(int64_t vk, int64_t modifiers);

/* Headless Chromium has no menus to find these in, so the editor is told: the command of a key, NULL if it has none. */
const char *key_editing_command(const char *code, int64_t modifiers);
