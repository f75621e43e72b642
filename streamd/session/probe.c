#include "streamd/session/probe.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "common/words.h"
#include "streamd/browser/element.h"
#include "streamd/browser/net_error.h"
#include "streamd/browser/page.h"

const char *verdict_word(enum verdict v)
{
	static const char *const words[] = { [VERDICT_IN] = "in", [VERDICT_OUT] = "out",
		[VERDICT_INCONCLUSIVE] = "inconclusive", [VERDICT_DOWN] = "down" };

	return words[v];
}

#define REFUSED_MS  1000 /* for a page that is refused to come back with a new token */
#define SLICE_MS    250  /* one look, where two are in turn because what they look for is in different frames */
#define MOST_ANSWER 300 /* words of what a site answered */

/* A probe under way. */
struct probing {
	struct target_ref page;
	const struct recipe *recipe;
	int64_t deadline;
	struct probed *result;
	bool judged;
	struct request_watch requests;
};

/* NULL once the page is gone. */
static const struct target *probe_shown(const struct probing *p)
{
	return target_of(p->page);
}

static const struct url *address(const struct probing *p)
{
	const struct target *page = probe_shown(p);

	return page ? page->url : NULL;
}

static void probe_conclude(struct probing *p, enum verdict verdict, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void probe_conclude(struct probing *p, enum verdict verdict, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	words_set_v(p->result->why, sizeof(p->result->why), format, args);
	va_end(args);
	p->result->verdict = verdict;
	p->judged = true;
}

static bool url_is_out(const struct probing *p)
{
	const struct recipe_probe_out *out = &p->recipe->probe.out;

	return address(p) && url_fits_any(address(p), (const char *const *)out->url, out->url_count);
}

static void probe_say_out(struct probing *p)
{
	probe_conclude(p, VERDICT_OUT, "%s says that nobody is signed in (%s).", p->recipe->title, url_shown(address(p)));
}

static void probe_say_down(struct probing *p, const char *address, const char *answered)
{
	probe_conclude(p, VERDICT_DOWN, "%s is not well: %s %s.", p->recipe->title, address, answered);
}

/* RFC 9110, section 15.5.2: it lacks credentials; those of HTTP authentication are in a browser's memory and nowhere else. */
static void say_unauthorized(struct probing *p, const char *address, bool challenged)
{
	probe_conclude(p, VERDICT_OUT, "%s asks for a name and a password (%s answers 401).", p->recipe->title, address);
	p->result->not_portable = challenged ? "its sign-in by HTTP authentication is kept in the browser's memory alone" : NULL;
}

/* An error without a page of its own counts as failed, but was answered. */
static bool probe_was_answered(const struct probing *p)
{
	const struct target *page = probe_shown(p);

	return page && page->answer.status >= 400 && strcmp(page->answer.loader, page->coming.loader) == 0;
}

static void say_certificate(struct probing *p, const char *url)
{
	probe_conclude(p, VERDICT_OUT, "%s lets in only who shows a client certificate (%s).", p->recipe->title, url);
	p->result->not_portable = "it wants a client certificate, which the browsers here do not have";
}

/* Chromium could not even begin. A host that is refused by us is no outage. */
static void say_unreached(struct probing *p, const char *error)
{
	const char *url = p->recipe->probe.url, *refused = browser_refused(p->page.browser, url);
	struct answer a = { 0 };
	char answered[MOST_ANSWER];

	words_set(a.error, sizeof(a.error), "%s", error);
	answer_words(&a, answered, sizeof(answered));
	if (refused)
		probe_conclude(p, VERDICT_INCONCLUSIVE, "%s could not be opened. %s", url, refused);
	else if (answer_is_down(&a))
		probe_say_down(p, url, answered);
	else if (net_error_wants_credentials(error))
		say_unauthorized(p, url, true);
	else if (net_error_wants_certificate(error))
		say_certificate(p, url);
	else
		probe_conclude(p, VERDICT_INCONCLUSIVE, "%s could not be opened: %s (%s), so nothing is known about the session.", url,
			net_error_words(error), *error ? error : "no reason was given");
}

/* What the site answered to the document that is there; one without a challenge may be about to lead on. */
static void judge_answer(struct probing *p)
{
	const struct target *page = probe_shown(p);
	char answered[MOST_ANSWER];

	if (page && page_is_down(page, false, &p->result->retry_ms, answered, sizeof(answered)))
		probe_say_down(p, url_shown(page->url), answered);
	else if (page && page->answer.status == 401 && page->answer.challenged)
		say_unauthorized(p, url_shown(page->url), true);
}

/* What was answered to the requests that must not be refused, unless the page may be about to ask once more. */
static void judge_requests(struct probing *p, int64_t patience_ms)
{
	const struct request_watch *w = &p->requests;
	char answered[MOST_ANSWER];

	for (size_t i = 0; i < w->count && !p->judged; i++) {
		const struct answer *a = &w->seen[i].answer;
		if (!w->seen[i].at || loop_now() - w->seen[i].at < patience_ms)
			continue;
		answer_words(a, answered, sizeof(answered));
		if (a->status == 401 || a->status == 403)
			probe_conclude(p, VERDICT_OUT, "%s says that nobody is signed in (%s %s).", p->recipe->title, w->patterns[i], answered);
		if (answer_is_down(a)) {
			p->result->retry_ms = a->retry_ms;
			probe_say_down(p, w->patterns[i], answered);
		}
	}
}

/* The first of them that was not answered as it should be; NULL: all were. */
static const char *unanswered(const struct probing *p)
{
	for (size_t i = 0; i < p->requests.count; i++) {
		const struct answer *a = &p->requests.seen[i].answer;
		if (!p->requests.seen[i].at || a->status == 401 || a->status == 403 || answer_is_down(a))
			return p->requests.patterns[i];
	}
	return NULL;
}

static bool probe_is_there(const struct element *e)
{
	return !e->late && !e->moved;
}

static void judge_signed_in(struct probing *p, const struct element *e)
{
	if (probe_is_there(e) && recipe_account(&p->recipe->probe.in, e->text ? e->text : "", p->result->account, 257) && !unanswered(p))
		probe_conclude(p, VERDICT_IN, "%s", "");
}

static bool is_same_frame(const struct recipe_probe *r)
{
	const char *in = r->in.at->frame ?: "", *out = r->out.at ? r->out.at->frame ?: "" : in;

	return strcmp(in, out) == 0;
}

/* For ms at most; a mark that is there for nobody, or too early, is no reason to look again at once. */
static int look_for_marks(struct probing *p, int64_t ms, struct element *ret, struct arena *arena)
{
	const struct recipe_probe *r = &p->recipe->probe;
	const struct wish wishes[] = { { .at = r->in.at, .attribute = r->in.attribute }, { .at = r->out.at } };
	bool together = is_same_frame(r);
	int result = element_wait(p->page, wishes, r->out.at && together ? 2 : 1, together ? ms : ms < SLICE_MS ? ms : SLICE_MS,
		arena, ret);

	if (result < 0)
		return result;
	if (url_is_out(p) || (probe_is_there(ret) && ret->which == 1))
		probe_say_out(p);
	else
		judge_signed_in(p, ret);
	if (p->judged || together)
		return 0;
	result = element_wait(p->page, &wishes[1], 1, 0, arena, ret);
	if (result == 0 && probe_is_there(ret))
		probe_say_out(p);
	return result;
}

/* One look, until the page changes or the time is up. */
static int probe_look(struct probing *p)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct element e = { .late = true };
	int64_t ms = p->deadline - loop_now();
	int result;

	judge_answer(p);
	if (!p->judged)
		judge_requests(p, REFUSED_MS);
	if (!p->judged && url_is_out(p))
		probe_say_out(p);
	if (p->judged)
		return 0;
	result = look_for_marks(p, p->requests.count && ms > SLICE_MS ? SLICE_MS : ms > 0 ? ms : 0, &e, arena);
	if (result == -EREMOTE) /* it went on to another document */
		return fiber_sleep_until(deadline_in(20));
	if (result < 0)
		return result;
	if (!p->judged && probe_is_there(&e)) /* the mark is there and names nobody yet */
		return fiber_sleep_until(deadline_in(50));
	return 0;
}

