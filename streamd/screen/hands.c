#include "streamd/screen/hands.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "common/loop.h"
#include "common/must.h"
#include "proto/call.h"
#include "proto/viewer.h"

#define PATIENCE_MS 1000 /* for a page that is busy, or stands still in a dialog of its own */
#define FRAME_MS    20   /* between two moves of a drag: browsers tell their pages of one for each picture, too */

struct held {
	struct said said;
	TAILQ_ENTRY(held) link;
};

struct hands {
	void (*let_go)(void *owner, const struct said *said);
	void *owner;
	struct browser *browser; /* of what is not answered yet */
	int presses;
	bool drags; /* a move with a button held */
	struct event *timer, *frame;
	bool flushing;
	TAILQ_HEAD(held_list, held) held;
};

static void free_held(struct held *one)
{
	call_free(one->said.call);
	free(one);
}

static struct held *hands_take_first(struct hands *h)
{
	struct held *one = TAILQ_FIRST(&h->held);

	if (one)
		TAILQ_REMOVE(&h->held, one, link);
	return one;
}

static bool is_awaited(const struct hands *h)
{
	return h->presses || h->drags;
}

/* Until one of them is one that the next ones wait for again. */
static void hands_flush(struct hands *h)
{
	struct held *one;

	if (h->flushing)
		return;
	h->flushing = true;
	while (!is_awaited(h) && (one = hands_take_first(h))) {
		h->let_go(h->owner, &one->said);
		free_held(one);
	}
	h->flushing = false;
}

static void forget_awaited(struct hands *h)
{
	if (is_awaited(h))
		cdp_unhear(browser_cdp(h->browser), h);
	h->presses = 0;
	h->drags = false;
	event_del(h->timer);
	event_del(h->frame);
}

static void hands_go_on(struct hands *h)
{
	if (is_awaited(h))
		return;
	event_del(h->timer);
	hands_flush(h);
}

static void on_pressed(void *arg)
{
	struct hands *h = arg;

	h->presses--;
	hands_go_on(h);
}

/* That a drag has begun, the browser's own process hears a little later than this answer has come. */
static void on_dragged(void *arg)
{
	loop_arm(((struct hands *)arg)->frame, FRAME_MS);
}

static void on_hands_frame(evutil_socket_t, short, void *arg)
{
	struct hands *h = arg;

	h->drags = false;
	hands_go_on(h);
}

static void on_hands_timer(evutil_socket_t, short, void *arg)
{
	forget_awaited(arg);
	hands_flush(arg);
}

struct hands *hands_new(void (*let_go)(void *owner, const struct said *said), void *owner)
{
	struct hands *h = must(calloc(1, sizeof(*h)));

	h->let_go = let_go;
	h->owner = owner;
	h->timer = loop_timer(on_hands_timer, h);
	h->frame = loop_timer(on_hands_frame, h);
	TAILQ_INIT(&h->held);
	return h;
}

void hands_drop(struct hands *h)
{
	struct held *one;

	forget_awaited(h);
	while ((one = hands_take_first(h)))
		free_held(one);
}

struct hands *hands_free(struct hands *h)
{
	if (!h)
		return NULL;
	hands_drop(h);
	event_free(h->timer);
	event_free(h->frame);
	free(h);
	return NULL;
}

static void send_awaited(struct hands *h, struct target *page, const struct cdp_arg *args, void (*heard)(void *hands))
{
	h->browser = page->browser;
	loop_arm(h->timer, PATIENCE_MS);
	cdp_send_heard(browser_cdp(page->browser), page->session, "Input.dispatchMouseEvent", args, heard, h);
}

void hands_press(struct hands *h, struct target *page, const struct cdp_arg *args)
{
	h->presses++;
	send_awaited(h, page, args, on_pressed);
}

void hands_drag(struct hands *h, struct target *page, const struct cdp_arg *args)
{
	h->drags = true;
	send_awaited(h, page, args, on_dragged);
}

static bool is_key(const struct method *m)
{
	return m == &method_key_event || m == &method_text_insert;
}

static bool is_pointer(const struct method *m)
{
	return m == &method_mouse_event || m == &method_wheel_event;
}

/* NULL when it is no move. */
static const struct mouse_event_params *move_of(const struct said *s)
{
	const struct mouse_event_params *p = s->row->method == &method_mouse_event ? s->params : NULL;

	return p && strcmp(p->type, "move") == 0 ? p : NULL;
}

/* A move that waits right behind another takes its place: where the pointer is counts, not where it was. */
static bool take_place(struct hands *h, const struct said *said)
{
	struct held *last = TAILQ_LAST(&h->held, held_list);
	const struct mouse_event_params *was = last && last->said.viewer == said->viewer ? move_of(&last->said) : NULL;
	const struct mouse_event_params *is = move_of(said);

	if (!was || !is || was->buttons != is->buttons)
		return false;
	call_free(last->said.call);
	last->said = *said;
	return true;
}

static bool must_wait(const struct hands *h, const struct method *m)
{
	bool behind = !TAILQ_EMPTY(&h->held) && !h->flushing;

	if (is_key(m))
		return behind || is_awaited(h);
	return is_pointer(m) && (behind || h->drags);
}

bool hands_hold(struct hands *h, const struct said *said)
{
	struct held *one;

	if (!must_wait(h, said->row->method))
		return false;
	if (take_place(h, said))
		return true;
	one = must(calloc(1, sizeof(*one)));
	one->said = *said;
	TAILQ_INSERT_TAIL(&h->held, one, link);
	return true;
}
