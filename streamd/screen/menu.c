#include "streamd/screen/menu.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/arena.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/latch.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "streamd/browser/clip.h"
#include "streamd/browser/frame_path.h"
#include "streamd/browser/page.h"

#define ANSWER_MS    5000
#define MOST_OPTIONS 1000
#define MOST_LABEL   512
#define MOST_PLACE   10000.0 /* as in proto/viewer.def */
#define MOST_WORKS   8       /* at once; a page that opens lists without end sees the next ones not opened */

/* A list that drops down: its number here, 0: none; where it is; the isolated world there, and its number in that. */
struct list {
	int64_t number;
	struct target_ref target;
	int64_t world, page_menu;
};

struct menus {
	void (*tell)(void *owner, const struct method *event, const void *fields);
	void *owner;
	int64_t last; /* number of the newest list */
	struct list open;
	bool told;    /* the viewer knows of it */
	bool chosen;  /* a choice is under way */
	struct menu_opened_event event;
	struct arena *arena; /* of the event */
	LIST_HEAD(, work) works;
	int work_count;
	struct latch emptied;
	bool freed;
};

/* Something that waits: finding a list's place, or choosing in it. */
struct work {
	struct menus *menus;
	struct fiber *fiber;
	void (*carry_out)(struct work *w);
	struct list list;
	int64_t option;
	LIST_ENTRY(work) link;
};

struct menus *menus_new(void (*tell)(void *owner, const struct method *event, const void *fields), void *owner)
{
	struct menus *m = must(calloc(1, sizeof(*m)));

	m->tell = tell;
	m->owner = owner;
	LIST_INIT(&m->works);
	return m;
}

struct menus *menus_free(struct menus *m)
{
	struct work *w;

	if (!m)
		return NULL;
	m->freed = true;
	LIST_FOREACH (w, &m->works, link)
		fiber_cancel(w->fiber);
	LATCH_AWAIT(&m->emptied, LIST_EMPTY(&m->works));
	arena_free(m->arena);
	free(m);
	return NULL;
}

static void menu_run_work(void *arg)
{
	struct work *w = arg;
	struct menus *m = w->menus;

	w->fiber = fiber_self();
	if (!m->freed)
		w->carry_out(w);
	LIST_REMOVE(w, link);
	m->work_count--;
	free(w);
	latch_wake(&m->emptied, 0);
}

/* False if it does too much already. */
static bool start_work(struct menus *m, void (*carry_out)(struct work *), int64_t option)
{
	struct work *w;

	if (m->work_count >= MOST_WORKS)
		return false;
	w = must(calloc(1, sizeof(*w)));
	m->work_count++;
	w->menus = m;
	w->carry_out = carry_out;
	w->list = m->open;
	w->option = option;
	LIST_INSERT_HEAD(&m->works, w, link);
	fiber_start("menu", menu_run_work, w, NULL);
	return true;
}

void menus_close(struct menus *m)
{
	const struct menu_closed_event event = { .menu = m->open.number };
	bool told = m->told;

	m->open.number = 0;
	m->told = false;
	if (told && !m->freed)
		m->tell(m->owner, &method_menu_closed, &event);
}

const struct menu_opened_event *menus_open(const struct menus *m)
{
	return m->told ? &m->event : NULL;
}

/* The select element in the page that holds the list. To be released with the world it is of. */
static int find_element(struct work *w, struct arena *arena, const char **ret)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	const char *id;
	int r = target_call(w->list.target, "Runtime.evaluate", deadline_in(ANSWER_MS), &reply,
		CDP_TEXT("expression", arena_printf(arena, "steadMenu.place(%lld)", (long long)w->list.page_menu)),
		CDP_INT("contextId", w->list.world), CDP_TEXT("objectGroup", "stead-menu"));

	if (r < 0)
		return r;
	id = cbor_get_utf8(arena, cbor_get(reply.result, "result"), "objectId");
	if (!id)
		return -ENOENT;
	*ret = id;
	return 0;
}

static double menu_bounded(double value, double least, double most)
{
	return value < least ? least : value > most ? most : value;
}

