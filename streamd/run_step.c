#include "streamd/run_step.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/memfd.h"
#include "streamd/clip.h"
#include "streamd/element.h"
#include "streamd/net_error.h"

#define LOOK_MS    500  /* one look at a page, before it is asked again which page is in front */
#define RETRY_MS   50   /* a document that has just gone: until its successor is looked at, if nothing is heard */
#define ANSWER_MS  5000 /* for what a page answers at once, unless it hangs */
#define BEGIN_MS   500  /* a document that a page says it goes to: until its loading begins, or it never does */
#define PICTURE_MS 5000
#define MOST_FILLS 3
#define MOST_PICTURES 10

#define MOST_REASON 1024
#define MOST_TEXT   65536
#define MOST_CELL   4096
#define MOST_PICTURE (8u << 20)

/* A step under way. */
struct stepping {
	struct browser *browser;
	const struct recipe *recipe;
	const struct step *step;
	struct arena *arena;
	int64_t deadline;
	struct step_result *result;
};

const char *step_end_word(enum step_end e)
{
	switch (e) {
	case STEP_END_DONE: return "done";
	case STEP_END_MISSING: return "missing";
	case STEP_END_EXPIRED: return "expired";
	case STEP_END_FAILED: return "failed";
	}
	return "failed";
}

struct target *run_page(struct browser *b)
{
	struct target *t;

	TAILQ_FOREACH_REVERSE (t, browser_targets(b), target_list, link)
		if (t->kind == TARGET_PAGE && !t->hidden && t->session[0])
			return t;
	return NULL;
}

static int64_t left_ms(const struct stepping *s)
{
	int64_t ms = s->deadline - loop_now();

	return ms > 0 ? ms : 0;
}