/* The time is up. A site that was asked and has said nothing at all is not well. */
static void say_nothing_seen(struct probing *p)
{
	const struct target *page = probe_shown(p);
	char answered[MOST_ANSWER];

	judge_requests(p, 0);
	if (p->judged)
		return;
	if (page && page_is_down(page, true, &p->result->retry_ms, answered, sizeof(answered))) {
		probe_say_down(p, p->recipe->probe.url, answered);
	} else if (page && page->answer.status == 401) {
		say_unauthorized(p, url_shown(page->url), false);
	} else if (page && page->answer.status >= 400) {
		answer_words(&page->answer, answered, sizeof(answered));
		probe_conclude(p, VERDICT_INCONCLUSIVE,
			"%s %s, so nothing is known about the session; the recipe's probe.url may be old.", url_shown(page->url),
			answered);
	} else if (*p->result->account && unanswered(p)) {
		probe_conclude(p, VERDICT_INCONCLUSIVE,
			"%s shows the account %s, but the page has not asked for %s, which would show that the session works.",
			p->recipe->title, p->result->account, unanswered(p));
	} else {
		probe_conclude(p, VERDICT_INCONCLUSIVE, "%s showed neither the account nor that nobody is signed in; it stands at %s.",
			p->recipe->title, url_shown(address(p)));
	}
}