/* The box around a quad, which a transform may have turned. False if it is none. */
static bool box_of(const struct cbor *quad, double dx, double dy, struct menu_opened_event *event)
{
	double left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY;

	for (size_t i = 0; i < 8; i += 2) {
		double x, y;
		if (!page_place(cbor_at(quad, i), &x) || !page_place(cbor_at(quad, i + 1), &y))
			return false;
		left = x < left ? x : left;
		right = x > right ? x : right;
		top = y < top ? y : top;
		bottom = y > bottom ? y : bottom;
	}
	event->x = menu_bounded(left + dx, -MOST_PLACE, MOST_PLACE);
	event->y = menu_bounded(top + dy, -MOST_PLACE, MOST_PLACE);
	event->width = menu_bounded(right - left, 0, MOST_PLACE);
	event->height = menu_bounded(bottom - top, 0, MOST_PLACE);
	return true;
}

/* Where it is in its page, whichever frame of whichever process it is in. -ESTALE: it has been closed meanwhile. */
static int find_place(struct work *w)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	struct menus *m = w->menus;
	const char *element;
	double dx, dy;
	int r = find_element(w, arena, &element);

	if (r == 0)
		r = target_offset(w->list.target, deadline_in(ANSWER_MS), &dx, &dy);
	if (r == 0)
		r = target_call(w->list.target, "DOM.getBoxModel", deadline_in(ANSWER_MS), &reply,
			CDP_TEXT("objectId", element));
	if (m->freed || m->open.number != w->list.number)
		return -ESTALE;
	if (r < 0)
		return r;
	return box_of(cbor_get(cbor_get(reply.result, "model"), "border"), dx, dy, &m->event) ? 0 : -EBADMSG;
}

static void carry_place(struct work *w)
{
	struct menus *m = w->menus;
	int r = find_place(w);

	if (r == -ESTALE)
		return;
	if (r < 0) {
		log_debug("a list that drops down could not be placed: %s", strerror(-r));
		menus_close(m);
		return;
	}
	m->told = true;
	m->tell(m->owner, &method_menu_opened, &m->event);
}

/* An empty label is common ("please choose"), an empty text is none to the viewer. */
static void read_options(struct menus *m, const json_t *options)
{
	struct menu_option *list = arena_array(m->arena, MOST_OPTIONS, sizeof(*list));
	size_t n = json_array_size(options);

	if (n > MOST_OPTIONS)
		n = MOST_OPTIONS;
	for (size_t i = 0; i < n; i++) {
		const json_t *o = json_array_get(options, i);
		const char *label = clip(m->arena, json_string_value(json_object_get(o, "label")), MOST_LABEL);
		list[i] = (struct menu_option){ .label = label ? label : " ",
			.disabled = json_is_true(json_object_get(o, "disabled")),
			.selected = json_is_true(json_object_get(o, "selected")),
			.heading = json_is_true(json_object_get(o, "heading")) };
	}
	m->event.options = list;
	m->event.options_count = n;
}

static void menu_opened(struct menus *m, const struct target *t, int64_t world, const json_t *said)
{
	menus_close(m);
	arena_free(m->arena);
	m->arena = arena_new(0);
	m->open = (struct list){ ++m->last, target_ref_of(t), world, json_integer_value(json_object_get(said, "menu")) };
	m->chosen = false;
	m->event = (struct menu_opened_event){ .menu = m->open.number };
	read_options(m, json_object_get(said, "options"));
	if (!start_work(m, carry_place, 0))
		menus_close(m);
}

void menus_take(struct menus *m, struct target *target, int64_t world, const json_t *said)
{
	const json_t *gone = json_object_get(said, "closed");

	if (json_is_integer(json_object_get(said, "menu")))
		menu_opened(m, target, world, said);
	else if (gone && m->open.number && m->open.world == world && m->open.page_menu == json_integer_value(gone) &&
		target_ref_equal(m->open.target, target_ref_of(target)))
		menus_close(m);
}

static void carry_choice(struct work *w)
{
	struct menus *m = w->menus;

	target_call(w->list.target, "Runtime.callFunctionOn", deadline_in(ANSWER_MS), NULL,
		CDP_TEXT("functionDeclaration", "(menu, option) => steadMenu.choose(menu, option)"),
		CDP_INT("executionContextId", w->list.world),
		CDP_LIST("arguments", CDP_MAP(NULL, CDP_INT("value", w->list.page_menu)),
			CDP_MAP(NULL, CDP_INT("value", w->option))));
	if (!m->freed && m->open.number == w->list.number) /* the page has not said so: its document has gone */
		menus_close(m);
}

void menu_choose(struct menus *m, int64_t menu, int64_t option)
{
	if (!m->open.number || m->open.number != menu || m->chosen)
		return;
	m->chosen = start_work(m, carry_choice, option);
}
