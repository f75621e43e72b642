#include <errno.h>
#include <string.h>
#include <strings.h>

#include "common/loop.h"
#include "common/words.h"
#include "streamd/act.h"
#include "streamd/stepping.h"
#include "streamd/typing.h"

#define MOST_FILLS 3

static int type(struct stepping *s, const char *text)
{
	struct target *page = run_page(s->browser);

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

/* One try; *ret_again when the field went away or did not keep the text. */
static int fill_once(struct stepping *s, const struct element *e, struct edited *ret)
{
	const char *value = s->step->value;
	int64_t deadline = deadline_in(stepping_left_ms(s) + STEP_ANSWER_MS);
	int r = stepping_press(s, e);

	if (r == 0)
		r = element_edit(e, EDIT_FOCUS, NULL, deadline, s->arena, ret);
	if (r < 0 || ret->gone)
		return r;
	if (ret->kind == EDITED_SET)
		r = element_edit(e, EDIT_SET, value, deadline, s->arena, ret);
	else if (ret->kind == EDITED_TEXT)
		r = type(s, value);
	if (r == 0 && ret->kind == EDITED_TEXT)
		r = element_edit(e, EDIT_CHANGED, NULL, deadline, s->arena, ret);
	if (r == 0 && ret->kind != EDITED_NONE)
		r = element_edit(e, EDIT_HELD, NULL, deadline, s->arena, ret);
	return r;
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
	r = element_edit(e, EDIT_CHOOSE, s->step->value, deadline, s->arena, d);
	if (r == 0 && !d->gone)
		r = element_edit(e, EDIT_HELD, s->step->value, deadline, s->arena, d);
	return r;
}

static bool is_chosen(const struct stepping *s, const struct edited *d)
{
	return !d->gone && strcmp(d->held, s->step->value) == 0;
}

/* Again, until the page has kept what was written: some draw their forms anew just then. */
static int write_into(struct stepping *s, const struct wish *wish,
	int (*once)(struct stepping *s, const struct element *e, struct edited *d),
	bool (*took)(const struct stepping *s, const struct edited *d))
{
	struct edited d = { .gone = true };
	struct element e;
	bool there;
	int r;

	for (int tries = 0; tries < MOST_FILLS; tries++) {
		r = stepping_await(s, wish, &e, &there);
		if (r < 0 || !there)
			return r;
		r = once(s, &e, &d);
		if (r == 0 && took(s, &d))
			return 0;
		if (r < 0 && !stepping_is_passing(s, r))
			return r;
		if (stepping_left_ms(s) == 0)
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
