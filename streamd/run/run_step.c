#include "streamd/run/run_step.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/memfd.h"
#include "common/words.h"
#include "streamd/browser/act.h"
#include "streamd/browser/farewell.h"
#include "streamd/browser/net_error.h"
#include "streamd/browser/page.h"
#include "streamd/run/beside.h"
#include "streamd/run/stepping.h"

#define LOOK_MS       500 /* one look at a page, before it is asked again which page is in front */
#define PICTURE_MS    5000
#define MOST_PICTURES 10
#define MOST_PICTURE  (8u << 20)

static void stepping_end(struct stepping *s)
{
	s->look = arena_free(s->look);
}

const char *step_end_word(enum step_end e)
{
	static const char *const words[] = { [STEP_END_DONE] = "done", [STEP_END_MISSING] = "missing",
		[STEP_END_EXPIRED] = "expired", [STEP_END_FAILED] = "failed", [STEP_END_DOWN] = "down" };

	return words[e];
}

/* Whether the document of this page is there to work with, although not everything of it has come. */
static bool is_usable(struct target *page, struct arena *arena)
{
	struct element e;

	return page && page->session[0] && element_wait(target_ref_of(page), NULL, 0, 0, arena, &e) == 0;
}

/* The page in front waits for the answer to its act, and stays: another is opened beside it, which is in front then. */
static int open_beside(struct stepping *s, struct target_ref *front, char script[CDP_ID])
{
	int r = page_open_beside(*front, s->deadline, front, script);

	if (r == 0)
		act_go_apart(browser_act(s->browser), target_of(*front));
	return r;
}

/*
 * Nothing waits for an answer: whatever is shown goes, also another place of the document that has acted, and what stands behind
 * the page in front, which may have acted as well. Only then nothing is held back any more.
 */
static int run_step_leave_all(struct stepping *s, struct target_ref front, bool may_speak)
{
	struct act *act = browser_act(s->browser);
	bool leaves = page_leaves(front, s->step->url) || act_has_begun(act);

	act_stop(act);
	if (leaves)
		return page_leave_act(front, may_speak, deadline_in(STEP_ANSWER_MS));
	act_leave(act);
	return 0;
}

/* Without a goodbye, unless the recipe wants it. The step's own time is for the site that is asked then. */
static int leave_page(struct stepping *s, struct target_ref *front, char script[CDP_ID])
{
	bool may_speak = s->recipe && s->recipe->session.farewell;
	struct act *act = browser_act(s->browser);
	int r = 0;

	if (!act_is_open(act)) {
		r = run_step_leave_all(s, *front, may_speak);
	} else {
		act_leave(act);
		if (!act_is_apart(act, target_of(*front)))
			return open_beside(s, front, script);
		if (!may_speak && page_leaves(*front, s->step->url))
			r = page_leave(*front, deadline_in(STEP_ANSWER_MS));
	}
	s->deadline = deadline_in(step_timeout_ms(s->step));
	return r;
}

static int run_step_open_page(struct stepping *s)
{
	struct target *page = browser_front(s->browser);
	const char *url = url_shown(url_in(s->arena, s->step->url));
	struct target_ref front = target_ref_of(page);
	const struct url *before;
	char script[CDP_ID] = "", why[256] = "";
	int r;

	if (!page) {
		stepping_conclude(s, STEP_END_FAILED, "The site has closed its last page; start again.");
		return 0;
	}
	r = leave_page(s, &front, script);
	page = browser_front(s->browser);
	if (r < 0 || !page)
		return r < 0 ? r : -EPIPE;
	before = url_in(s->arena, url_whole(page->url));
	r = page_navigate(front, s->step->url, s->deadline, why, sizeof(why));
	page_beside_begun(front, script);
	page = browser_front(s->browser);
	if (r == -ETIMEDOUT && page && !url_equal(page->url, before) && is_usable(page, s->arena))
		r = 0; /* a picture or a script of it never comes */
	s->late = r == -ETIMEDOUT;
	if (r == -EREMOTE)
		stepping_conclude(s, STEP_END_FAILED, "%s could not be opened: %s (%s).", url, net_error_words(why), why);
	else if (r == -ETIMEDOUT)
		stepping_conclude(s, STEP_END_FAILED, "%s has not been loaded within %g s; look whether the site is up.", url,
			(double)step_timeout_ms(s->step) / 1000);
	else if (r == 0)
		s->result->text = stepping_where(s);
	return r == -EREMOTE || r == -ETIMEDOUT ? 0 : r;
}

