#include <errno.h>

#include "common/loop.h"
#include "streamd/browser/act.h"
#include "streamd/run/stepping.h"
#include "streamd/run/typing.h"

static int press_keys(struct stepping *s, const char *session, const void *arg)
{
	struct target *page = browser_target_by_session(s->browser, session);

	if (!page)
		return -EREMOTE;
	act_press(browser_act(s->browser));
	return stepping_heard(s, session,
		typing_press(target_ref_of(page), arg, deadline_in(stepping_left_ms(s) + STEP_ANSWER_MS)));
}

/* The element that is to have the focus; *ret_there is whether it has, and if not that is said. */
static int reach(struct stepping *s, bool *ret_there)
{
	const struct wish wish = { .at = s->step->at };
	struct edited d = { .gone = true };
	struct element e;
	int r = stepping_await(s, &wish, &e, ret_there);

	if (r < 0 || !*ret_there)
		return r;
	act_input(browser_act(s->browser));
	r = element_edit(&e, EDIT_REACH, NULL, deadline_in(stepping_left_ms(s) + STEP_ANSWER_MS), s->arena, &d);
	*ret_there = !d.gone && !d.unreached;
	if (r == 0 && !*ret_there)
		stepping_conclude(s, STEP_END_MISSING, "%s %s, at %s; name a field, a button or a link.", stepping_words(s),
			d.gone ? "went away before a key was pressed in it" : "does not take the focus", stepping_where(s));
	return r;
}

int step_press(struct stepping *s)
{
	struct chord keys;
	bool there = true;
	int r = 0;

	chord_parse(s->step->keys, &keys); /* it has been read, so it is one */
	if (s->step->at)
		r = reach(s, &there);
	return r == 0 && there ? stepping_give(s, press_keys, &keys) : r;
}
