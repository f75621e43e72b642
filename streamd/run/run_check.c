#include <errno.h>
#include <string.h>

#include "common/fiber.h"
#include "common/loop.h"
#include "streamd/run/stepping.h"

#define AGAIN_MS 50

static const char *wanted(const struct stepping *s)
{
	return s->step->off ? "off" : "on";
}

/* What the box is, pressed or not; ret->gone: it went away meanwhile. *ret_there: it came at all, else that is said. */
static int look_at_box(struct stepping *s, bool press, struct element *e, struct edited *ret, bool *ret_there)
{
	const struct wish wish = { .at = s->step->at, .press = press };
	int r = stepping_await(s, &wish, e, ret_there);

	*ret = (struct edited){ .gone = true };
	if (r == 0 && *ret_there)
		r = element_edit(e, EDIT_TICK, NULL, deadline_in(stepping_left_ms(s) + STEP_ANSWER_MS), s->arena, ret);
	return r < 0 && stepping_is_passing(s, r) ? 0 : r;
}

/* Until there is one that answers. */
static int find_box(struct stepping *s, struct element *e, struct edited *ret, bool *ret_there)
{
	int r;

	do {
		r = look_at_box(s, true, e, ret, ret_there);
		if (r < 0 || !*ret_there || !ret->gone)
			return r;
		r = stepping_await_successor(s);
	} while (r == 0 && stepping_left_ms(s) > 0);
	*ret_there = false;
	stepping_conclude(s, STEP_END_MISSING, "%s went away before it could be pressed, at %s.", stepping_words(s), stepping_where(s));
	return r;
}

/* Whether it can become what is wanted by a press; if not, that is said. */
static bool can_be_ticked(struct stepping *s, const struct edited *d)
{
	if (d->kind == EDITED_RADIO && s->step->off)
		stepping_conclude(s, STEP_END_MISSING, "%s is a radio button, which no press takes its mark from, at %s; tick another one of its "
			"group instead.", stepping_words(s), stepping_where(s));
	else if (d->kind != EDITED_BOX && d->kind != EDITED_RADIO)
		stepping_conclude(s, STEP_END_MISSING, "%s is no box that can be ticked, nor a radio button, at %s.", stepping_words(s),
			stepping_where(s));
	else
		return true;
	return false;
}

/* It has been pressed, once: pressed again it would change back. The page may draw it anew, or change it late. */
static int await_ticked(struct stepping *s)
{
	struct edited d;
	struct element e;
	bool there;
	int r;

	for (;;) {
		r = look_at_box(s, false, &e, &d, &there);
		if (r < 0 || !there || (!d.gone && strcmp(d.held, wanted(s)) == 0))
			return r;
		if (stepping_left_ms(s) == 0)
			break;
		r = fiber_sleep_until(deadline_in(AGAIN_MS));
		if (r < 0)
			return r;
	}
	stepping_conclude(s, STEP_END_MISSING, "%s was pressed once and is still %s, after %g s at %s.", stepping_words(s),
		d.gone ? "not there again" : d.held, (double)step_timeout_ms(s->step) / 1000, stepping_where(s));
	return 0;
}

int step_check(struct stepping *s)
{
	struct edited d;
	struct element e;
	bool there;
	int r = find_box(s, &e, &d, &there);

	if (r < 0 || !there || !can_be_ticked(s, &d))
		return r;
	s->result->text = d.held;
	if (strcmp(d.held, wanted(s)) == 0)
		return 0;
	r = stepping_press(s, &e);
	return r == 0 ? await_ticked(s) : r;
}
