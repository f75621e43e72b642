#include "streamd/browser/element.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "common/words.h"
#include "streamd/browser/frame_path.h"
#include "streamd/browser/page.h"
#include "streamd/browser/pages.h"

#define ANSWER_MS 5000 /* beyond what the page was given, before it counts as hung */
#define LOOKS     20   /* at a frame's place, until it stands still */
#define LEAST_MS  16   /* between two looks: a page that answers at once, over and over, shall not keep us busy */

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
		CDP_BOOL("hidden", w->hidden || s->hidden),
		CDP_BOOL("press", w->press),
		CDP_TEXT("bring", w->bring == BRING_NEAREST ? "nearest" : w->bring == BRING_NOT ? "not" : "center"),
		CDP_BOOL("edit", w->edit),
		CDP_TEXT("value", w->value),
		CDP_TEXT("attribute", w->attribute),
		CDP_TEXT("option", w->option),
		{ 0 },
	};

	return arena_memdup(arena, rows, sizeof(rows));
}

static const struct cdp_arg *cells_args(struct arena *arena, const struct list_wish *w)
{
	struct cdp_arg *list = arena_array(arena, w->cell_count + 1, sizeof(*list));

	for (size_t i = 0; i < w->cell_count; i++) {
		const struct cdp_arg rows[] = { CDP_TEXT("css", w->cells[i].css),
			CDP_TEXT("attribute", w->cells[i].attribute), { 0 } };
		list[i] = (struct cdp_arg)CDP_MAP_OF(NULL, arena_memdup(arena, rows, sizeof(rows)));
	}
	return list;
}

/* The frame that a selector names by its address; the page itself if it names none. */
static int find_frame(struct target_ref page, const char *pattern, struct arena *arena, struct frame_info *ret)
{
	const struct target *t = target_of(page);

	if (!t)
		return -EPIPE;
	if (pattern)
		return page_frame_find(page, pattern, arena, deadline_in(ANSWER_MS), ret);
	*ret = (struct frame_info){ .target = page };
	memcpy(ret->id, t->id, sizeof(ret->id));
	return 0;
}

/* Asks the page, as element_wait.js has it; list: NULL, or that of which the first wish is the row. */
static int element_ask(const struct frame_info *f, const struct wish *wishes, size_t count, int64_t ms,
	const struct list_wish *list, struct arena *arena, struct cdp_reply *ret)
{
	struct cdp_arg *args = arena_array(arena, count + 1, sizeof(*args));
	const struct wish none = { .at = list ? list->none : NULL };

	if (!target_of(f->target))
		return -EREMOTE;
	for (size_t i = 0; i < count; i++)
		args[i] = (struct cdp_arg)CDP_MAP_OF(NULL, wish_args(arena, &wishes[i]));
	return frame_call(f->target, f->id, page_element_wait, deadline_in(ms + ANSWER_MS), ret, CDP_LIST_OF("wishes", args),
		CDP_INT("timeout_ms", ms), CDP_LIST_OF("cells", list ? cells_args(arena, list) : NULL),
		CDP_MAP_OF("none", none.at ? wish_args(arena, &none) : NULL));
}

/* No more of it than is of use, NULL for what is no text. */
static const char *text_in(struct arena *arena, const struct cbor *v)
{
	CLEANUP(arena_freep) struct arena *all = arena_new(0);
	const char *text = cbor_text_utf8(all, v);

	return text ? arena_memdup(arena, text, words_fit(text, strlen(text), ELEMENT_MOST_TEXT)) : NULL;
}

/* The answer to count wishes. Where it is there, it can be pressed. */
static void read_element(struct arena *arena, const struct cbor *v, size_t count, struct element *ret)
{
	int64_t which = cbor_get_int(v, "which", -1);
	bool there = which >= 0 && (uint64_t)which < count;

	*ret = (struct element){ .which = there ? (size_t)which : 0,
		.text = text_in(arena, cbor_get(v, "text")),
		.moved = cbor_get_bool(v, "moved", false),
		.covered = cbor_get_bool(v, "covered", false),
		.disabled = cbor_get_bool(v, "disabled", false),
		.moving = cbor_get_bool(v, "moving", false),
		.readonly = cbor_get_bool(v, "readonly", false),
		.optionless = cbor_get_bool(v, "optionless", false) };
	page_place(cbor_get(v, "x"), &ret->x);
	page_place(cbor_get(v, "y"), &ret->y);
	ret->late = !there && !ret->moved;
	if (ret->late)
		ret->text = text_in(arena, cbor_get(v, "seen"));
}

