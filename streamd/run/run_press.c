#include <errno.h>
#include <string.h>

#include "common/loop.h"
#include "streamd/browser/act.h"
#include "streamd/browser/page.h"
#include "streamd/run/stepping.h"

#define LOOK_MS  500 /* one look at a page, before it is asked again which page is in front */
#define BEGIN_MS 500 /* a document that a page says it goes to: until its loading begins, or it never does */

/* What tells that a press leads to another document. */
struct departure {
	char session[CDP_ID];
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
static int run_press_follow(struct stepping *s, const char *session)
{
	for (;;) {
		struct target *page = browser_target_by_session(s->browser, session);
		int r;
		if (!page || !page->loading || page != browser_front(s->browser) || stepping_left_ms(s) == 0)
			return 0;
		r = event_await(s->browser, session, "Page.frameStoppedLoading", deadline_min(s->deadline, deadline_in(LOOK_MS)));
		if (r < 0 && r != -ETIMEDOUT)
			return r == -EPIPE ? 0 : r;
	}
}

/*
 * What it is asked next it answers once its listeners have run, and after the news of what they have begun. A page that closes
 * itself in them does not answer any more, which is no failure. r: of the input's last part.
 */
int stepping_heard(struct stepping *s, const char *session, int r)
{
	int64_t deadline = deadline_in(stepping_left_ms(s) + STEP_ANSWER_MS);
	struct target *page;

	if (r == 0)
		r = cdp_call(browser_cdp(s->browser), session, "Runtime.evaluate", deadline, NULL, CDP_TEXT("expression", "0"));
	page = browser_target_by_session(s->browser, session);
	return r == -EREMOTE || (r == -EPIPE && !(page && page->crashed)) ? 0 : r;
}

/* The times'th press or release of a row; deadline 0: not waited for. */
static int run_press_button(struct stepping *s, const char *session, const struct element *e, bool down, int times,
	int64_t deadline)
{
	const struct cdp_arg args[] = { CDP_TEXT("type", down ? "mousePressed" : "mouseReleased"), CDP_REAL("x", e->x),
		CDP_REAL("y", e->y), CDP_TEXT("button", "left"), CDP_INT("buttons", down), CDP_INT("clickCount", times), { 0 } };

	if (deadline)
		return cdp_call_args(browser_cdp(s->browser), session, "Input.dispatchMouseEvent", deadline, NULL, args);
	cdp_send_args(browser_cdp(s->browser), session, "Input.dispatchMouseEvent", args);
	return 0;
}

/* How often an element is pressed. */
struct presses {
	const struct element *at;
	int times;
};

/* All at once: what the first of them makes the page send may be held back, and nothing is asked of the page then. */
static int press_at(struct stepping *s, const char *session, const void *arg)
{
	const struct presses *p = arg;
	int64_t deadline = deadline_in(stepping_left_ms(s) + STEP_ANSWER_MS);
	int r = 0;

	act_press(browser_act(s->browser));
	stepping_point(s, session, p->at->x, p->at->y);
	for (int i = 1; i <= p->times; i++) {
		run_press_button(s, session, p->at, true, i, 0);
		r = run_press_button(s, session, p->at, false, i, i < p->times ? 0 : deadline);
	}
	return stepping_heard(s, session, r);
}

int stepping_give(struct stepping *s, int (*give)(struct stepping *s, const char *session, const void *arg), const void *arg)
{
	struct target *page = browser_front(s->browser);
	struct departure d;
	bool left;
	int r;

	if (!page)
		return -EREMOTE;
	departure_begin(s, &d, page);
	r = give(s, d.session, arg);
	left = departure_end(s, &d);
	return r == 0 && left ? run_press_follow(s, d.session) : r;
}

int stepping_press(struct stepping *s, const struct element *e)
{
	return stepping_give(s, press_at, &(const struct presses){ .at = e, .times = 1 });
}

static int run_press_found(struct stepping *s, int times)
{
	const struct wish wish = { .at = s->step->at, .press = true };
	struct element e;
	bool there;
	int r = stepping_await(s, &wish, &e, &there);

	return r == 0 && there ? stepping_give(s, press_at, &(const struct presses){ .at = &e, .times = times }) : r;
}

int step_click(struct stepping *s)
{
	return run_press_found(s, 1);
}

int step_double_click(struct stepping *s)
{
	return run_press_found(s, 2);
}

/* What it is asked next it answers once its listeners have run; what shows then is the next step's to wait for. */
static int run_press_point_at(struct stepping *s, const struct element *e)
{
	struct target *page = browser_front(s->browser);

	if (!page)
		return -EREMOTE;
	act_input(browser_act(s->browser));
	stepping_point(s, page->session, e->x, e->y);
	return cdp_call(browser_cdp(s->browser), page->session, "Runtime.evaluate", deadline_in(stepping_left_ms(s) + STEP_ANSWER_MS), NULL,
		CDP_TEXT("expression", "0"));
}

int step_hover(struct stepping *s)
{
	const struct wish wish = { .at = s->step->at, .press = true };
	struct element e;
	bool there;
	int r = stepping_await(s, &wish, &e, &there);

	return r == 0 && there ? run_press_point_at(s, &e) : r;
}
