#include <errno.h>
#include <string.h>

#include "common/fiber.h"
#include "common/loop.h"
#include "common/words.h"
#include "streamd/clip.h"
#include "streamd/fetches.h"
#include "streamd/stepping.h"

#define FETCH_MS  5000 /* a page that goes on asking for something for longer does not wait for its list */
#define MOST_TEXT 65536
#define MOST_CELL 4096

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

/* r: the last look's; fetching: what was not waited for to its end, "" if nothing. A list that has not come is not an empty one. */
static void say_unread(struct stepping *s, int r, const struct element_list *list, const char *fetching)
{
	double after = (double)step_timeout_ms(s->step) / 1000;

	if (r == 0 && list->how == LIST_ERROR_PAGE && list->status)
		stepping_conclude(s, STEP_END_MISSING, "%s is an error page (HTTP status %lld), and no list.",
			stepping_where(s), (long long)list->status);
	else if (r == 0 && list->how == LIST_ERROR_PAGE)
		stepping_conclude(s, STEP_END_MISSING,
			"The page could not be loaded; it is the browser's own error page, and no list.");
	else if (r == 0 && list->how == LIST_MARKLESS)
		stepping_conclude(s, STEP_END_MISSING, "The list shows neither %s nor %s, after %g s at %s.",
			stepping_words(s), selector_words(s->arena, s->step->none), after, stepping_where(s));
	else if (r == 0 && list->how == LIST_CHANGING)
		stepping_conclude(
			s, STEP_END_MISSING, "The list goes on changing, after %g s at %s.", after, stepping_where(s));
	else if (r == 0 && list->how == LIST_FETCHING)
		stepping_conclude(s, STEP_END_MISSING,
			"The page at %s shows %s, but after %g s it is still fetching %s, which it asked for before; "
			"if it always leaves that open, name it in the recipe, in the list's long_polls.",
			stepping_where(s), selector_words(s->arena, s->step->none), after, fetching);
	else
		stepping_conclude(s, STEP_END_MISSING,
			"The page, or the frame, that should hold %s is not there, after %g s at %s.",
			stepping_words(s), after, stepping_where(s));
}

static struct list_wish list_wish_of(struct stepping *s)
{
	const struct step *p = s->step;
	struct cell_wish *cells = arena_array(s->arena, p->cells_count, sizeof(*cells));

	for (size_t i = 0; i < p->cells_count; i++)
		cells[i] = (struct cell_wish){ .css = p->cells[i].css, .attribute = p->cells[i].attribute };
	return (struct list_wish){ .at = p->at, .none = p->none, .cells = cells, .cell_count = p->cells_count };
}

/*
 * Many a page shows that there is nothing until its rows have come. So its word for "none" does not count while something is
 * under way that was asked for before it stood there, nor, for a while, what was asked for since: pages that never cease to ask
 * are lists, too, and what the recipe knows to be left open not at all. since: of that word, 0: none yet; ret_what: what is
 * under way, left alone if nothing is.
 */
static bool is_fetching(struct stepping *s, int64_t since, const char **ret_what)
{
	const struct step *p = s->step;
	const struct target *page = run_page(s->browser);
	int64_t patience = step_timeout_ms(p) / 2, fetches;
	const struct url *what =
		page ? page_fetching(page, (const char *const *)p->long_polls, p->long_polls_count, &fetches) : NULL;

	if (!what)
		return false;
	*ret_what = arena_strdup(s->arena, url_shown(what));
	return !since || fetches <= since || loop_now() - since < (patience < FETCH_MS ? patience : FETCH_MS);
}

static bool is_none(const struct stepping *s, const struct element_list *list)
{
	return s->step->none && list->how == LIST_THERE && list->count == 0;
}

/* What has just come the page may be about to show, so a look at "none" counts only if nothing was under way when it began. */
int step_read_all(struct stepping *s)
{
	const struct list_wish wish = list_wish_of(s);
	struct element_list list = { .how = LIST_MOVED };
	const char *what = "";
	int64_t none_since = 0;
	bool fetching = false;
	int r;

	for (;;) {
		struct target *page = run_page(s->browser);
		int64_t ms = stepping_left_ms(s);
		bool before = is_fetching(s, none_since, &what), none;
		r = page ? element_rows(target_ref_of(page), &wish, ms, s->arena, &list) : -EREMOTE;
		none = r == 0 && is_none(s, &list);
		none_since = !none ? 0 : none_since ? none_since : loop_now();
		fetching = r == 0 && ((none && (before || is_fetching(s, none_since, &what))) ||
					     (fetching && list.how == LIST_CHANGING));
		if (fetching) /* and the last look may have had no time left for a second one */
			list.how = LIST_FETCHING;
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
	say_unread(s, r, &list, what);
	return 0;
}
