#include "streamd/frames.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MOST_FRAMES 256

struct listing {
	struct browser *browser;
	struct arena *arena;
	int64_t deadline;
	struct frame_info *frames;
	size_t count;
};

struct target *frame_target(struct browser *b, const struct frame_info *f)
{
	struct target *t = browser_target_by_id(b, f->target);

	return t && t->session[0] ? t : NULL;
}

static bool has_storage(const char *origin)
{
	return origin && (strncmp(origin, "https://", 8) == 0 || strncmp(origin, "http://", 7) == 0);
}

static void add_tree(struct listing *l, const struct target *t, const struct cbor *node, const char *parent)
{
	const struct cbor *frame = cbor_get(node, "frame");
	struct frame_info *f;

	if (l->count == MOST_FRAMES || !frame)
		return;
	f = &l->frames[l->count++];
	snprintf(f->target, sizeof(f->target), "%s", t->id);
	snprintf(f->id, sizeof(f->id), "%s", cbor_get_utf8(l->arena, frame, "id"));
	snprintf(f->parent, sizeof(f->parent), "%s", parent);
	f->origin = cbor_get_utf8(l->arena, frame, "securityOrigin");
	for (const struct cbor *c = cbor_first(cbor_get(node, "childFrames")); c; c = cbor_next(c))
		add_tree(l, t, c, f->id);
}

static int add_target(struct listing *l, const struct target *t)
{
	struct cdp_reply reply;
	int r = cdp_call(browser_cdp(l->browser), t->session, "Page.getFrameTree", l->deadline, &reply);

	if (r < 0)
		return r;
	add_tree(l, t, cbor_get(reply.result, "frameTree"), t->parent);
	cdp_reply_free(&reply);
	return 0;
}

static const struct frame_info *frame_by_id(const struct listing *l, const char *id)
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
		at = frame_by_id(l, at->parent);
	}
	if (!at || at->parent[0])
		return;
	for (size_t i = 0; i < n; i++)
		f->chain[i] = up[n - 1 - i];
	f->depth = n;
}

static int set_key(const struct listing *l, struct frame_info *f)
{
	struct target *t = frame_target(l->browser, f);
	struct cdp_reply reply;
	int r;

	if (!t || !has_storage(f->origin))
		return 0;
	r = cdp_call(browser_cdp(l->browser), t->session, "Storage.getStorageKey", l->deadline, &reply,
		CDP_TEXT("frameId", f->id));
	if (r == -EREMOTE || r == -EPIPE) /* gone, or opaque after all */
		return 0;
	if (r < 0)
		return r;
	f->key = arena_strdup(l->arena, cbor_get_utf8(reply.arena, reply.result, "storageKey"));
	cdp_reply_free(&reply);
	return 0;
}

/* Whether t is the page, or a frame below it, as far as we know: a frame names only the frame that holds it. */
static bool belongs(const struct target *t, const struct target *page)
{
	if (page)
		return t == page || (t->kind == TARGET_FRAME && t->hidden == page->hidden);
	return !t->hidden;
}

int frames_list(struct browser *b, const struct target *page, struct arena *arena, int64_t deadline,
	struct frame_info **ret, size_t *ret_count)
{
	struct listing l = { .browser = b, .arena = arena, .deadline = deadline };
	char ids[64][48];
	size_t targets = 0;
	struct target *t;
	int r = 0;

	l.frames = arena_array(arena, MOST_FRAMES, sizeof(*l.frames));
	TAILQ_FOREACH (t, browser_targets(b), link) /* the list may change while we wait */
		if (belongs(t, page) && t->session[0] && !t->crashed && targets < 64)
			memcpy(ids[targets++], t->id, sizeof(t->id));
	for (size_t i = 0; i < targets && r == 0; i++) {
		t = browser_target_by_id(b, ids[i]);
		r = t ? add_target(&l, t) : 0;
		if (r == -EREMOTE || r == -EPIPE)
			r = 0;
	}
	for (size_t i = 0; i < l.count && r == 0; i++) {
		set_chain(&l, &l.frames[i]);
		r = set_key(&l, &l.frames[i]);
	}
	if (r < 0)
		return r;
	*ret = l.frames;
	*ret_count = l.count;
	return 0;
}