/* Scrolling the pages around a frame of another process takes its time, and nothing tells of its end. */
static int place_in_page(const struct frame_info *f, struct element *e)
{
	int64_t deadline = deadline_in(ANSWER_MS);
	double x = 0, y = 0, was_x, was_y;

	for (int looks = 0; looks < LOOKS; looks++) {
		int r;
		was_x = x;
		was_y = y;
		r = target_of(f->target) ? frame_offset(f->target, f->id, deadline, &x, &y) : -EREMOTE;
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

int element_wait(struct target_ref page, const struct wish *wishes, size_t count, int64_t ms, struct arena *arena,
	struct element *ret)
{
	int64_t next_look = deadline_in(LEAST_MS);
	struct frame_info f;
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	struct element e;
	bool in_page = !count || !wishes[0].at->frame;
	int r = find_frame(page, in_page ? NULL : wishes[0].at->frame, arena, &f);

	if (r == -ENOENT)
		return answer_frameless(wishes, count, ms, ret);
	if (r == 0)
		r = element_ask(&f, wishes, count, ms, NULL, arena, &reply);
	if (r < 0)
		return r;
	read_element(arena, frame_value(&reply), count, &e);
	e.target = f.target;
	memcpy(e.frame, f.id, sizeof(e.frame));
	if (!e.late && !e.moved && wishes[e.which].press && !in_page)
		r = place_in_page(&f, &e);
	if (e.late || e.moved)
		r = fiber_sleep_until(next_look);
	if (r == 0)
		*ret = e;
	return r;
}

/* One row: what is missing is "", what is too much is not looked at. */
static void element_read_row(struct arena *arena, const struct cbor *row, size_t cell_count, const char **ret)
{
	const struct cbor *c = cbor_first(row);

	for (size_t i = 0; i < cell_count; i++) {
		ret[i] = text_in(arena, c) ?: "";
		c = cbor_next(c);
	}
}

/* What the page answered. What is no list of rows was not read, whatever else it may be. */
static void element_read_list(struct arena *arena, const struct cbor *v, size_t cell_count, struct element_list *ret)
{
	const struct cbor *rows = cbor_get(v, "rows"), *unread = cbor_get(v, "unread");
	size_t i = 0;

	*ret = (struct element_list){ .status = cbor_get_int(v, "status", 0), .count = cbor_count(rows) };
	if (!cbor_is(rows, CBOR_ARRAY)) {
		ret->how = cbor_get_bool(v, "moved", false) ? LIST_MOVED :
			cbor_text_is(unread, "error") ? LIST_ERROR_PAGE :
			cbor_text_is(unread, "changing") ? LIST_CHANGING :
							   LIST_MARKLESS;
	} else if (ret->count <= ELEMENT_MOST_ROWS) {
		ret->rows = arena_array(arena, ret->count * cell_count, sizeof(*ret->rows));
		for (const struct cbor *row = cbor_first(rows); row; row = cbor_next(row))
			element_read_row(arena, row, cell_count, ret->rows + i++ * cell_count);
	}
}

int element_rows(struct target_ref page, const struct list_wish *wish, int64_t ms, struct arena *arena, struct element_list *ret)
{
	const struct wish row = { .at = wish->at };
	int64_t next_look = deadline_in(LEAST_MS);
	struct element_list list;
	struct frame_info f;
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	int r = find_frame(page, wish->at->frame, arena, &f);

	if (r == 0)
		r = element_ask(&f, &row, 1, ms, wish, arena, &reply);
	if (r < 0)
		return r;
	element_read_list(arena, frame_value(&reply), wish->cell_count, &list);
	r = list.how == LIST_THERE ? 0 : fiber_sleep_until(next_look);
	if (r == 0)
		*ret = list;
	return r;
}

static void read_edited(struct arena *arena, const struct cbor *v, struct edited *ret)
{
	static const char *const kinds[] = { [EDITED_TEXT] = "text", [EDITED_SET] = "set", [EDITED_SELECT] = "select",
		[EDITED_BOX] = "box", [EDITED_RADIO] = "radio", [EDITED_FILE] = "file" };
	const struct cbor *kind = cbor_get(v, "kind");

	*ret = (struct edited){ .gone = cbor_get_bool(v, "gone", false),
		.held = text_in(arena, cbor_get(v, "held")) ?: "",
		.secret = cbor_get_bool(v, "secret", false),
		.disabled = cbor_get_bool(v, "disabled", false),
		.unreached = cbor_get_bool(v, "unreached", false) };
	for (unsigned i = EDITED_TEXT; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (cbor_text_is(kind, kinds[i]))
			ret->kind = i;
}

/* file: NULL, there is none. */
static int element_edit_with(const struct element *e, const char *act, const char *value, const struct step_file *file,
	int64_t deadline, struct arena *arena, struct edited *ret)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	int r;

	if (!target_of(e->target))
		return -EREMOTE;
	r = frame_call(e->target, e->frame, page_element_edit, deadline, &reply, CDP_TEXT("act", act), CDP_TEXT("value", value),
		CDP_TEXT("name", file ? file->name : NULL), CDP_TEXT("type", file && file->type ? file->type : "text/plain"));
	if (r == 0)
		read_edited(arena, frame_value(&reply), ret);
	return r;
}

int element_edit(const struct element *e, enum edit edit, const char *value, int64_t deadline,
	struct arena *arena, struct edited *ret)
{
	static const char *const acts[] = { [EDIT_FOCUS] = "focus", [EDIT_SET] = "set", [EDIT_CHOOSE] = "choose",
		[EDIT_CHANGED] = "changed", [EDIT_HELD] = "held", [EDIT_REACH] = "reach", [EDIT_TICK] = "tick" };

	return element_edit_with(e, acts[edit], value, NULL, deadline, arena, ret);
}

int element_upload(const struct element *e, const struct step_file *file, int64_t deadline, struct arena *arena,
	struct edited *ret)
{
	return element_edit_with(e, "upload", file->text, file, deadline, arena, ret);
}