/* Every change of an address is told on the browser's own session; History API moves too. */
static int await_page(struct stepping *s)
{
	const char *pattern = s->step->page;

	for (;;) {
		struct target *page = browser_front(s->browser);
		int r;
		if (page && url_fits_any(page->url, &pattern, 1))
			return 0;
		if (stepping_left_ms(s) == 0 || (stepping_at_exit(s) && !page->loading))
			break;
		r = event_await(s->browser, "", "Target.targetInfoChanged", deadline_min(s->deadline, deadline_in(LOOK_MS)));
		if (r < 0 && r != -ETIMEDOUT)
			return r;
	}
	stepping_conclude(s, STEP_END_MISSING, "The page stands at %s and not at %s, after %g s.", stepping_where(s), pattern,
		(double)step_timeout_ms(s->step) / 1000);
	return 0;
}

static int look_for(struct stepping *s)
{
	const struct step *p = s->step;
	const struct wish wish = { .at = p->at, .gone = p->gone, .value = p->value, .attribute = p->attribute };
	struct element e;
	bool there;

	return p->page ? await_page(s) : stepping_await(s, &wish, &e, &there);
}

static int capture_picture(struct stepping *s, int *ret)
{
	struct target *page = browser_front(s->browser);
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
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
	return bytes && n <= MOST_PICTURE ? memfd_new("picture", bytes, n, ret) : -EFBIG;
}

/* 0 with *ret, or a negative errno. None can be taken while one document takes the place of another. */
static int run_step_take_picture(struct stepping *s, int *ret)
{
	int r = capture_picture(s, ret);

	for (int tries = 0; r == -EREMOTE && tries < MOST_PICTURES; tries++) {
		r = stepping_await_successor(s);
		if (r == 0)
			r = capture_picture(s, ret);
	}
	return r;
}

static int picture(struct stepping *s)
{
	int r = run_step_take_picture(s, &s->result->picture);

	if (r < 0 && r != -ECANCELED && r != -ECONNRESET) {
		stepping_conclude(s, STEP_END_FAILED, "No picture of %s could be taken; the page hangs or is gone.", stepping_where(s));
		return 0;
	}
	return r;
}

/* Whether the page may be worked on: not while what it has sent to act is not answered, for that could end it. */
static bool await_act(struct stepping *s, int *ret)
{
	const struct act *act = browser_act(s->browser);
	bool waits = act_is_open(act) && !act_is_apart(act, browser_front(s->browser));
	int r = waits ? act_await_over(browser_act(s->browser), s->deadline) : 0;

	*ret = r == -ETIMEDOUT ? 0 : r;
	if (r == -ETIMEDOUT)
		stepping_conclude(s, STEP_END_MISSING, "The page still waits for the answer to what it has sent, after %g s, at %s; it is "
			"left alone until then.", (double)step_timeout_ms(s->step) / 1000, stepping_where(s));
	return r == 0;
}

static int run_step_read_page(struct stepping *s)
{
	return s->step->all ? step_read_all(s) : step_read_one(s);
}

/* What each step does. */
static const struct {
	int (*carry_out)(struct stepping *s);
	bool touches; /* it gives the page input */
	bool writes;  /* more than a press: what the page sends meanwhile, a heartbeat perhaps, does not leave it half done */
	bool relies;  /* on what the page shows, which of a page that is not the site's own says nothing */
} kinds[] = {
	[STEP_open] = { run_step_open_page, .relies = true },
	[STEP_click] = { step_click, .touches = true },
	[STEP_double_click] = { step_double_click, .touches = true },
	[STEP_drag] = { step_drag, .touches = true, .writes = true },
	[STEP_press] = { step_press, .touches = true },
	[STEP_check] = { step_check, .touches = true },
	[STEP_upload] = { step_upload, .touches = true, .writes = true },
	[STEP_hover] = { step_hover, .touches = true },
	[STEP_fill] = { step_fill_in, .touches = true, .writes = true },
	[STEP_choose] = { step_choose, .touches = true, .writes = true },
	[STEP_wait_for] = { look_for, .relies = true },
	[STEP_read] = { run_step_read_page, .relies = true },
	[STEP_picture] = { picture, .relies = false },
	[STEP_expect] = { look_for, .relies = true },
};

bool run_step_writes(const struct step *step)
{
	return kinds[step_kind(step)].writes;
}

static int carry_out(struct stepping *s)
{
	int r;

	if (kinds[step_kind(s->step)].touches && !await_act(s, &r))
		return r;
	return kinds[step_kind(s->step)].carry_out(s);
}

