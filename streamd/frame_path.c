#include "streamd/frame_path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "recipe/recipe.h"

#define MOST_TARGETS 64
#define MOST_DEPTH   16

struct walk {
	struct arena *arena;
	struct page_frame *frames;
	size_t count;
};

static void add_tree(struct walk *w, const char *target, const struct cbor *node, const char *parent)
{
	const struct cbor *frame = cbor_get(node, "frame");
	struct page_frame *f;

	if (!frame || w->count == PAGE_MOST_FRAMES)
		return;
	f = &w->frames[w->count++];
	snprintf(f->target, sizeof(f->target), "%s", target);
	snprintf(f->id, sizeof(f->id), "%s", cbor_get_utf8(w->arena, frame, "id"));
	snprintf(f->parent, sizeof(f->parent), "%s", parent);
	f->url = cbor_get_utf8(w->arena, frame, "url");
	for (const struct cbor *c = cbor_first(cbor_get(node, "childFrames")); c; c = cbor_next(c))
		add_tree(w, target, c, f->id);
}

static int add_target(struct walk *w, struct target *t, int64_t deadline)
{
	struct cdp_reply reply;
	char id[48], parent[48];
	int r;

	memcpy(id, t->id, sizeof(id)); /* the target may go while we wait */
	memcpy(parent, t->parent, sizeof(parent));
	r = cdp_call(browser_cdp(t->browser), t->session, "Page.getFrameTree", deadline, &reply);
	if (r < 0)
		return r;
	add_tree(w, id, cbor_get(reply.result, "frameTree"), parent);
	cdp_reply_free(&reply);
	return 0;
}

/* The ids of the page's target and of every frame that has a process of its own, for the list changes while we wait. */
static size_t list_targets(struct target *page, char ids[MOST_TARGETS][48])
{
	struct target *t;
	size_t n = 1;

	memcpy(ids[0], page->id, sizeof(page->id));
	TAILQ_FOREACH (t, browser_targets(page->browser), link)
		if (t->kind == TARGET_FRAME && t->hidden == page->hidden && t->session[0] && n < MOST_TARGETS)
			memcpy(ids[n++], t->id, sizeof(t->id));
	return n;
}

static const struct page_frame *frame_by_id(const struct walk *w, const char *id)
{
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->frames[i].id, id) == 0)
			return &w->frames[i];
	return NULL;
}

static bool hangs_on(const struct walk *w, const struct page_frame *f, const char *page)
{
	for (int depth = 0; f && depth < MOST_DEPTH; depth++) {
		if (strcmp(f->id, page) == 0)
			return true;
		f = frame_by_id(w, f->parent);
	}
	return false;
}

/* Another page's frames are in the list too. */
static void keep_own(struct walk *w, const char *page)
{
	bool own[PAGE_MOST_FRAMES];
	size_t kept = 0;

	for (size_t i = 0; i < w->count; i++)
		own[i] = hangs_on(w, &w->frames[i], page);
	for (size_t i = 0; i < w->count; i++)
		if (own[i])
			w->frames[kept++] = w->frames[i];
	w->count = kept;
}

int page_frames(struct target *page, struct arena *arena, int64_t deadline, struct page_frame **ret, size_t *ret_count)
{
	struct walk w = { .arena = arena };
	struct browser *b = page->browser;
	char ids[MOST_TARGETS][48];
	size_t n = list_targets(page, ids);

	w.frames = arena_array(arena, PAGE_MOST_FRAMES, sizeof(*w.frames));
	for (size_t i = 0; i < n; i++) {
		struct target *t = browser_target_by_id(b, ids[i]);
		int r = t ? add_target(&w, t, deadline) : -EPIPE;
		if (r < 0 && (i == 0 || (r != -EPIPE && r != -EREMOTE))) /* a frame may go; the page may not */
			return r;
	}
	keep_own(&w, ids[0]);
	*ret = w.frames;
	*ret_count = w.count;
	return 0;
}

