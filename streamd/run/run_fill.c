#include <errno.h>
#include <string.h>
#include <strings.h>

#include "common/loop.h"
#include "common/words.h"
#include "streamd/browser/act.h"
#include "streamd/run/stepping.h"
#include "streamd/run/typing.h"

#define MOST_FILLS 3

static int type(struct stepping *s, const char *text)
{
	struct target *page = browser_front(s->browser);

	return page ? typing_carry_out(target_ref_of(page), text, deadline_in(stepping_left_ms(s) + STEP_ANSWER_MS)) : -EREMOTE;
}

static bool is_sign(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80);
}

/* Whether a field holds what was typed: it may have put it into its own form, as in "(030) 123" for "030123". */
static bool holds(const char *held, const char *typed)
{
	for (;;) {
		while (*held && !is_sign(*held))
			held++;
		while (*typed && !is_sign(*typed))
			typed++;
		if (!*held || !*typed)
			return !*held && !*typed;
		if (strncasecmp(held++, typed++, 1) != 0)
			return false;
	}
}

/* What the page has made of all that was written; none of the act's business (may_write()). */
static int is_kept(struct stepping *s, const struct element *e, const char *value, struct edited *ret)
{
	if (!ret->gone)
		s->result->wrote = WROTE_ALL;
	if (ret->gone || s->step->act)
		return 0;
	return element_edit(e, EDIT_HELD, value, deadline_in(stepping_left_ms(s) + STEP_ANSWER_MS), s->arena, ret);
}

/* One try: *ret tells when the field went away or did not keep the text. */
static int fill_once(struct stepping *s, const struct element *e, struct edited *ret)
{
	const char *value = s->step->value;
	struct act *act = browser_act(s->browser);
	int64_t deadline = deadline_in(stepping_left_ms(s) + STEP_ANSWER_MS);
	int r = stepping_press(s, e);

	if (r == 0)
		r = element_edit(e, EDIT_FOCUS, NULL, deadline, s->arena, ret);
	if (r < 0 || ret->gone)
		return r;
	if (ret->kind == EDITED_NONE || ret->kind == EDITED_SELECT)
		return 0;
	s->result->wrote = WROTE_PART;
	act_input(act);
	if (ret->kind == EDITED_SET)
		r = element_edit(e, EDIT_SET, value, deadline, s->arena, ret);
	else
		r = type(s, value);
	if (r == 0 && ret->kind == EDITED_TEXT) {
		act_input(act);
		r = element_edit(e, EDIT_CHANGED, NULL, deadline, s->arena, ret);
	}
	return r < 0 ? r : is_kept(s, e, NULL, ret);
}

static bool is_filled(const struct stepping *s, const struct edited *d)
{
	return !d->gone && d->kind != EDITED_NONE && d->kind != EDITED_SELECT && holds(d->held, s->step->value);
}

static void say_unfilled(struct stepping *s, const struct edited *d)
{
	if (d->gone)
		stepping_conclude(s, STEP_END_MISSING, "%s went away while it was filled in, at %s.", stepping_words(s), stepping_where(s));
	else if (d->kind == EDITED_NONE || d->kind == EDITED_SELECT)
		stepping_conclude(s, STEP_END_MISSING, "%s is no field that text can be written to, at %s.", stepping_words(s), stepping_where(s));
	else if (d->secret)
		stepping_conclude(s, STEP_END_MISSING, "%s did not keep what was written to it, at %s.", stepping_words(s), stepping_where(s));
	else
		stepping_conclude(s, STEP_END_MISSING, "%s holds \"%s\" after \"%s\" was written to it, at %s.", stepping_words(s),
			BRIEF(200, d->held), BRIEF(200, s->step->value), stepping_where(s));
}

static int choose_once(struct stepping *s, const struct element *e, struct edited *d)
{
	int64_t deadline = deadline_in(stepping_left_ms(s) + STEP_ANSWER_MS);
	int r;

	act_press(browser_act(s->browser));
	s->result->wrote = WROTE_PART;
	r = element_edit(e, EDIT_CHOOSE, s->step->value, deadline, s->arena, d);
	if (r == 0 && d->gone) /* before that */
		s->result->wrote = WROTE_NOTHING;
	return r < 0 ? r : is_kept(s, e, s->step->value, d);
}

static bool is_chosen(const struct stepping *s, const struct edited *d)
{
	return !d->gone && strcmp(d->held, s->step->value) == 0;
}

/*
 * Each time that something is written the page may send it, and not at once. So the act is written once, and done with that,
 * whatever the page makes of its field then; and what a later step writes is written again only if the page sends nothing of it.
 */
static bool may_write(const struct stepping *s, size_t noticed)
{
	struct act *act = browser_act(s->browser);

	if (s->result->wrote == WROTE_NOTHING)
		return true;
	return !s->step->act && act_noticed(act) == noticed && act_await_noticed(act) == -ETIMEDOUT;
}

static bool is_told(const struct stepping *s)
{
	return s->step->act && s->result->wrote == WROTE_ALL;
}

/* Again, until the page has kept what was written: some draw their forms anew just then. */
static int write_into(struct stepping *s, const struct wish *wish,
	int (*once)(struct stepping *s, const struct element *e, struct edited *d),
	bool (*took)(const struct stepping *s, const struct edited *d))
{
	size_t noticed = act_noticed(browser_act(s->browser));
	struct edited d = { .gone = true };
	struct element e;
	bool there;
	int r;

	for (int tries = 0; tries < MOST_FILLS; tries++) {
		r = stepping_await(s, wish, &e, &there);
		if (r < 0 || !there)
			return r;
		r = once(s, &e, &d);
		if (r == 0 && (is_told(s) || took(s, &d)))
			return 0;
		if (r < 0 && !stepping_is_passing(s, r))
			return r;
		if (stepping_left_ms(s) == 0 || !may_write(s, noticed))
			break;
	}
	say_unfilled(s, &d);
	return 0;
}

int step_fill_in(struct stepping *s)
{
	const struct wish wish = { .at = s->step->at, .press = true, .edit = true };

	return write_into(s, &wish, fill_once, is_filled);
}

int step_choose(struct stepping *s)
{
	const struct wish wish = { .at = s->step->at, .edit = true, .option = s->step->value };

	return write_into(s, &wish, choose_once, is_chosen);
}
