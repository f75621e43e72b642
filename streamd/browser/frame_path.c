#include "streamd/browser/frame_path.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/words.h"
#include "recipe/recipe.h"
#include "streamd/browser/page.h"

#define MOST_DEPTH   16

/* The page's target and every frame that has a process of its own. */
static size_t list_targets(const struct target *page, struct target_ref list[BROWSER_MOST_TARGETS])
{
	struct target *t;
	size_t n = 1;

	list[0] = target_ref_of(page);
	TAILQ_FOREACH (t, browser_targets(page->browser), link)
		if (t->kind == TARGET_FRAME && t->hidden == page->hidden && t->session[0] && n < BROWSER_MOST_TARGETS)
			list[n++] = target_ref_of(t);
	return n;
}

static bool hangs_on(const struct frame_tree *tree, const struct frame_info *f, const char *page)
{
	for (int depth = 0; f && depth < MOST_DEPTH; depth++) {
		if (strcmp(f->id, page) == 0)
			return true;
		f = frame_tree_find(tree, f->parent);
	}
	return false;
}

/* Another page's frames are in the list too. */
static void keep_own(struct frame_tree *tree, const char *page)
{
	bool own[FRAMES_MOST];
	size_t kept = 0;

	for (size_t i = 0; i < tree->count; i++)
		own[i] = hangs_on(tree, &tree->frames[i], page);
	for (size_t i = 0; i < tree->count; i++)
		if (own[i])
			tree->frames[kept++] = tree->frames[i];
	tree->count = kept;
}

int page_frames(struct target_ref page, struct arena *arena, int64_t deadline, struct frame_info **ret, size_t *ret_count)
{
	const struct target *own = target_of(page);
	struct target_ref targets[BROWSER_MOST_TARGETS];
	struct frame_tree tree = { .arena = arena, .frames = arena_array(arena, FRAMES_MOST, sizeof(*tree.frames)), .urls = true };
	char id[CDP_ID];
	size_t n;

	if (!own)
		return -EPIPE;
	memcpy(id, own->id, sizeof(id));
	n = list_targets(own, targets);
	for (size_t i = 0; i < n; i++) {
		int r = frame_tree_read(&tree, targets[i], deadline);
		if (r < 0 && (i == 0 || (r != -EPIPE && r != -EREMOTE))) /* a frame may go; the page may not */
			return r;
	}
	keep_own(&tree, id);
	*ret = tree.frames;
	*ret_count = tree.count;
	return 0;
}

int page_frame_find(struct target_ref page, const char *pattern, struct arena *arena, int64_t deadline,
	struct frame_info *ret)
{
	struct frame_info *frames;
	size_t count;
	int r = page_frames(page, arena, deadline, &frames, &count);

	if (r < 0)
		return r;
	for (size_t i = 1; i < count; i++) {
		if (url_fits_any(frames[i].url, &pattern, 1)) {
			*ret = frames[i];
			return 0;
		}
	}
	return -ENOENT;
}

/* The upper left corner of the content box of the element that holds a frame, in the view of the target asked. */
static int owner_corner(struct target_ref target, const char *frame, int64_t deadline, double *ret_x, double *ret_y)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	const struct cbor *quad;
	int64_t node;
	int r = target_call(target, "DOM.getFrameOwner", deadline, &reply, CDP_TEXT("frameId", frame));

	if (r < 0)
		return r;
	node = cbor_get_int(reply.result, "backendNodeId", 0);
	cdp_reply_free(&reply);
	r = target_call(target, "DOM.getBoxModel", deadline, &reply, CDP_INT("backendNodeId", node));
	if (r < 0)
		return r;
	quad = cbor_get(cbor_get(reply.result, "model"), "content");
	return page_place(cbor_at(quad, 0), ret_x) && page_place(cbor_at(quad, 1), ret_y) ? 0 : -EREMOTE; /* it has no place */
}

/* The target whose document holds the frame that this target is: asked one after another, the likely one first. */
static size_t list_holders(struct target *t, struct target_ref list[BROWSER_MOST_TARGETS])
{
	struct target *parent = browser_target_by_id(t->browser, t->parent), *o;
	size_t n = 0;

	if (parent)
		list[n++] = target_ref_of(parent);
	TAILQ_FOREACH (o, browser_targets(t->browser), link)
		if (o != t && o != parent && o->session[0] && !o->crashed && o->hidden == t->hidden && n < BROWSER_MOST_TARGETS)
			list[n++] = target_ref_of(o);
	return n;
}

/* *target becomes its holder. */
static int holder_corner(struct target_ref *target, int64_t deadline, double *ret_x, double *ret_y)
{
	struct target_ref holders[BROWSER_MOST_TARGETS];
	struct target *t = target_of(*target);
	char frame[CDP_ID];
	size_t n;

	if (!t)
		return -ENOENT;
	memcpy(frame, t->id, sizeof(frame));
	n = list_holders(t, holders);
	for (size_t i = 0; i < n; i++) {
		int r = owner_corner(holders[i], frame, deadline, ret_x, ret_y);
		if (r == 0)
			*target = holders[i];
		if (r == 0 || (r != -EREMOTE && r != -EPIPE))
			return r;
	}
	return -ENOENT;
}

int target_offset(struct target_ref target, int64_t deadline, double *ret_x, double *ret_y)
{
	const struct target *t = target_of(target);
	double x = 0, y = 0;
	int depth = 0;

	while (t && t->kind == TARGET_FRAME) {
		double dx = 0, dy = 0;
		int r = depth++ < MOST_DEPTH ? holder_corner(&target, deadline, &dx, &dy) : -ENOENT;
		if (r < 0)
			return r;
		x += dx;
		y += dy;
		t = target_of(target);
	}
	if (!t)
		return -ENOENT;
	*ret_x = x;
	*ret_y = y;
	return 0;
}

int frame_offset(struct target_ref target, const char *frame, int64_t deadline, double *ret_x, double *ret_y)
{
	const struct target *t = target_of(target);
	double x = 0, y = 0, dx, dy;
	int r = 0;

	if (!t)
		return -ENOENT;
	if (strcmp(frame, t->id) != 0) /* one within the target's document, however deep */
		r = owner_corner(target, frame, deadline, &x, &y);
	if (r == 0)
		r = target_offset(target, deadline, &dx, &dy);
	if (r < 0)
		return r;
	*ret_x = x + dx;
	*ret_y = y + dy;
	return 0;
}
