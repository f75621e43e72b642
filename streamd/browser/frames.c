#include "streamd/browser/frames.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "common/origin.h"
#include "common/words.h"

struct listing {
	struct arena *arena;
	int64_t deadline;
	struct frame_info *frames;
	size_t count, silent;
};

/* What the page's process says of it; it comes into addresses and documents of ours (blank.h), so it must be one. */
static const char *frames_origin_of(struct arena *arena, const struct cbor *frame)
{
	const char *origin = cbor_get_utf8(arena, frame, "securityOrigin");

	return origin && !origin_check(origin) ? origin : NULL;
}

/* As deep as cbor_parse() lets a message be. */
static void frames_add_tree(struct listing *l, const struct target *t, const struct cbor *node, const char *parent)
{
	const struct cbor *frame = cbor_get(node, "frame");
	struct frame_info *f;
	const char *id;

	if (l->count == FRAMES_MOST || !frame)
		return;
	f = &l->frames[l->count];
	id = cbor_get_utf8(l->arena, frame, "id");
	if (!id || !exact_set(f->id, sizeof(f->id), "%s", id)) /* not what Chromium sends; nobody could ask for it */
		return;
	l->count++;
	f->target = target_ref_of(t);
	f->hidden = t->hidden;
	exact_must(f->parent, sizeof(f->parent), "%s", parent);
	f->origin = frames_origin_of(l->arena, frame);
	for (const struct cbor *c = cbor_first(cbor_get(node, "childFrames")); c; c = cbor_next(c))
		frames_add_tree(l, t, c, f->id);
}

static int frames_add_target(struct listing *l, struct target_ref target)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	int r = target_call(target, "Page.getFrameTree", deadline_min(l->deadline, deadline_in(FRAMES_ANSWER_MS)), &reply);
	const struct target *t = target_of(target);

	if (r == -ETIMEDOUT)
		l->silent++;
	if (r == -EREMOTE || r == -EPIPE || r == -ETIMEDOUT)
		return 0;
	if (r < 0)
		return r;
	if (t)
		frames_add_tree(l, t, cbor_get(reply.result, "frameTree"), t->parent);
	return 0;
}

static const struct frame_info *frames_frame_by_id(const struct listing *l, const char *id)
{
	for (size_t i = 0; *id && i < l->count; i++)
		if (strcmp(l->frames[i].id, id) == 0)
			return &l->frames[i];
	return NULL;
}

/* The origins from the page down. A frame without a parent of its own must be a page. */
static void set_chain(const struct listing *l, struct frame_info *f)
{
	const char *up[FRAME_MOST_DEPTH];
	const struct frame_info *at = f;
	size_t n = 0;

	while (at && n < FRAME_MOST_DEPTH) {
		up[n++] = at->origin;
		if (!at->parent[0])
			break;
		at = frames_frame_by_id(l, at->parent);
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

static int set_key(const struct listing *l, struct frame_info *f)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	int r;

	if (!f->origin)
		return 0;
	r = target_call(f->target, "Storage.getStorageKey", l->deadline, &reply, CDP_TEXT("frameId", f->id));
	if (r == -EREMOTE || r == -EPIPE) /* gone, or opaque after all */
		return 0;
	if (r < 0)
		return r;
	f->key = cbor_get_utf8(l->arena, reply.result, "storageKey");
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
	struct listing l = { .arena = arena, .deadline = deadline };
	struct target_ref targets[BROWSER_MOST_TARGETS];
	const struct target *own = target_of(page);
	size_t count = 0;
	struct target *t;
	int r = 0;

	if (page.number && !own)
		return -EPIPE;

	l.frames = arena_array(arena, FRAMES_MOST, sizeof(*l.frames));
	TAILQ_FOREACH (t, browser_targets(b), link) /* the list may change while we wait */
		if (belongs(t, own) && t->session[0] && !t->crashed && count < BROWSER_MOST_TARGETS)
			targets[count++] = target_ref_of(t);
	for (size_t i = 0; i < count && r == 0; i++)
		r = frames_add_target(&l, targets[i]);
	for (size_t i = 0; i < l.count && r == 0; i++) {
		set_chain(&l, &l.frames[i]);
		r = set_key(&l, &l.frames[i]);
	}
	if (r < 0)
		return r;
	*ret = l.frames;
	*ret_count = l.count;
	if (ret_silent)
		*ret_silent = l.silent;
	return 0;
}
