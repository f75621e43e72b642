/*
 * Text that a run writes, as somebody at a keyboard does: pages wait for keys (keydown, keypress, keyup), count them, and
 * enable a button by the last. What no key of an American keyboard types comes as an input method gives it.
 */
#pragma once

#include <stdint.h>

#include "recipe/chord.h"
#include "streamd/browser/browser.h"

/* Types into whatever has the focus, or takes out what is selected if text is "". Waits: 0, or as cdp_call(). */
int typing_carry_out(struct target_ref page, const char *text, int64_t deadline);

/* Presses them, and lets them go; all of it is sent at once, without a wait between. Waits: 0, or as cdp_call(). */
int typing_press(struct target_ref page, const struct chord *c, int64_t deadline);