/* What a negative errno means to whoever gave the step. */
static void run_step_say_failed(struct stepping *s, int r)
{
	const char *ended = r == -ECONNRESET ? browser_why_ended(s->browser) : browser_ended(s->browser);
	const struct target *page = browser_front(s->browser);

	if (ended)
		stepping_conclude(s, STEP_END_FAILED, "%s", ended);
	else if (page && page->crashed)
		stepping_conclude(s, STEP_END_FAILED, "The page at %s has crashed.", stepping_where(s));
	else if (r == -ETIMEDOUT)
		stepping_conclude(s, STEP_END_FAILED, "The page at %s hangs: it does not answer any more.", stepping_where(s));
	else if (r == -EPIPE || r == -EREMOTE)
		stepping_conclude(s, STEP_END_FAILED, "The page went away in the middle of the step; it is now at %s.", stepping_where(s));
	else
		stepping_conclude(s, STEP_END_FAILED, "The browser failed (%s).", strerror(-r));
}

static bool run_step_shows(const struct stepping *s, const struct selector *at)
{
	const struct wish wish = { .at = at };
	struct target *page = browser_front(s->browser);
	struct element e;

	return page && element_wait(target_ref_of(page), &wish, 1, 0, s->arena, &e) == 0 && !e.late && !e.moved;
}

/* An element that only a signed-out person sees. */
static bool shows_exit(const struct stepping *s)
{
	const struct recipe_probe_out *out = s->recipe ? &s->recipe->probe.out : NULL;
	bool shows = out && out->at && run_step_shows(s, out->at);

	for (size_t i = 0; out && i < out->any_count && !shows; i++)
		shows = run_step_shows(s, &out->any[i]);
	return shows;
}

static void check_expired(struct stepping *s, bool answers)
{
	if (!stepping_at_exit(s) && !(answers && shows_exit(s)))
		return;
	stepping_conclude(s, STEP_END_EXPIRED, "%s says that nobody is signed in any more, at %s.", s->recipe->title, stepping_where(s));
}

/*
 * An outage behind a page that loads: what it asked for was not answered, and the element that was waited for has not come. Not
 * where the step may find nothing, nor once the page has acted, when what it shows is still to be read.
 */
static void check_requests(struct stepping *s)
{
	const struct act *act = browser_act(s->browser);
	bool acted = act_has_begun(act) && !act_is_apart(act, browser_front(s->browser));
	bool waited = s->result->end == STEP_END_MISSING && !s->step->optional && !acted;
	const struct fetch *f = waited ? stepping_failed(s, true) : NULL;

	if (!f)
		return;
	*s->result = (struct step_result){ .wrote = s->result->wrote, .retry_ms = f->answer.retry_ms, .picture = -1 };
	stepping_conclude(s, STEP_END_DOWN, "%s is not well: %s.", s->recipe ? s->recipe->title : "The site",
		stepping_failed_words(s, f));
}

/* An error page of the site's server, or of Chromium's for want of one: nothing on it can be relied on. */
static void check_down(struct stepping *s)
{
	const struct target *page = browser_front(s->browser);
	char answered[300];
	int64_t retry_ms;

	if (!page || browser_ended(s->browser) || (s->result->end == STEP_END_DONE && !kinds[step_kind(s->step)].relies))
		return;
	if (!page_is_down(page, s->late, &retry_ms, answered, sizeof(answered))) {
		check_requests(s);
		return;
	}
	*s->result = (struct step_result){ .wrote = s->result->wrote, .retry_ms = retry_ms, .picture = -1 };
	stepping_conclude(s, STEP_END_DOWN, "%s is not well: %s %s.", s->recipe ? s->recipe->title : "The site",
		s->late ? url_shown(url_in(s->arena, s->step->url)) : stepping_where(s), answered);
}

int run_step_carry_out(struct browser *b, struct screen *screen, const struct recipe *recipe, const struct step *step,
	struct arena *arena, struct step_result *ret)
{
	CLEANUP(stepping_end) struct stepping s = { .browser = b, .screen = screen, .recipe = recipe, .step = step, .arena = arena,
		.deadline = deadline_in(step_timeout_ms(step)), .result = ret };
	const struct target *page = browser_front(b);
	const struct url *before = url_in(arena, page ? url_whole(page->url) : "");
	bool answers;
	int r;

	*ret = (struct step_result){ .picture = -1 };
	r = browser_ended(b) ? -ECONNRESET : carry_out(&s);
	if (r == -ECANCELED)
		return r;
	if (r < 0)
		run_step_say_failed(&s, r);
	page = browser_front(b);
	answers = page && !page->crashed && !browser_ended(b) && r != -ETIMEDOUT;
	if (ret->end != STEP_END_DONE || (page && !url_equal(before, page->url)))
		check_expired(&s, answers);
	check_down(&s);
	if (ret->end != STEP_END_DONE && answers && run_step_take_picture(&s, &ret->picture) < 0)
		log_debug("a failing step has no picture");
	if (!fiber_cancelled())
		return 0;
	closep(&ret->picture);
	return -ECANCELED;
}
