#include "streamd/session/probe.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "common/words.h"
#include "recipe/step.h"
#include "streamd/browser/element.h"
#include "streamd/browser/net_error.h"
#include "streamd/browser/page.h"
#include "streamd/session/account.h"

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
	const char *patterns[REQUESTS_MOST]; /* that must be answered: the recipe's, and last the one that names the account */
	struct request_watch requests;
	char lack[ACCOUNT_LACK]; /* why it is not known whose it is, though somebody is signed in; "": nobody seems to be */
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

/* Whether all that must be there beside the account is. */
static int probe_look_for_all(struct probing *p, struct arena *arena, bool *ret)
{
	const struct recipe_probe_in *in = &p->recipe->probe.in;
	struct element e = { 0 };
	int r = 0;

	*ret = true;
	for (size_t i = 0; i < in->all_count && *ret && r == 0; i++) {
		const struct wish wish = { .at = &in->all[i] };
		r = element_wait(p->page, &wish, 1, 0, arena, &e);
		*ret = r == 0 && probe_is_there(&e);
		if (!*ret)
			words_set(p->lack, sizeof(p->lack), "%s, one of its probe's marks, is not there", selector_words(arena, wish.at));
	}
	return r;
}

/* shown: what the mark of a signed-in person says; NULL: there is no such mark, and what the site answers is all that tells. */
static int judge_signed_in(struct probing *p, const char *shown, struct arena *arena)
{
	const struct recipe_probe_in *in = &p->recipe->probe.in;
	const struct request_watch *w = &p->requests;
	struct account_answer a = { .request = "" };
	bool all;
	int r;

	if (in->account && in->account->answer) {
		exact_must(a.session, sizeof(a.session), "%s", w->seen[w->count - 1].session);
		exact_must(a.request, sizeof(a.request), "%s", w->seen[w->count - 1].request);
	}
	r = account_read(p->page, in, shown, &a, p->result->account, p->lack);
	if (r == 0 && *p->result->account)
		r = probe_look_for_all(p, arena, &all);
	if (r == 0 && *p->result->account && all && !unanswered(p))
		probe_conclude(p, VERDICT_IN, "%s", "");
	return r;
}

#define MOST_OUTS 9 /* out.at, and those of out.any */

static size_t list_outs(const struct recipe_probe_out *out, const struct selector *ret[MOST_OUTS])
{
	size_t n = 0;

	if (out->at)
		ret[n++] = out->at;
	for (size_t i = 0; i < out->any_count; i++)
		ret[n++] = &out->any[i];
	return n;
}

static bool is_same_frame(const struct selector *a, const struct selector *b)
{
	return strcmp(a->frame ?: "", b->frame ?: "") == 0;
}

/* Those that are not in the frame of the others are looked at by themselves, once. */
static int look_for_others(struct probing *p, const struct selector *const *outs, size_t n, const struct selector *first,
	struct arena *arena)
{
	struct element e;
	int r = 0;

	for (size_t i = 0; i < n && r == 0 && !p->judged; i++) {
		const struct wish wish = { .at = outs[i] };
		if (is_same_frame(outs[i], first))
			continue;
		r = element_wait(p->page, &wish, 1, 0, arena, &e);
		if (r == 0 && probe_is_there(&e))
			probe_say_out(p);
	}
	return r;
}

/* What is asked for in one wait: the mark of a signed-in person first, if there is one, and those of nobody in the same frame. */
struct marks {
	struct wish wishes[1 + MOST_OUTS];
	const struct selector *outs[MOST_OUTS];
	size_t count, out_count;
	bool in; /* the first is it */
};

static struct marks probe_marks(const struct recipe_probe *r)
{
	struct marks m = { .in = r->in.at };

	m.out_count = list_outs(&r->out, m.outs);
	if (m.in)
		m.wishes[m.count++] = (struct wish){ .at = r->in.at, .attribute = r->in.attribute };
	for (size_t i = 0; i < m.out_count; i++)
		if (!m.count || is_same_frame(m.outs[i], m.wishes[0].at))
			m.wishes[m.count++] = (struct wish){ .at = m.outs[i] };
	return m;
}

/* For ms at most; a mark that is there for nobody, or too early, is no reason to look again at once. */
static int look_for_marks(struct probing *p, int64_t ms, struct element *ret, struct arena *arena)
{
	const struct marks m = probe_marks(&p->recipe->probe);
	bool together = m.in && m.count == 1 + m.out_count;
	int r;

	if (!together && ms > SLICE_MS)
		ms = SLICE_MS;
	r = m.count ? element_wait(p->page, m.wishes, m.count, ms, arena, ret) : fiber_sleep_until(deadline_in(ms));
	if (r < 0)
		return r;
	if (url_is_out(p) || (probe_is_there(ret) && (ret->which > 0 || !m.in)))
		probe_say_out(p);
	else if (!m.in || probe_is_there(ret))
		r = judge_signed_in(p, m.in ? ret->text ?: "" : NULL, arena);
	return r == 0 && !p->judged && !together && m.count ? look_for_others(p, m.outs, m.out_count, m.wishes[0].at, arena) : r;
}

/* What comes besides an element tells nobody when it does. */
static bool probe_waits_for_elements(const struct probing *p)
{
	const struct recipe_probe_in *in = &p->recipe->probe.in;

	return !p->requests.count && !in->account && !in->all;
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
	result = look_for_marks(p, !probe_waits_for_elements(p) && ms > SLICE_MS ? SLICE_MS : ms > 0 ? ms : 0, &e, arena);
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
	} else if (*p->lack && (p->recipe->probe.in.at || *p->result->account)) {
		probe_conclude(p, VERDICT_INCONCLUSIVE, "%s shows that somebody is signed in, but not whose session it is: %s.",
			p->recipe->title, p->lack);
	} else if (*p->lack) {
		probe_conclude(p, VERDICT_INCONCLUSIVE, "%s shows neither whose session it is nor that nobody is signed in: %s; it stands at %s.",
			p->recipe->title, p->lack, url_shown(address(p)));
	} else {
		probe_conclude(p, VERDICT_INCONCLUSIVE, "%s showed neither the account nor that nobody is signed in; it stands at %s.",
			p->recipe->title, url_shown(address(p)));
	}
}

static void probe_begin(struct probing *p)
{
	const struct recipe_probe *r = &p->recipe->probe;
	const struct target *page = probe_shown(p);

	p->requests = (struct request_watch){ .patterns = p->patterns, .hidden = page && page->hidden };
	for (size_t i = 0; i < r->requests_count; i++)
		p->patterns[p->requests.count++] = r->requests[i];
	if (r->in.account && r->in.account->answer)
		p->patterns[p->requests.count++] = r->in.account->answer;
	p->requests.bodies = r->in.account && r->in.account->answer;
	browser_hear_answers(p->page.browser, true);
	browser_watch_requests(p->page.browser, p->requests.count ? &p->requests : NULL);
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
