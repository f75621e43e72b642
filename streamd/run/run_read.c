#include <errno.h>
#include <string.h>

#include "common/fiber.h"
#include "common/loop.h"
#include "common/words.h"
#include "streamd/browser/clip.h"
#include "streamd/run/stepping.h"

#define FETCH_MS  5000 /* a page that goes on asking for something for longer does not wait for its list */
#define MOST_TEXT 65536
#define MOST_CELL 4096
#define MOST_SHOWN 800

/* What stands in a list's place: since when, with how many rows, and why it does not count. */
struct standing {
	int64_t since; /* monotonic ms; 0: nothing does */
	size_t count;
	enum list_how doubt; /* LIST_THERE: none */
	const char *what;    /* of what, for a sentence */
};

int step_read_one(struct stepping *s)
{
	const struct wish wish = { .at = s->step->at, .attribute = s->step->attribute };
	struct element e;
	bool there;
	int r = stepping_await(s, &wish, &e, &there);

	if (r == 0 && there)
		s->result->text = clip(s->arena, e.text, MOST_TEXT);
	return r;
}

/* A list that is cut short would hide what stands further down, so one that does not fit is none. */
static void keep_rows(struct stepping *s, const char *const *texts, size_t count)
{
	const struct step *p = s->step;
	struct run_row *rows;
	size_t bytes = 0;

	if (count > STEP_MOST_ROWS) {
		stepping_conclude(s, STEP_END_FAILED, "%s are %zu at %s; more than %d are not read.", stepping_words(s),
			count, stepping_where(s), STEP_MOST_ROWS);
		return;
	}
	rows = arena_array(s->arena, count, sizeof(*rows));
	for (size_t i = 0; i < count; i++) {
		rows[i].cells = arena_array(s->arena, p->cells_count, sizeof(*rows[i].cells));
		rows[i].cells_count = p->cells_count;
		for (size_t j = 0; j < p->cells_count; j++) {
			struct run_cell *c = &rows[i].cells[j];
			c->name = p->cells[j].name;
			c->value = clip(s->arena, texts[i * p->cells_count + j], MOST_CELL);
			bytes += (c->value ? strlen(c->value) : 0) + strlen(c->name) + 32;
		}
	}
	if (bytes > STEP_MOST_BYTES) {
		stepping_conclude(s, STEP_END_FAILED, "%s at %s hold more text than is read at once.",
			stepping_words(s), stepping_where(s));
		return;
	}
	s->result->rows = rows;
	s->result->row_count = count;
}

/* What stands there, and is believed to be no list; the rest of the sentence says why. */
static const char *shown_words(struct stepping *s, bool rows)
{
	return words_new(s->arena, MOST_SHOWN, "The page at %s shows %s, but", stepping_where(s),
		rows ? "rows" : selector_words(s->arena, s->step->none));
}

static void say_doubted(struct stepping *s, enum list_how how, const struct standing *st)
{
	const char *shown = shown_words(s, st->count > 0);

	if (how == LIST_FETCHING)
		stepping_conclude(s, STEP_END_MISSING,
			"%s after %g s it is still fetching %s, which it asked for before; if it always leaves that open, name it in "
			"the recipe, in the list's long_polls.", shown, (double)step_timeout_ms(s->step) / 1000, st->what);
	else
		stepping_conclude(s, STEP_END_MISSING,
			"%s %s, so that may not be the list; if the list does not need it, name it in the recipe, in the list's "
			"long_polls.", shown, st->what);
}

static void say_markless(struct stepping *s)
{
	const struct fetch *failed = stepping_failed(s, false);

	stepping_conclude(s, STEP_END_MISSING, "The list shows neither %s nor %s, after %g s at %s%s%s.", stepping_words(s),
		selector_words(s->arena, s->step->none), (double)step_timeout_ms(s->step) / 1000, stepping_where(s),
		failed ? "; " : "", failed ? stepping_failed_words(s, failed) : "");
}

