#include "streamd/element.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "streamd/frame_path.h"
#include "streamd/pages.h"

#define ANSWER_MS 5000 /* beyond what the page was given, before it counts as hung */
#define LOOKS     20   /* at a frame's place, until it stands still */

/* CDP's rows for one wish; texts that are NULL are left out. */
static const struct cdp_arg *wish_args(struct arena *arena, const struct wish *w)
{
	const struct selector *s = w->at;
	const struct cdp_arg rows[] = {
		CDP_TEXT("css", s->css),
		CDP_TEXT("text", s->text),
		CDP_BOOL("exact", s->exact),
		CDP_TEXT("role", s->role),
		CDP_TEXT("name", s->name),
		CDP_INT("nth", s->nth),
		CDP_BOOL("gone", w->gone),
		CDP_BOOL("press", w->press),
		CDP_BOOL("edit", w->edit),
		CDP_TEXT("value", w->value),
		CDP_TEXT("attribute", w->attribute),
		CDP_TEXT("option", w->option),
		{ 0 },
	};

	return arena_memdup(arena, rows, sizeof(rows));
}

static struct cdp_arg cells_arg(struct arena *arena, const struct cell_wish *cells, size_t count)
{
	struct cdp_arg *list = arena_array(arena, count + 1, sizeof(*list));

	for (size_t i = 0; i < count; i++) {
		const struct cdp_arg rows[] = { CDP_TEXT("css", cells[i].css),
			CDP_TEXT("attribute", cells[i].attribute), { 0 } };
		list[i] = (struct cdp_arg){ .kind = CDP_KIND_MAP, .inner = arena_memdup(arena, rows, sizeof(rows)) };
	}
	return (struct cdp_arg){ .name = "cells", .kind = CDP_KIND_LIST, .inner = list };
}

/* The frame that a selector names by its address; the page itself if it names none. */
static int find_frame(struct target *page, const char *pattern, struct arena *arena, struct page_frame *ret)
{
	if (pattern)
		return page_frame_find(page, pattern, arena, deadline_in(ANSWER_MS), ret);
	*ret = (struct page_frame){ 0 };
	memcpy(ret->target, page->id, sizeof(ret->target));
	memcpy(ret->id, page->id, sizeof(ret->id));
	return 0;
}

/* Asks the page; cells (NULL: none) as in element_wait.js. */
static int ask(struct browser *b, const struct page_frame *f, const struct wish *wishes, size_t count, int64_t ms,
	const struct cdp_arg *cells, struct arena *arena, struct cdp_reply *ret)
{
	struct cdp_arg *list = arena_array(arena, count + 1, sizeof(*list));
	struct target *target = browser_target_by_id(b, f->target);

	if (!target || !target->session[0])
		return -EREMOTE;
	for (size_t i = 0; i < count; i++)
		list[i] = (struct cdp_arg){ .kind = CDP_KIND_MAP, .inner = wish_args(arena, &wishes[i]) };
	const struct cdp_arg value[] = { { .name = "wishes", .kind = CDP_KIND_LIST, .inner = list },
		CDP_INT("timeout_ms", ms), cells ? *cells : (struct cdp_arg){ 0 }, { 0 } };
	const struct cdp_arg wrapped[] = { { .name = "value", .kind = CDP_KIND_MAP, .inner = value }, { 0 } };
	const struct cdp_arg args[] = { { .kind = CDP_KIND_MAP, .inner = wrapped }, { 0 } };
	return frame_call_args(target, f->id, page_element_wait, deadline_in(ms + ANSWER_MS), ret, args);
}

static void read_element(struct arena *arena, const struct cbor *v, struct element *ret)
{
	*ret = (struct element){ .which = (size_t)cbor_get_int(v, "which", 0),
		.text = cbor_get_utf8(arena, v, "text"),
		.x = cbor_get_double(v, "x", 0),
		.y = cbor_get_double(v, "y", 0),
		.moved = cbor_get_bool(v, "moved", false),
		.late = !cbor_get(v, "which") && !cbor_get(v, "moved"),
		.covered = cbor_get_bool(v, "covered", false),
		.disabled = cbor_get_bool(v, "disabled", false),
		.moving = cbor_get_bool(v, "moving", false),
		.readonly = cbor_get_bool(v, "readonly", false),
		.optionless = cbor_get_bool(v, "optionless", false) };
	if (ret->late)
		ret->text = cbor_get_utf8(arena, v, "seen");
}

