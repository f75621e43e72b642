/*
 * A drag, with the mouse's own events: pages take them as they are, or Chromium makes of them the drag-and-drop of HTML, which
 * begins in its own time (streamd/screen/hands.h). So each move waits until the one before it has been told, and a moment.
 */
#include <errno.h>

#include "common/fiber.h"
#include "common/loop.h"
#include "streamd/browser/act.h"
#include "streamd/run/stepping.h"

#define MOVES       8
#define FRAME_MS    20   /* between two moves */
#define PATIENCE_MS 1000 /* for a page that is busy, or for a move that began a drag and is not answered */

struct way {
	struct element from, to;
};

static int mouse(struct stepping *s, const char *session, const char *type, int buttons, double x, double y)
{
	int r = cdp_call(browser_cdp(s->browser), session, "Input.dispatchMouseEvent", deadline_in(PATIENCE_MS), NULL,
		CDP_TEXT("type", type), CDP_REAL("x", x), CDP_REAL("y", y), CDP_TEXT("button", "left"), CDP_INT("buttons", buttons),
		CDP_INT("clickCount", 1));

	stepping_show_pointer(s, x, y);
	return r < 0 && r != -ETIMEDOUT ? r : fiber_sleep_until(deadline_in(FRAME_MS));
}

static int move_along(struct stepping *s, const char *session, const struct way *w)
{
	int r = 0;

	for (int i = 1; i <= MOVES && r == 0; i++)
		r = mouse(s, session, "mouseMoved", 1, w->from.x + (w->to.x - w->from.x) * i / MOVES,
			w->from.y + (w->to.y - w->from.y) * i / MOVES);
	return r == 0 ? mouse(s, session, "mouseMoved", 1, w->to.x, w->to.y) : r; /* who has come in late, hears that it is over it */
}

static int drag_along(struct stepping *s, const char *session, const void *arg)
{
	const struct way *w = arg;
	int r;

	act_input(browser_act(s->browser));
	stepping_point(s, session, w->from.x, w->from.y);
	act_press(browser_act(s->browser));
	s->result->wrote = WROTE_PART;
	r = mouse(s, session, "mousePressed", 1, w->from.x, w->from.y);
	if (r == 0)
		r = move_along(s, session, w);
	act_input(browser_act(s->browser));
	if (r == 0)
		r = mouse(s, session, "mouseReleased", 0, w->to.x, w->to.y);
	if (r == 0)
		s->result->wrote = WROTE_ALL;
	return stepping_heard(s, session, r);
}

/* Where the other end is now, for to bring one into view may have moved it. */
static int look_again(struct stepping *s, struct element *ret)
{
	const struct wish wish = { .at = s->step->to, .press = true, .bring = BRING_NOT };
	struct target *page = browser_front(s->browser);

	return page ? element_wait(target_ref_of(page), &wish, 1, 0, s->arena, ret) : -EREMOTE;
}

/* Both ends where they are at the same time. *ret_there: they are, else it is said. */
static int find_ends(struct stepping *s, struct way *w, bool *ret_there)
{
	const struct wish to = { .at = s->step->to, .press = true };
	const struct wish from = { .at = s->step->at, .press = true, .bring = BRING_NEAREST };
	int r = stepping_await(s, &to, &w->to, ret_there);

	if (r == 0 && *ret_there)
		r = stepping_await(s, &from, &w->from, ret_there);
	if (r < 0 || !*ret_there)
		return r;
	r = look_again(s, &w->to);
	*ret_there = r == 0 && !w->to.late && !w->to.moved;
	if (r == 0 && !*ret_there)
		stepping_conclude(s, STEP_END_MISSING, "%s and %s are not in view at once, or one covers the other, at %s.", stepping_words(s),
			selector_words(s->arena, s->step->to), stepping_where(s));
	return r;
}

int step_drag(struct stepping *s)
{
	struct way w;
	bool there;
	int r = find_ends(s, &w, &there);

	return r == 0 && there ? stepping_give(s, drag_along, &w) : r;
}
