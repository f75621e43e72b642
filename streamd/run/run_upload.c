#include <errno.h>

#include "common/fiber.h"
#include "common/loop.h"
#include "streamd/browser/act.h"
#include "streamd/run/stepping.h"

#define AGAIN_MS 50

/*
 * The page is given the bytes, and never a path: no file of this machine is within the reach of its browser. It is written once,
 * as choose is, for many a page takes the file and empties its field.
 */
static int upload_once(struct stepping *s, const struct element *e, struct edited *d)
{
	int r;

	act_press(browser_act(s->browser));
	s->result->wrote = WROTE_PART;
	r = element_upload(e, s->step->file, deadline_in(stepping_left_ms(s) + STEP_ANSWER_MS), s->arena, d);
	s->result->wrote = r < 0 ? WROTE_PART : d->gone || d->disabled || d->kind != EDITED_FILE ? WROTE_NOTHING : WROTE_ALL;
	return r;
}

static void say_not_taken(struct stepping *s, const struct edited *d)
{
	if (d->gone || d->disabled)
		stepping_conclude(s, STEP_END_MISSING, "%s %s, after %g s at %s.", stepping_words(s), d->gone ? "went away" : "is there but disabled",
			(double)step_timeout_ms(s->step) / 1000, stepping_where(s));
	else
		stepping_conclude(s, STEP_END_MISSING, "%s is no field that takes files, nor the label of one, at %s.", stepping_words(s),
			stepping_where(s));
}

int step_upload(struct stepping *s)
{
	const struct wish wish = { .at = s->step->at, .hidden = true };
	struct edited d;
	struct element e;
	bool there;
	int r;

	for (;;) {
		r = stepping_await(s, &wish, &e, &there);
		if (r == 0 && there)
			r = upload_once(s, &e, &d);
		if (r < 0 || !there || s->result->wrote == WROTE_ALL)
			return r;
		if (stepping_left_ms(s) == 0 || !(d.gone || d.disabled))
			break;
		r = fiber_sleep_until(deadline_in(AGAIN_MS));
		if (r < 0)
			return r;
	}
	say_not_taken(s, &d);
	return 0;
}
