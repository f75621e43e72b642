/* The way from a page down to one of its frames: found by address, and where it lies in the page. */
#pragma once

#include "common/arena.h"
#include "streamd/browser/frames.h"

/*
 * All frames of a page, its own first, and of what it holds, in processes of their own or not; FRAMES_MOST at most. Waits. 0, or as
 * cdp_call().
 */
int page_frames(struct target_ref page, struct arena *arena, int64_t deadline, struct frame_info **ret, size_t *ret_count);

/*
 * The frame, other than the page itself, whose address fits the pattern. Waits. -ENOENT if there is none now, or as
 * cdp_call().
 */
int page_frame_find(struct target_ref page, const char *pattern, struct arena *arena, int64_t deadline,
	struct frame_info *ret);

/*
 * Where the upper left corner of what the frame (by id, reached through target) shows lies in its page, in CSS pixels.
 * Waits. 0, -ENOENT when it has gone, or as cdp_call().
 */
int frame_offset(struct target_ref target, const char *frame, int64_t deadline, double *ret_x, double *ret_y);

/*
 * Where the frame of a whole target lies in its page: what comes from the DOM domain (quads, box models) is measured
 * from there.
 */
int target_offset(struct target_ref target, int64_t deadline, double *ret_x, double *ret_y);