static void conclude(struct stepping *s, enum step_end end, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void conclude(struct stepping *s, enum step_end end, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	s->result->end = end;
	s->result->reason = clip(s->arena, arena_vprintf(s->arena, format, args), MOST_REASON);
	va_end(args);
}

/* Where the page in front stands, for a sentence. */
static const char *where(const struct stepping *s)
{
	const struct target *page = run_page(s->browser);

	return page ? clip_url(s->arena, page->url) : "no page at all";
}

static const char *words(const struct stepping *s)
{
	return selector_words(s->arena, s->step->at);
}

/* Whether the page in front has come to rest at an address that only a signed-out person is led to. */
static bool at_exit(const struct stepping *s)
{
	const struct target *page = run_page(s->browser);
	const struct recipe_probe_out *out = s->recipe ? &s->recipe->probe.out : NULL;

	return out && page && recipe_any_url((const char *const *)out->url, out->url_count, page->url);
}

/* A document has gone, or a page: waits for what comes in its place, but not long. */
static int wait_successor(struct stepping *s)
{
	struct target *page = run_page(s->browser);
	struct event_wait wait;
	char session[48] = "";
	int r;

	if (page)
		memcpy(session, page->session, sizeof(session));
	event_wait_begin(s->browser, &wait, session, page ? "Page.domContentEventFired" : "Target.attachedToTarget");
	r = event_wait_end(s->browser, &wait, deadline_in(RETRY_MS));
	return r == -ETIMEDOUT || r == -EPIPE ? 0 : r;
}

/* Whether r only says that the document or the page went away, so that the next one may be tried. */
static bool is_passing(const struct stepping *s, int r)
{
	const struct target *page = run_page(s->browser);

	return r == -EREMOTE || (r == -EPIPE && !(page && page->crashed));
}

/*
 * Waits for a wish on whatever page is in front, through documents that go and come. ret->late when it did not come true
 * in time, or cannot any more because the session has expired.
 */
static int await(struct stepping *s, const struct wish *wish, struct element *ret)
{
	int r;

	for (;;) {
		struct target *page = run_page(s->browser);
		int64_t ms = left_ms(s);
		*ret = (struct element){ .late = true };
		if (page && page->crashed) /* it would never answer */
			return -EPIPE;
		r = page ? element_wait(page, wish, 1, ms < LOOK_MS ? ms : LOOK_MS, s->arena, ret) : -EREMOTE;
		if (r == 0 && !ret->late && !ret->moved)
			return 0;
		page = run_page(s->browser);
		if (left_ms(s) == 0 || (at_exit(s) && !page->loading)) {
			ret->late = true;
			return is_passing(s, r) ? 0 : r;
		}
		if (is_passing(s, r))
			r = wait_successor(s);
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
		return arena_printf(s->arena, "has no option \"%.200s\" that can be chosen", s->step->value);
	if (e->disabled)
		return "is there but disabled";
	if (e->covered)
		return "is there but covered by something else";
	if (e->moving)
		return "is there but does not stand still";
	return NULL;
}

static void say_missing(struct stepping *s, const struct element *e)
{
	const char *what = words(s), *why = obstacle(s, e);
	double after = (double)step_timeout_ms(s->step) / 1000;

	if (s->step->gone)
		conclude(s, STEP_END_MISSING, "%s is still there after %g s, at %s; it shows \"%.300s\".", what, after,
			where(s), e->text ? e->text : "");
	else if (why)
		conclude(s, STEP_END_MISSING, "%s %s, after %g s at %s.", what, why, after, where(s));
	else
		conclude(s, STEP_END_MISSING, "%s shows \"%.300s\" and not \"%.300s\", after %g s at %s.", what, e->text,
			s->step->value ? s->step->value : "", after, where(s));
}

/* The same, and what became of it said; *ret_there is whether it came true. */
static int await_or_say(struct stepping *s, const struct wish *wish, struct element *ret, bool *ret_there)
{
	int r = await(s, wish, ret);

	if (r < 0)
		return r;
	*ret_there = !ret->late;
	if (ret->late)
		say_missing(s, ret);
	return 0;
}

/* Whether the document of this page is there to work with, although not everything of it has come. */
static bool is_usable(struct target *page, struct arena *arena)
{
	struct element e;

	return page && page->session[0] && element_wait(page, NULL, 0, 0, arena, &e) == 0;
}

static int open_page(struct stepping *s)
{
	struct target *page = run_page(s->browser);
	const char *before = page ? arena_strdup(s->arena, page->url) : "";
	const char *url = clip_url(s->arena, s->step->url);
	char why[256] = "";
	int r;

	if (!page) {
		conclude(s, STEP_END_FAILED, "The site has closed its last page; start again.");
		return 0;
	}
	r = page_navigate(page, s->step->url, s->deadline, why, sizeof(why));
	page = run_page(s->browser);
	if (r == -ETIMEDOUT && page && strcmp(page->url, before) != 0 && is_usable(page, s->arena))
		r = 0; /* a picture or a script of it never comes */
	if (r == -EREMOTE)
		conclude(s, STEP_END_FAILED, "%s could not be opened: %s (%s).", url, net_error_words(why), why);
	else if (r == -ETIMEDOUT)
		conclude(s, STEP_END_FAILED, "%s has not been loaded within %g s; look whether the site is up.", url,
			(double)step_timeout_ms(s->step) / 1000);
	else if (r == 0)
		s->result->text = clip(s->arena, page ? page->url : "", MOST_TEXT);
	return r == -EREMOTE || r == -ETIMEDOUT ? 0 : r;
}

/* What tells that a press leads to another document. */
struct departure {
	char session[48];
	bool was_loading;
	struct event_wait requested, scheduled, started;
};

static void departure_begin(struct stepping *s, struct departure *d, const struct target *page)
{
	memcpy(d->session, page->session, sizeof(d->session));
	d->was_loading = page->loading;
	event_wait_begin(s->browser, &d->requested, d->session, "Page.frameRequestedNavigation");
	event_wait_begin(s->browser, &d->scheduled, d->session, "Page.frameScheduledNavigation");
	event_wait_begin(s->browser, &d->started, d->session, "Page.frameStartedLoading");
}

/* True if there is one; then its loading has begun, if it ever does. */
static bool departure_end(struct stepping *s, struct departure *d)
{
	bool left = !d->was_loading && (d->requested.came || d->scheduled.came || d->started.came);
	int64_t now = loop_now();

	event_wait_end(s->browser, &d->requested, now);
	event_wait_end(s->browser, &d->scheduled, now);
	event_wait_end(s->browser, &d->started, left ? now + BEGIN_MS : now);
	return left;
}

/* Waits until the page has loaded what it goes to; that it takes too long is the next step's business. */
static int follow(struct stepping *s, const char *session)
{
	for (;;) {
		struct target *page = browser_target_by_session(s->browser, session);
		struct event_wait wait;
		int r;
		if (!page || !page->loading || page != run_page(s->browser) || left_ms(s) == 0)
			return 0;
		event_wait_begin(s->browser, &wait, session, "Page.frameStoppedLoading");
		r = event_wait_end(s->browser, &wait, deadline_min(s->deadline, deadline_in(LOOK_MS)));
		if (r < 0 && r != -ETIMEDOUT)
			return r == -EPIPE ? 0 : r;
	}
}

/*
 * The release is answered once the page's listeners have run; a page that closes itself in them does not answer any more,
 * which is no failure. What it is asked next it answers after the news of what the press has begun.
 */
static int press_at(struct stepping *s, const char *session, const struct element *e)
{
	struct cdp *cdp = browser_cdp(s->browser);
	int64_t deadline = deadline_in(left_ms(s) + ANSWER_MS);
	struct target *page;
	int r;

	cdp_send(cdp, session, "Input.dispatchMouseEvent", CDP_TEXT("type", "mouseMoved"), CDP_REAL("x", e->x),
		CDP_REAL("y", e->y));
	cdp_send(cdp, session, "Input.dispatchMouseEvent", CDP_TEXT("type", "mousePressed"), CDP_REAL("x", e->x),
		CDP_REAL("y", e->y), CDP_TEXT("button", "left"), CDP_INT("buttons", 1), CDP_INT("clickCount", 1));
	r = cdp_call(cdp, session, "Input.dispatchMouseEvent", deadline, NULL, CDP_TEXT("type", "mouseReleased"),
		CDP_REAL("x", e->x), CDP_REAL("y", e->y), CDP_TEXT("button", "left"), CDP_INT("buttons", 0),
		CDP_INT("clickCount", 1));
	if (r == 0)
		r = cdp_call(cdp, session, "Runtime.evaluate", deadline, NULL, CDP_TEXT("expression", "0"));
	page = browser_target_by_session(s->browser, session);
	return r == -EREMOTE || (r == -EPIPE && !(page && page->crashed)) ? 0 : r;
}

/* As a mouse would. A press that leads to another document is done once that is there, as a person would wait for it. */
static int press(struct stepping *s, const struct element *e)
{
	struct target *page = run_page(s->browser);
	struct departure d;
	bool left;
	int r;

	if (!page)
		return -EREMOTE;
	departure_begin(s, &d, page);
	r = press_at(s, d.session, e);
	left = departure_end(s, &d);
	return r == 0 && left ? follow(s, d.session) : r;
}

static int click(struct stepping *s)
{
	const struct wish wish = { .at = s->step->at, .press = true };
	struct element e;
	bool there;
	int r = await_or_say(s, &wish, &e, &there);

	return r == 0 && there ? press(s, &e) : r;
}

static int type(struct stepping *s, const char *text)
{
	struct target *page = run_page(s->browser);
	struct cdp *cdp = browser_cdp(s->browser);

	if (!page)
		return -EREMOTE;
	if (*text)
		return cdp_call(cdp, page->session, "Input.insertText", deadline_in(ANSWER_MS), NULL,
			CDP_TEXT("text", text));
	cdp_send(cdp, page->session, "Input.dispatchKeyEvent", CDP_TEXT("type", "rawKeyDown"),
		CDP_TEXT("key", "Backspace"), CDP_TEXT("code", "Backspace"), CDP_INT("windowsVirtualKeyCode", 8));
	return cdp_call(cdp, page->session, "Input.dispatchKeyEvent", deadline_in(ANSWER_MS), NULL,
		CDP_TEXT("type", "keyUp"), CDP_TEXT("key", "Backspace"), CDP_TEXT("code", "Backspace"),
		CDP_INT("windowsVirtualKeyCode", 8));
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
	int64_t deadline = deadline_in(left_ms(s) + ANSWER_MS);
	int r = press(s, e);

	if (r == 0)
		r = element_edit(s->browser, e, EDIT_FOCUS, NULL, deadline, s->arena, ret);
	if (r < 0 || ret->gone)
		return r;
	if (ret->kind == EDITED_SET)
		r = element_edit(s->browser, e, EDIT_SET, value, deadline, s->arena, ret);
	else if (ret->kind == EDITED_TEXT)
		r = type(s, value);
	if (r == 0 && ret->kind != EDITED_NONE)
		r = element_edit(s->browser, e, EDIT_HELD, NULL, deadline, s->arena, ret);
	return r;
}

static bool is_filled(const struct stepping *s, const struct edited *d)
{
	return !d->gone && d->kind != EDITED_NONE && d->kind != EDITED_SELECT && holds(d->held, s->step->value);
}

static void say_unfilled(struct stepping *s, const struct edited *d)
{
	if (d->gone)
		conclude(s, STEP_END_MISSING, "%s went away while it was filled in, at %s.", words(s), where(s));
	else if (d->kind == EDITED_NONE || d->kind == EDITED_SELECT)
		conclude(s, STEP_END_MISSING, "%s is no field that text can be written to, at %s.", words(s), where(s));
	else if (d->secret)
		conclude(s, STEP_END_MISSING, "%s did not keep what was written to it, at %s.", words(s), where(s));
	else
		conclude(s, STEP_END_MISSING, "%s holds \"%.200s\" after \"%.200s\" was written to it, at %s.", words(s),
			d->held, s->step->value, where(s));
}

static int fill(struct stepping *s)
{
	const struct wish wish = { .at = s->step->at, .press = true, .edit = true };
	struct edited d = { .gone = true };
	struct element e;
	bool there;
	int r;

	for (int tries = 0; tries < MOST_FILLS; tries++) {
		r = await_or_say(s, &wish, &e, &there);
		if (r < 0 || !there)
			return r;
		r = fill_once(s, &e, &d);
		if (r == 0 && is_filled(s, &d))
			return 0;
		if (r < 0 && !is_passing(s, r))
			return r;
		if (left_ms(s) == 0)
			break;
	}
	say_unfilled(s, &d);
	return 0;
}

static int choose(struct stepping *s)
{
	const struct wish wish = { .at = s->step->at, .edit = true, .option = s->step->value };
	struct edited d = { .gone = true };
	struct element e;
	bool there;
	int r;

	for (int tries = 0; tries < MOST_FILLS; tries++) {
		int64_t deadline = deadline_in(left_ms(s) + ANSWER_MS);
		r = await_or_say(s, &wish, &e, &there);
		if (r < 0 || !there)
			return r;
		r = element_edit(s->browser, &e, EDIT_CHOOSE, s->step->value, deadline, s->arena, &d);
		if (r == 0 && !d.gone)
			r = element_edit(s->browser, &e, EDIT_HELD, s->step->value, deadline, s->arena, &d);
		if (r == 0 && !d.gone && strcmp(d.held, s->step->value) == 0)
			return 0;
		if (r < 0 && !is_passing(s, r))
			return r;
		if (left_ms(s) == 0)
			break;
	}
	say_unfilled(s, &d);
	return 0;
}

/* Every change of an address is told on the browser's own session; History API moves too. */
static int await_page(struct stepping *s)
{
	const char *pattern = s->step->page;

	for (;;) {
		struct target *page = run_page(s->browser);
		struct event_wait wait;
		int r;
		if (page && recipe_any_url(&pattern, 1, page->url))
			return 0;
		if (left_ms(s) == 0 || (at_exit(s) && !page->loading))
			break;
		event_wait_begin(s->browser, &wait, "", "Target.targetInfoChanged");
		r = event_wait_end(s->browser, &wait, deadline_min(s->deadline, deadline_in(LOOK_MS)));
		if (r < 0 && r != -ETIMEDOUT)
			return r;
	}
	conclude(s, STEP_END_MISSING, "The page stands at %s and not at %s, after %g s.", where(s), pattern,
		(double)step_timeout_ms(s->step) / 1000);
	return 0;
}

static int look_for(struct stepping *s)
{
	const struct step *p = s->step;
	const struct wish wish = { .at = p->at, .gone = p->gone, .value = p->value, .attribute = p->attribute };
	struct element e;
	bool there;

	return p->page ? await_page(s) : await_or_say(s, &wish, &e, &there);
}

static int read_one(struct stepping *s)
{
	const struct wish wish = { .at = s->step->at, .attribute = s->step->attribute };
	struct element e;
	bool there;
	int r = await_or_say(s, &wish, &e, &there);

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
		conclude(s, STEP_END_FAILED, "%s are %zu at %s; more than %d are not read.", words(s), count, where(s),
			STEP_MOST_ROWS);
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
		conclude(s, STEP_END_FAILED, "%s at %s hold more text than is read at once.", words(s), where(s));
		return;
	}
	s->result->rows = rows;
	s->result->row_count = count;
}

static int read_all(struct stepping *s)
{
	const struct step *p = s->step;
	struct cell_wish *wishes = arena_array(s->arena, p->cells_count, sizeof(*wishes));
	const char **texts;
	size_t count;
	int r;

	for (size_t i = 0; i < p->cells_count; i++)
		wishes[i] = (struct cell_wish){ .css = p->cells[i].css, .attribute = p->cells[i].attribute };
	for (;;) {
		struct target *page = run_page(s->browser);
		int64_t ms = left_ms(s);
		r = page ? element_rows(page, p->at, wishes, p->cells_count, ms, s->arena, &texts, &count) : -EREMOTE;
		if (r == 0)
			keep_rows(s, texts, count);
		if (r == 0 || (r != -ENOENT && !is_passing(s, r)))
			return r;
		if (left_ms(s) == 0 || at_exit(s))
			break;
		r = wait_successor(s);
		if (r < 0)
			return r;
	}
	conclude(s, STEP_END_MISSING, "The page, or the frame, that should hold %s is not there, after %g s at %s.", words(s),
		(double)step_timeout_ms(p) / 1000, where(s));
	return 0;
}

static int capture_picture(struct stepping *s, int *ret)
{
	struct target *page = run_page(s->browser);
	struct cdp_reply reply;
	const uint8_t *bytes;
	size_t n = 0;
	int r;

	if (!page || page->crashed)
		return -EPIPE;
	r = cdp_call(browser_cdp(s->browser), page->session, "Page.captureScreenshot", deadline_in(PICTURE_MS), &reply,
		CDP_TEXT("format", "jpeg"), CDP_INT("quality", 70), CDP_BOOL("optimizeForSpeed", true));
	if (r < 0)
		return r;
	bytes = cbor_bytes(cbor_get(reply.result, "data"), &n);
	r = bytes && n <= MOST_PICTURE ? memfd_new("picture", bytes, n, ret) : -EFBIG;
	cdp_reply_free(&reply);
	return r;
}

/* 0 with *ret, or a negative errno. None can be taken while one document takes the place of another. */
static int take_picture(struct stepping *s, int *ret)
{
	int r = capture_picture(s, ret);

	for (int tries = 0; r == -EREMOTE && tries < MOST_PICTURES; tries++) {
		r = wait_successor(s);
		if (r == 0)
			r = capture_picture(s, ret);
	}
	return r;
}

static int picture(struct stepping *s)
{
	int r = take_picture(s, &s->result->picture);

	if (r < 0 && r != -ECANCELED && r != -ECONNRESET) {
		conclude(s, STEP_END_FAILED, "No picture of %s could be taken; the page hangs or is gone.", where(s));
		return 0;
	}
	return r;
}

static int carry_out(struct stepping *s)
{
	switch (step_kind(s->step)) {
	case STEP_open: return open_page(s);
	case STEP_click: return click(s);
	case STEP_fill: return fill(s);
	case STEP_choose: return choose(s);
	case STEP_wait_for:
	case STEP_expect: return look_for(s);
	case STEP_read: return s->step->all ? read_all(s) : read_one(s);
	case STEP_picture: return picture(s);
	}
	return -EINVAL;
}

/* What a negative errno means to whoever gave the step. */
static void say_failed(struct stepping *s, int r)
{
	const struct target *page = run_page(s->browser);
	const char *ended = r == -ECONNRESET ? browser_why_ended(s->browser) : browser_ended(s->browser);

	if (ended)
		conclude(s, STEP_END_FAILED, "%s", ended);
	else if (page && page->crashed)
		conclude(s, STEP_END_FAILED, "The page at %s has crashed.", where(s));
	else if (r == -ETIMEDOUT)
		conclude(s, STEP_END_FAILED, "The page at %s hangs: it does not answer any more.", where(s));
	else if (r == -EPIPE || r == -EREMOTE)
		conclude(s, STEP_END_FAILED, "The page went away in the middle of the step; it is now at %s.", where(s));
	else
		conclude(s, STEP_END_FAILED, "The browser failed (%s).", strerror(-r));
}

/* An element that only a signed-out person sees. */
static bool shows_exit(const struct stepping *s)
{
	const struct wish wish = { .at = s->recipe ? s->recipe->probe.out.at : NULL };
	struct target *page = run_page(s->browser);
	struct element e;

	return wish.at && page && element_wait(page, &wish, 1, 0, s->arena, &e) == 0 && !e.late && !e.moved;
}

static void check_expired(struct stepping *s, bool answers)
{
	if (!at_exit(s) && !(answers && shows_exit(s)))
		return;
	conclude(s, STEP_END_EXPIRED, "%s says that nobody is signed in any more, at %s.", s->recipe->title, where(s));
}

int run_step_carry_out(struct browser *b, const struct recipe *recipe, const struct step *step, struct arena *arena,
	struct step_result *ret)
{
	struct stepping s = { .browser = b, .recipe = recipe, .step = step, .arena = arena,
		.deadline = deadline_in(step_timeout_ms(step)), .result = ret };
	const struct target *page = run_page(b);
	const char *before = page ? arena_strdup(arena, page->url) : "";
	bool answers;
	int r;

	*ret = (struct step_result){ .picture = -1 };
	r = browser_ended(b) ? -ECONNRESET : carry_out(&s);
	if (r == -ECANCELED)
		return r;
	if (r < 0)
		say_failed(&s, r);
	page = run_page(b);
	answers = page && !page->crashed && !browser_ended(b) && r != -ETIMEDOUT;
	if (ret->end != STEP_END_DONE || (page && strcmp(before, page->url) != 0))
		check_expired(&s, answers);
	if (ret->end != STEP_END_DONE && answers && take_picture(&s, &ret->picture) < 0)
		log_debug("a failing step has no picture");
	if (!fiber_cancelled())
		return 0;
	closep(&ret->picture);
	return -ECANCELED;
}
