#include "streamd/browser/farewell.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "streamd/browser/act.h"
#include "streamd/browser/fetches.h"
#include "streamd/browser/page.h"

#define NETWORK_MS 5000
#define LISTENS_MS 1000 /* for a document to say whether it has anything to say; one that is busy may have */
#define GOODBYE_MS 700  /* Chromium gives a document that is gone 500 ms for its last words, in a process of its own */
#define BLANK      "about:blank"

/* In the page's own world, with the console's getEventListeners(). Frames of other processes are asked on their own. */
static const char listens[] =
	"(() => { const words = ['pagehide', 'beforeunload', 'unload', 'visibilitychange', 'freeze'];"
	"const has = (w) => [w, w.document].some((o) => words.some((word) => (getEventListeners(o)[word] || []).length));"
	"const all = (w) => has(w) || Array.from(w.frames).some((f) => { try { return all(f); } catch { return false; } });"
	"return all(window); })()";

static int set_network(struct browser *b, bool open)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(NETWORK_MS));

	return browser_set_network(b, call, open);
}

static bool may_speak(struct target_ref target)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };

	if (target_call(target, "Runtime.evaluate", deadline_in(LISTENS_MS), &reply, CDP_TEXT("expression", listens),
		CDP_BOOL("includeCommandLineAPI", true), CDP_BOOL("returnByValue", true), CDP_BOOL("silent", true)) < 0)
		return true;
	return cbor_get_bool(cbor_get(reply.result, "result"), "value", true);
}

/* Whether any document of the browser has something to say when it goes; apart: of the pages apart. */
static bool any_may_speak(struct browser *b, bool apart)
{
	struct target_ref refs[BROWSER_MOST_TARGETS];
	struct target *t;
	bool speaks = false;
	size_t n = 0;

	TAILQ_FOREACH (t, browser_targets(b), link)
		if (!t->hidden && t->session[0] && !t->crashed && n < BROWSER_MOST_TARGETS &&
			(!apart || act_is_apart(browser_act(b), t)))
			refs[n++] = target_ref_of(t);
	for (size_t i = 0; i < n && !speaks; i++)
		speaks = may_speak(refs[i]);
	return speaks;
}

bool page_leaves(struct target_ref page, const char *url)
{
	const struct target *t = target_of(page);
	const char *here = t ? url_whole(t->url) : "";
	size_t n = strcspn(url, "#");

	if (!*here || strcmp(here, BLANK) == 0)
		return false;
	return !url[n] || strncmp(here, url, n) != 0 || (here[n] && here[n] != '#');
}

/* How many of them there are; they are asked to go. */
static size_t close_behind(struct target_ref front)
{
	struct target *t;
	size_t n = 0;

	TAILQ_FOREACH (t, browser_targets(front.browser), link) {
		if (t->kind != TARGET_PAGE || t->hidden || !t->session[0] || t->number == front.number)
			continue;
		cdp_send(browser_cdp(front.browser), "", "Target.closeTarget", CDP_TEXT("targetId", t->id));
		n++;
	}
	return n;
}

/* Until they are gone. */
static int await_closed_behind(struct target_ref front, int64_t deadline)
{
	int r = 0;

	while (r == 0 && close_behind(front))
		r = event_await(front.browser, "", "Target.detachedFromTarget", deadline);
	return r;
}

static int hush(struct target_ref page, bool apart, bool on)
{
	if (!apart)
		return set_network(page.browser, !on);
	act_hush(browser_act(page.browser), on);
	return 0;
}

static bool shows_blank(struct target_ref page)
{
	const struct target *t = target_of(page);

	return t && strcmp(url_whole(t->url), BLANK) == 0;
}

static int go_blank(struct target_ref front, bool apart, int64_t deadline)
{
	int r = apart ? 0 : await_closed_behind(front, deadline);
	char why[128];

	return r == 0 && !shows_blank(front) ? page_navigate(front, BLANK, deadline, why, sizeof(why)) : r;
}

static bool stands_alone(struct target_ref page)
{
	const struct target *t;
	size_t n = 0;

	TAILQ_FOREACH (t, browser_targets(page.browser), link)
		n += t->kind == TARGET_PAGE && !t->hidden && t->session[0];
	return n == 1;
}

/* What is said is heard again in any case, also for whoever was cancelled meanwhile: what comes next needs it. */
int page_leave(struct target_ref front, int64_t deadline)
{
	const struct target *t = target_of(front);
	bool apart = act_is_apart(t ? browser_act(front.browser) : NULL, t), speaks;
	int r, heard;

	if (!t)
		return -EPIPE;
	if (shows_blank(front) && (apart || stands_alone(front)))
		return 0;
	speaks = any_may_speak(front.browser, apart);
	r = hush(front, apart, true);
	if (r == 0)
		r = go_blank(front, apart, deadline);
	if (speaks)
		fiber_sleep_until(deadline_in(GOODBYE_MS));
	fiber_shield();
	heard = hush(front, apart, false);
	fiber_unshield();
	return r < 0 ? r : heard;
}

int page_leave_act(struct target_ref front, bool may_speak, int64_t deadline)
{
	struct act *act = browser_act(front.browser);
	int r = page_await_fetched(front);

	if (r == 0 && !may_speak)
		r = page_leave(front, deadline);
	if (r == 0)
		act_leave(act);
	return r == 0 && may_speak && !act_is_open(act) ? go_blank(front, false, deadline) : r;
}