static void probe_begin(struct probing *p)
{
	const struct recipe_probe *r = &p->recipe->probe;
	const struct target *page = probe_shown(p);

	p->requests = (struct request_watch){ .patterns = (const char *const *)r->requests,
		.count = r->requests_count,
		.hidden = page && page->hidden };
	browser_hear_answers(p->page.browser, true);
	browser_watch_requests(p->page.browser, r->requests_count ? &p->requests : NULL);
}

/* A navigation that was broken off is begun once more: what broke it off, a page that ended too, may be over. */
static int probe_open_page(const struct probing *p, char *why, size_t size)
{
	int r = page_navigate(p->page, p->recipe->probe.url, p->deadline, why, size);

	if (r == -EREMOTE && net_error_is_broken_off(why) && !probe_was_answered(p))
		r = page_navigate(p->page, p->recipe->probe.url, p->deadline, why, size);
	return r;
}

int probe(struct target_ref page, const struct recipe *recipe, int64_t deadline, struct probed *ret)
{
	struct probing p = { .page = page,
		.recipe = recipe,
		.deadline = deadline_min(deadline, deadline_in(recipe->probe.timeout_ms)),
		.result = ret };
	char error[256] = "";
	int r;

	*ret = (struct probed){ .verdict = VERDICT_INCONCLUSIVE };
	probe_begin(&p);
	r = probe_open_page(&p, error, sizeof(error));
	if (r < 0 && r != -ETIMEDOUT && r != -ECONNRESET && r != -ECANCELED && !probe_was_answered(&p))
		say_unreached(&p, error);
	if (r != -ECONNRESET && r != -ECANCELED)
		r = 0;
	while (r == 0 && !p.judged && loop_now() < p.deadline)
		r = probe_look(&p);
	browser_watch_requests(page.browser, NULL);
	if (r == -ECONNRESET || r == -ECANCELED)
		return r;
	if (!p.judged)
		say_nothing_seen(&p);
	if (r == -EPIPE)
		return r;
	if (ret->verdict != VERDICT_IN)
		ret->account[0] = '\0';
	return 0;
}
