/* The frames of a browser's pages: where each hangs, and which storage it has. */
#pragma once

#include <stddef.h>

#include "streamd/browser/browser.h"

#define FRAME_MOST_DEPTH 8
#define FRAMES_MOST      256

/* Texts are the arena's. Key, chain and depth are known of those that frames_list() gives. */
struct frame_info {
	struct target_ref target; /* whose session reaches it */
	bool hidden;              /* in a tab of ours */
	char id[CDP_ID];
	char parent[CDP_ID]; /* "" for a page */
	const struct url *url; /* NULL unless it was wanted */
	const char *origin;  /* such as https://desk.test; NULL if it is no web origin */
	const char *key;  /* storage key; NULL if it has none (about:blank, sandboxed) */
	const char *chain[FRAME_MOST_DEPTH]; /* origins from the page down to this frame */
	size_t depth;     /* 0 if it hangs too deep or on nothing */
};

/* Frames as they are found, one target after another. */
struct frame_tree {
	struct arena *arena;
	struct frame_info *frames; /* room for FRAMES_MOST */
	size_t count;
	bool urls; /* are wanted, although they may be long */
};

/* Adds those that a target's session reaches. Waits. 0, or as cdp_call(). */
int frame_tree_read(struct frame_tree *tree, struct target_ref target, int64_t deadline);

/* That of this id, "" for none; or NULL. */
const struct frame_info *frame_tree_find(const struct frame_tree *tree, const char *id);

/*
 * All frames, FRAMES_MOST at most, of page and its popups' (page NO_TARGET: of every shown page) that have storage, in
 * order. Texts and array are the arena's. Waits. 0, or as cdp_call(). A frame that goes meanwhile is left out, and so are those
 * of a page that does not answer for FRAMES_ANSWER_MS: *ret_silent is how many such there were (may be NULL).
 */
#define FRAMES_ANSWER_MS 4000
int frames_list(struct browser *b, struct target_ref page, struct arena *arena, int64_t deadline,
	struct frame_info **ret, size_t *ret_count, size_t *ret_silent);
