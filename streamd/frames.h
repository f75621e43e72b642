/* The frames of a browser's pages: where each hangs, and which storage it has. */
#pragma once

#include <stddef.h>

#include "streamd/browser.h"

#define FRAME_MOST_DEPTH 8

struct frame_info {
	char target[48];  /* id of the target whose session reaches it */
	char id[48];
	char parent[48];  /* "" for a page */
	const char *origin; /* such as https://desk.test */
	const char *key;  /* storage key; NULL if it has none (about:blank, sandboxed) */
	const char *chain[FRAME_MOST_DEPTH]; /* origins from the page down to this frame */
	size_t depth;     /* 0 if it hangs too deep or on nothing */
};

/*
 * All frames of page and its popups' (page NULL: of every shown page) that have storage, in order. Texts and array are
 * the arena's. Waits. 0, or as cdp_call(). A frame that goes meanwhile is left out.
 */
int frames_list(struct browser *b, const struct target *page, struct arena *arena, int64_t deadline,
	struct frame_info **ret, size_t *ret_count);

/* The target that reaches the frame, or NULL if it has gone since. */
struct target *frame_target(struct browser *b, const struct frame_info *f);