int page_frame_find(struct target *page, const char *pattern, struct arena *arena, int64_t deadline,
	struct page_frame *ret)
{
	struct page_frame *frames;
	size_t count;
	int r = page_frames(page, arena, deadline, &frames, &count);

	if (r < 0)
		return r;
	for (size_t i = 1; i < count; i++) {
		if (recipe_any_url(&pattern, 1, frames[i].url)) {
			*ret = frames[i];
			return 0;
		}
	}
	return -ENOENT;
}

/* The upper left corner of the content box of the element that holds a frame, in the view of the target asked. */
static int owner_corner(struct target *t, const char *frame, int64_t deadline, double *ret_x, double *ret_y)
{
	struct cdp *cdp = browser_cdp(t->browser);
	struct cdp_reply reply;
	const struct cbor *quad;
	char session[48];
	int64_t node;
	int r;

	memcpy(session, t->session, sizeof(session));
	r = cdp_call(cdp, session, "DOM.getFrameOwner", deadline, &reply, CDP_TEXT("frameId", frame));
	if (r < 0)
		return r;
	node = cbor_get_int(reply.result, "backendNodeId", 0);
	cdp_reply_free(&reply);
	r = cdp_call(cdp, session, "DOM.getBoxModel", deadline, &reply, CDP_INT("backendNodeId", node));
	if (r < 0)
		return r;
	quad = cbor_get(cbor_get(reply.result, "model"), "content");
	cbor_double(cbor_at(quad, 0), ret_x);
	cbor_double(cbor_at(quad, 1), ret_y);
	cdp_reply_free(&reply);
	return 0;
}

/* The target whose document holds the frame that this target is: asked one after another, the likely one first. */
static int holder_corner(struct target *t, int64_t deadline, struct target **ret_holder, double *ret_x, double *ret_y)
{
	struct browser *b = t->browser;
	char ids[MOST_TARGETS][48], frame[48];
	struct target *o;
	size_t n = 0;

	memcpy(frame, t->id, sizeof(frame));
	o = browser_target_by_id(b, t->parent);
	if (o)
		memcpy(ids[n++], o->id, sizeof(o->id));
	TAILQ_FOREACH (o, browser_targets(b), link)
		if (o != t && o->session[0] && !o->crashed && o->hidden == t->hidden && n < MOST_TARGETS)
			memcpy(ids[n++], o->id, sizeof(o->id));
	for (size_t i = 0; i < n; i++) {
		o = browser_target_by_id(b, ids[i]);
		int r = o ? owner_corner(o, frame, deadline, ret_x, ret_y) : -EPIPE;
		if (r == 0)
			*ret_holder = browser_target_by_id(b, ids[i]);
		if (r == 0 || (r != -EREMOTE && r != -EPIPE))
			return r;
	}
	return -ENOENT;
}

int target_offset(struct target *target, int64_t deadline, double *ret_x, double *ret_y)
{
	double x = 0, y = 0;
	int depth = 0;

	while (target && target->kind == TARGET_FRAME) {
		double dx = 0, dy = 0;
		int r = depth++ < MOST_DEPTH ? holder_corner(target, deadline, &target, &dx, &dy) : -ENOENT;
		if (r < 0)
			return r;
		x += dx;
		y += dy;
	}
	if (!target)
		return -ENOENT;
	*ret_x = x;
	*ret_y = y;
	return 0;
}

int frame_offset(struct target *target, const char *frame, int64_t deadline, double *ret_x, double *ret_y)
{
	struct browser *b = target->browser;
	double x = 0, y = 0, dx, dy;
	char id[48];
	int r = 0;

	memcpy(id, target->id, sizeof(id));
	if (strcmp(frame, id) != 0) /* one within the target's document, however deep */
		r = owner_corner(target, frame, deadline, &x, &y);
	if (r < 0)
		return r;
	target = browser_target_by_id(b, id);
	r = target ? target_offset(target, deadline, &dx, &dy) : -ENOENT;
	if (r < 0)
		return r;
	*ret_x = x + dx;
	*ret_y = y + dy;
	return 0;
}
