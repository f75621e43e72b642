#include "streamd/run/stepping.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "common/loop.h"
#include "common/words.h"
#include "proto/viewer.h"
#include "streamd/browser/page.h"
#include "streamd/screen/screen.h"

#define LOOK_MS     500 /* one look at a page, before it is asked again which page is in front */
#define RETRY_MS    50  /* a document that has just gone: until its successor is looked at, if nothing is heard */
#define MOST_REASON 1024
#define MOST_PLACE  10000.0 /* as in proto/viewer.def */

int64_t stepping_left_ms(const struct stepping *s)
{
	int64_t ms = s->deadline - loop_now();

	return ms > 0 ? ms : 0;
}

void stepping_conclude(struct stepping *s, enum step_end end, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	s->result->end = end;
	s->result->reason = words_new(s->arena, MOST_REASON, "%s", arena_vprintf(s->arena, format, args));
	va_end(args);
}

void stepping_point(struct stepping *s, const char *session, double x, double y)
{
	cdp_send(browser_cdp(s->browser), session, "Input.dispatchMouseEvent", CDP_TEXT("type", "mouseMoved"), CDP_REAL("x", x),
		CDP_REAL("y", y));
	stepping_show_pointer(s, x, y);
}

/* A page says where its elements are; what lies beyond any picture is shown to nobody. */
void stepping_show_pointer(struct stepping *s, double x, double y)
{
	const struct pointer_moved_event event = { .x = x, .y = y };

	if (s->screen && fabs(x) <= MOST_PLACE && fabs(y) <= MOST_PLACE)
		screen_tell(s->screen, &method_pointer_moved, &event);
}

/* Where the page in front stands, for a sentence. */
const char *stepping_where(const struct stepping *s)
{
	const struct target *page = browser_front(s->browser);

	return page ? arena_strdup(s->arena, url_shown(page->url)) : url_shown(NULL);
}

const char *stepping_words(const struct stepping *s)
{
	return selector_words(s->arena, s->step->at);
}

/* Whether the page in front has come to rest at an address that only a signed-out person is led to. */
bool stepping_at_exit(const struct stepping *s)
{
	const struct target *page = browser_front(s->browser);
	const struct recipe_probe_out *out = s->recipe ? &s->recipe->probe.out : NULL;

	return out && page && url_fits_any(page->url, (const char *const *)out->url, out->url_count);
}

/* Only a list has a say of its own; to other steps, what none of the recipe's lists needs does not matter either. */
struct fetches_but stepping_unneeded(const struct stepping *s)
{
	const struct step *p = s->step;
	struct fetches_but but = { .recipe = s->recipe,
		.patterns = (const char *const *)p->long_polls,
		.count = p->long_polls_count };
	const char **all;
	size_t n = 0;

	if (p->none || !s->recipe)
		return but;
	for (size_t i = 0; i < s->recipe->actions_count; i++)
		n += s->recipe->actions[i].list.long_polls_count;
	all = arena_array(s->arena, n, sizeof(*all));
	but.patterns = all;
	but.count = n;
	for (size_t i = 0; i < s->recipe->actions_count; i++)
		for (size_t j = 0; j < s->recipe->actions[i].list.long_polls_count; j++)
			*all++ = s->recipe->actions[i].list.long_polls[j];
	return but;
}

const struct fetch *stepping_failed(const struct stepping *s, bool down)
{
	const struct target *page = browser_front(s->browser);
	const struct fetches_but but = stepping_unneeded(s);

	return page ? page_failed(page, &but, down) : NULL;
}

const char *stepping_failed_words(const struct stepping *s, const struct fetch *f)
{
	return words_new(s->arena, MOST_REASON, "%s, which the page asked for, %s", url_shown(f->url), fetch_words(s->arena, f));
}

/* A document has gone, or a page: waits for what comes in its place, but not long. */
int stepping_await_successor(struct stepping *s)
{
	const struct target *page = browser_front(s->browser);
	int r = event_await(s->browser, page ? page->session : "", page ? "Page.domContentEventFired" : "Target.attachedToTarget",
		deadline_in(RETRY_MS));

	return r == -ETIMEDOUT || r == -EPIPE ? 0 : r;
}

/* Whether r only says that the document or the page went away, so that the next one may be tried. */
bool stepping_is_passing(const struct stepping *s, int r)
{
	const struct target *page = browser_front(s->browser);

	return r == -EREMOTE || (r == -EPIPE && !(page && page->crashed));
}

/* What it says lasts until the next look, for a page may be looked at often, and say much. */
static int stepping_look(struct stepping *s, struct target_ref page, const struct wish *wish, struct element *ret)
{
	int64_t ms = stepping_left_ms(s);

	arena_free(s->look);
	s->look = arena_new(0);
	return element_wait(page, wish, 1, ms < LOOK_MS ? ms : LOOK_MS, s->look, ret);
}

/*
 * Waits for a wish on whatever page is in front, through documents that go and come. ret->late when it did not come true
 * in time, or cannot any more because the session has expired.
 */
static int await(struct stepping *s, const struct wish *wish, struct element *ret)
{
	int r;

	for (;;) {
		struct target *page = browser_front(s->browser);
		*ret = (struct element){ .late = true };
		if (page && page->crashed) /* it would never answer */
			return -EPIPE;
		r = page ? stepping_look(s, target_ref_of(page), wish, ret) : -EREMOTE;
		if (r == 0 && !ret->late && !ret->moved)
			return 0;
		page = browser_front(s->browser);
		if (stepping_left_ms(s) == 0 || (stepping_at_exit(s) && !page->loading)) {
			ret->late = true;
			return stepping_is_passing(s, r) ? 0 : r;
		}
		if (stepping_is_passing(s, r))
			r = stepping_await_successor(s);
		if (r < 0)
			return r;
	}
}

static const char *obstacle(const struct stepping *s, const struct element *e)
{
	if (e->frameless)
		return "is not there: no frame with that address is";
	if (!e->text)
		return "is not there";
	if (e->readonly)
		return "cannot be written to: it is read-only";
	if (e->optionless)
		return words_new(s->arena, 300, "has no option \"%s\" that can be chosen", BRIEF(200, s->step->value));
	if (e->disabled)
		return "is there but disabled";
	if (e->covered)
		return "is there but covered by something else";
	if (e->moving)
		return "is there but does not stand still";
	return NULL;
}

static void stepping_say_missing(struct stepping *s, const struct wish *wish, const struct element *e)
{
	const char *what = selector_words(s->arena, wish->at), *why = obstacle(s, e);
	double after = (double)step_timeout_ms(s->step) / 1000;

	if (s->step->gone)
		stepping_conclude(s, STEP_END_MISSING, "%s is still there after %g s, at %s; it shows \"%s\".", what, after,
			stepping_where(s), BRIEF(300, e->text));
	else if (why)
		stepping_conclude(s, STEP_END_MISSING, "%s %s, after %g s at %s.", what, why, after, stepping_where(s));
	else
		stepping_conclude(s, STEP_END_MISSING, "%s shows \"%s\" and not \"%s\", after %g s at %s.", what,
			BRIEF(300, e->text), BRIEF(300, s->step->value), after, stepping_where(s));
}

/* The same, and what became of it said; *ret_there is whether it came true. */
int stepping_await(struct stepping *s, const struct wish *wish, struct element *ret, bool *ret_there)
{
	int r = await(s, wish, ret);

	if (r < 0)
		return r;
	*ret_there = !ret->late;
	if (ret->late)
		stepping_say_missing(s, wish, ret);
	return 0;
}
