#include "streamd/browser/frames.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "common/origin.h"
#include "common/words.h"

/* What the page's process says of it; it comes into addresses and documents of ours (blank.h), so it must be one. */
static const char *frames_origin_of(struct arena *arena, const struct cbor *frame)
{
	const char *origin = cbor_get_utf8(arena, frame, "securityOrigin");

	return origin && !origin_check(origin) ? origin : NULL;
}

/* As deep as cbor_parse() lets a message be. */
static void frames_add_tree(struct frame_tree *tree, const struct target *t, const struct cbor *node, const char *parent)
{
	const struct cbor *frame = cbor_get(node, "frame");
	struct frame_info *f;

	if (tree->count == FRAMES_MOST || !frame)
		return;
	f = &tree->frames[tree->count];
	if (!cdp_id(frame, "id", f->id)) /* not what Chromium sends; nobody could ask for it */
		return;
	tree->count++;
	f->target = target_ref_of(t);
	f->hidden = t->hidden;
	exact_must(f->parent, sizeof(f->parent), "%s", parent);
	f->url = tree->urls ? url_in(tree->arena, cbor_get_utf8(tree->arena, frame, "url")) : NULL;
	f->origin = frames_origin_of(tree->arena, frame);
	for (const struct cbor *c = cbor_first(cbor_get(node, "childFrames")); c; c = cbor_next(c))
		frames_add_tree(tree, t, c, f->id);
}

int frame_tree_read(struct frame_tree *tree, struct target_ref target, int64_t deadline)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	int r = target_call(target, "Page.getFrameTree", deadline, &reply);
	const struct target *t = target_of(target);

	if (r == 0 && t)
		frames_add_tree(tree, t, cbor_get(reply.result, "frameTree"), t->parent);
	return r;
}

const struct frame_info *frame_tree_find(const struct frame_tree *tree, const char *id)
{
	for (size_t i = 0; *id && i < tree->count; i++)
		if (strcmp(tree->frames[i].id, id) == 0)
			return &tree->frames[i];
	return NULL;
}

/* The origins from the page down. A frame without a parent of its own must be a page. */
static void set_chain(const struct frame_tree *tree, struct frame_info *f)
{
	const char *up[FRAME_MOST_DEPTH];
	const struct frame_info *at = f;
	size_t n = 0;

	while (at && n < FRAME_MOST_DEPTH) {
		up[n++] = at->origin;
		if (!at->parent[0])
			break;
		at = frame_tree_find(tree, at->parent);
	}
	if (!at || at->parent[0])
		return;
	for (size_t i = 0; i < n; i++)
		if (!up[i]) /* within something that has no origin, such as a sandbox: it could not be built again */
			return;
	for (size_t i = 0; i < n; i++)
		f->chain[i] = up[n - 1 - i];
	f->depth = n;
}

static int set_key(struct arena *arena, struct frame_info *f, int64_t deadline)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	int r;

	if (!f->origin)
		return 0;
	r = target_call(f->target, "Storage.getStorageKey", deadline, &reply, CDP_TEXT("frameId", f->id));
	if (r == -EREMOTE || r == -EPIPE) /* gone, or opaque after all */
		return 0;
	if (r < 0)
		return r;
	f->key = cbor_get_utf8(arena, reply.result, "storageKey");
	return 0;
}

/* Whether t is the page, or a frame below it, as far as we know: a frame names only the frame that holds it. */
static bool belongs(const struct target *t, const struct target *page)
{
	if (page)
		return t == page || (t->kind == TARGET_FRAME && t->hidden == page->hidden);
	return !t->hidden;
}

int frames_list(struct browser *b, struct target_ref page, struct arena *arena, int64_t deadline,
	struct frame_info **ret, size_t *ret_count, size_t *ret_silent)
{
	struct frame_tree tree = { .arena = arena, .frames = arena_array(arena, FRAMES_MOST, sizeof(*tree.frames)) };
	struct target_ref targets[BROWSER_MOST_TARGETS];
	const struct target *own = target_of(page);
	size_t count = 0, silent = 0;
	struct target *t;
	int r = 0;

	if (page.number && !own)
		return -EPIPE;
	TAILQ_FOREACH (t, browser_targets(b), link) /* the list may change while we wait */
		if (belongs(t, own) && t->session[0] && !t->crashed && count < BROWSER_MOST_TARGETS)
			targets[count++] = target_ref_of(t);
	for (size_t i = 0; i < count && r == 0; i++) {
		r = frame_tree_read(&tree, targets[i], deadline_min(deadline, deadline_in(FRAMES_ANSWER_MS)));
		silent += r == -ETIMEDOUT;
		if (r == -EREMOTE || r == -EPIPE || r == -ETIMEDOUT)
			r = 0;
	}
	for (size_t i = 0; i < tree.count && r == 0; i++) {
		set_chain(&tree, &tree.frames[i]);
		r = set_key(arena, &tree.frames[i], deadline);
	}
	if (r < 0)
		return r;
	*ret = tree.frames;
	*ret_count = tree.count;
	if (ret_silent)
		*ret_silent = silent;
	return 0;
}