/* Scrolling the pages around a frame of another process takes its time, and nothing tells of its end. */
static int place_in_page(struct browser *b, const struct page_frame *f, struct element *e)
{
	int64_t deadline = deadline_in(ANSWER_MS);
	double x = 0, y = 0, was_x, was_y;

	for (int looks = 0; looks < LOOKS; looks++) {
		struct target *t = browser_target_by_id(b, f->target);
		int r;
		was_x = x;
		was_y = y;
		r = t ? frame_offset(t, f->id, deadline, &x, &y) : -EREMOTE;
		if (r < 0)
			return r == -ENOENT ? -EREMOTE : r;
		if (looks > 0 && x == was_x && y == was_y)
			break;
		r = fiber_sleep_until(deadline_in(16));
		if (r < 0)
			return r;
	}
	e->x += x;
	e->y += y;
	return 0;
}

/* The frame may come yet, or it is gone as wished. */
static int answer_frameless(const struct wish *wishes, size_t count, int64_t ms, struct element *ret)
{
	int64_t end = deadline_in(ms < 100 ? ms : 100);

	for (size_t i = 0; i < count; i++) {
		if (wishes[i].gone) {
			*ret = (struct element){ .which = i, .text = "" };
			return 0;
		}
	}
	*ret = (struct element){ .late = true, .frameless = true };
	return fiber_sleep_until(end);
}

int element_wait(struct target *page, const struct wish *wishes, size_t count, int64_t ms, struct arena *arena,
	struct element *ret)
{
	struct browser *b = page->browser;
	struct page_frame f;
	struct cdp_reply reply;
	struct element e;
	bool in_page = !count || !wishes[0].at->frame;
	int r = find_frame(page, in_page ? NULL : wishes[0].at->frame, arena, &f);

	if (r == -ENOENT)
		return answer_frameless(wishes, count, ms, ret);
	if (r == 0)
		r = ask(b, &f, wishes, count, ms, NULL, arena, &reply);
	if (r < 0)
		return r;
	read_element(arena, frame_value(&reply), &e);
	cdp_reply_free(&reply);
	memcpy(e.target, f.target, sizeof(e.target));
	memcpy(e.frame, f.id, sizeof(e.frame));
	if (!e.late && !e.moved && wishes[e.which].press && !in_page)
		r = place_in_page(b, &f, &e);
	if (r == 0)
		*ret = e;
	return r;
}

int element_rows(struct target *page, const struct selector *at, const struct cell_wish *cells, size_t cell_count,
	int64_t ms, struct arena *arena, const char ***ret_rows, size_t *ret_count)
{
	const struct wish wish = { .at = at };
	struct cdp_arg arg = cells_arg(arena, cells, cell_count);
	struct browser *b = page->browser;
	struct page_frame f;
	struct cdp_reply reply;
	const struct cbor *rows;
	size_t i = 0;
	int r = find_frame(page, at->frame, arena, &f);

	if (r == 0)
		r = ask(b, &f, &wish, 1, ms, &arg, arena, &reply);
	if (r < 0)
		return r;
	rows = cbor_get(frame_value(&reply), "rows");
	*ret_count = cbor_count(rows);
	*ret_rows = arena_array(arena, *ret_count * cell_count, sizeof(**ret_rows));
	for (const struct cbor *row = cbor_first(rows); row; row = cbor_next(row))
		for (const struct cbor *c = cbor_first(row); c && i < *ret_count * cell_count; c = cbor_next(c))
			(*ret_rows)[i++] = cbor_text_utf8(arena, c);
	cdp_reply_free(&reply);
	return 0;
}

static void read_edited(struct arena *arena, const struct cbor *v, struct edited *ret)
{
	const struct cbor *kind = cbor_get(v, "kind");

	*ret = (struct edited){ .gone = cbor_get_bool(v, "gone", false),
		.kind = cbor_text_is(kind, "text") ? EDITED_TEXT :
			cbor_text_is(kind, "set")  ? EDITED_SET :
			cbor_text_is(kind, "select") ? EDITED_SELECT :
						       EDITED_NONE,
		.held = cbor_get_utf8(arena, v, "held"),
		.secret = cbor_get_bool(v, "secret", false) };
	if (!ret->held)
		ret->held = "";
}

int element_edit(struct browser *b, const struct element *e, enum edit edit, const char *value, int64_t deadline,
	struct arena *arena, struct edited *ret)
{
	static const char *const acts[] = { [EDIT_FOCUS] = "focus", [EDIT_SET] = "set", [EDIT_CHOOSE] = "choose",
		[EDIT_HELD] = "held" };
	struct target *target = browser_target_by_id(b, e->target);
	struct cdp_reply reply;
	int r;

	if (!target || !target->session[0])
		return -EREMOTE;
	r = frame_call(target, e->frame, page_element_edit, deadline, &reply,
		CDP_MAP(NULL, CDP_MAP("value", CDP_TEXT("act", acts[edit]), CDP_TEXT("value", value))));
	if (r < 0)
		return r;
	read_edited(arena, frame_value(&reply), ret);
	cdp_reply_free(&reply);
	return 0;
}