/* r: the last look's. A list that has not come is not an empty one. */
static void say_unread(struct stepping *s, int r, const struct element_list *list, const struct standing *st)
{
	double after = (double)step_timeout_ms(s->step) / 1000;

	if (r == 0 && list->how == LIST_ERROR_PAGE && list->status)
		stepping_conclude(s, STEP_END_MISSING, "%s is an error page (HTTP status %lld), and no list.",
			stepping_where(s), (long long)list->status);
	else if (r == 0 && list->how == LIST_ERROR_PAGE)
		stepping_conclude(s, STEP_END_MISSING,
			"The page could not be loaded; it is the browser's own error page, and no list.");
	else if (r == 0 && list->how == LIST_MARKLESS)
		say_markless(s);
	else if (r == 0 && list->how == LIST_CHANGING)
		stepping_conclude(
			s, STEP_END_MISSING, "The list goes on changing, after %g s at %s.", after, stepping_where(s));
	else if (r == 0 && (list->how == LIST_FETCHING || list->how == LIST_FAILED))
		say_doubted(s, list->how, st);
	else
		stepping_conclude(s, STEP_END_MISSING,
			"The page, or the frame, that should hold %s is not there, after %g s at %s.",
			stepping_words(s), after, stepping_where(s));
}

/*
 * Many a page shows that there is nothing, or a row that says "Loading", until its rows have come, or its rows come in several
 * answers. So what stands there does not count while something is under way that was asked for before it stood there, nor, for a
 * while, what was asked for since: pages that never cease to ask are lists, too, and what the recipe knows to be left open not at
 * all. Nor does it count while something that was asked for has failed: what is shown may be for want of it. began: the look at it,
 * after which nothing may have come; now: it is about to.
 */
static enum list_how run_read_doubt(struct stepping *s, struct standing *st, int64_t began)
{
	const struct target *page = browser_front(s->browser);
	int64_t patience = step_timeout_ms(s->step) / 2;
	const struct fetches_but but = stepping_unneeded(s);
	const struct fetch *f = page ? page_fetching(page, &but, began) : NULL, *failed = stepping_failed(s, false);

	if (failed) {
		st->what = stepping_failed_words(s, failed);
		return LIST_FAILED;
	}
	if (f)
		st->what = arena_strdup(s->arena, url_shown(f->url));
	if (!f || (st->since && f->since > st->since && loop_now() - st->since >= (patience < FETCH_MS ? patience : FETCH_MS)))
		return LIST_THERE;
	return LIST_FETCHING;
}

/* More rows than before are others: what brings them may bring more. */
static void stand(struct standing *st, bool there, size_t count)
{
	if (!there)
		*st = (struct standing){ .what = st->what };
	else if (!st->since || st->count != count)
		*st = (struct standing){ .since = loop_now(), .count = count, .what = st->what };
}

/* What has just come the page may be about to show, so a look counts only if nothing was in doubt from when it began. */
static int look_at_list(struct stepping *s, const struct list_wish *wish, struct standing *st, struct element_list *list)
{
	struct target *page = browser_front(s->browser);
	int64_t ms = stepping_left_ms(s), began = loop_now();
	enum list_how before = s->step->none ? run_read_doubt(s, st, began) : LIST_THERE, now;
	int r = page ? element_rows(target_ref_of(page), wish, ms, s->arena, list) : -EREMOTE;

	if (r == 0 && list->how == LIST_CHANGING && st->doubt != LIST_THERE)
		list->how = st->doubt; /* there was no time left for a second look */
	if (r < 0 || list->how != LIST_THERE) {
		if (r < 0 || list->how == LIST_MARKLESS || list->how == LIST_MOVED)
			stand(st, false, 0);
		return r;
	}
	stand(st, true, list->count);
	now = s->step->none ? run_read_doubt(s, st, began) : LIST_THERE;
	list->how = st->doubt = now != LIST_THERE ? now : before;
	return 0;
}

int step_read_all(struct stepping *s)
{
	const struct step *p = s->step;
	const struct list_wish wish = { .at = p->at, .none = p->none, .cells = p->cells, .cell_count = p->cells_count };
	struct element_list list = { .how = LIST_MOVED };
	struct standing st = { .what = "" };
	int r;

	for (;;) {
		r = look_at_list(s, &wish, &st, &list);
		if (r == 0 && list.how == LIST_THERE) {
			keep_rows(s, list.rows, list.count);
			return 0;
		}
		if (r < 0 && r != -ENOENT && !stepping_is_passing(s, r))
			return r;
		if (stepping_left_ms(s) == 0 || stepping_at_exit(s) || (r == 0 && list.how == LIST_ERROR_PAGE))
			break;
		r = r < 0 ? stepping_await_successor(s) : 0;
		if (r < 0)
			return r;
	}
	say_unread(s, r, &list, &st);
	return 0;
}
