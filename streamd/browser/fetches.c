#include "streamd/browser/fetches.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "common/words.h"
#include "recipe/pattern.h"
#include "recipe/recipe.h"
#include "streamd/browser/act.h"
#include "streamd/browser/browser_inside.h"
#include "streamd/browser/net_error.h"

#define YOUNG_MS  2000
#define AT_ONCE_S 0.1 /* between giving up a request and asking for the one that takes its place, by the page's own clock */

/* One that is under way. */
static struct fetch *fetches_find(struct target *t, const char *id)
{
	for (size_t i = 0; i < TARGET_MOST_FETCHES; i++)
		if (t->fetches[i].url && strcmp(t->fetches[i].id, id) == 0)
			return &t->fetches[i];
	return NULL;
}

static void forget(struct fetch *f)
{
	url_free(f->url);
	*f = (struct fetch){ 0 };
}

/* What has ended is kept for whoever has been looking at the page meanwhile, as long as there is room. */
static struct fetch *find_free(struct target *t)
{
	struct fetch *oldest = NULL;

	for (size_t i = 0; i < TARGET_MOST_FETCHES; i++) {
		struct fetch *f = &t->fetches[i];
		if (!f->url)
			return f;
		if (f->ended && (!oldest || f->ended < oldest->ended))
			oldest = f;
	}
	if (oldest)
		forget(oldest);
	return oldest;
}

static void fetches_end(struct fetch *f)
{
	f->id[0] = '\0';
	f->ended = loop_now();
}

void fetches_forget(struct target *t, const char *frame)
{
	for (size_t i = 0; i < TARGET_MOST_FETCHES; i++)
		if (!frame || strcmp(t->fetches[i].frame, frame) == 0)
			forget(&t->fetches[i]);
}

/* Without the query, which says what is looked for there. */
static bool is_same_place(const struct fetch *a, const struct fetch *b)
{
	const char *x = url_whole(a->url), *y = url_whole(b->url);
	size_t n = strcspn(x, "?#");

	return strcmp(a->method, b->method) == 0 && n == strcspn(y, "?#") && strncmp(x, y, n) == 0;
}

static bool fetches_is_same(const struct fetch *a, const struct fetch *b)
{
	return strcmp(a->method, b->method) == 0 && url_equal(a->url, b->url);
}

/* Given up by its page in favour of another. */
static bool is_superseded(const struct fetch *f, const struct fetch *by)
{
	return f != by && net_error_is_broken_off(f->answer.error) && is_same_place(f, by) && by->asked_s >= f->asked_s &&
		fabs(by->asked_s - f->broken_s) <= AT_ONCE_S;
}

/*
 * Whether this answer is one to what failed. What a request with a body asks for is not in its address, so that another may have
 * been answered: only one that was refused for want of a sign-in is known to be asked again once there is a new one.
 */
static bool makes_good(const struct fetch *f, const struct fetch *failed)
{
	return failed->failed && fetches_is_same(f, failed) &&
		(!failed->body || (failed->answer.status == 401 && f->since >= failed->failed));
}

static void make_good(struct target *t, const struct fetch *f)
{
	for (size_t i = 0; i < TARGET_MOST_FETCHES; i++)
		if (t->fetches[i].url && makes_good(f, &t->fetches[i]))
			forget(&t->fetches[i]);
}

static void forget_superseded(struct target *t, const struct fetch *by)
{
	for (size_t i = 0; i < TARGET_MOST_FETCHES; i++)
		if (t->fetches[i].failed && is_superseded(&t->fetches[i], by))
			forget(&t->fetches[i]);
}

static void fetches_begin(struct target *t, const char id[CDP_ID], const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct cbor *type = cbor_get(params, "type"), *request = cbor_get(params, "request");
	const char *method = cbor_get_utf8(arena, request, "method");
	struct fetch *f = cbor_text_is(type, "XHR") || cbor_text_is(type, "Fetch") ? find_free(t) : NULL;

	if (!f)
		return;
	memcpy(f->id, id, sizeof(f->id));
	cdp_id(params, "frameId", f->frame);
	exact_set(f->method, sizeof(f->method), "%s", method ?: "");
	f->body = cbor_get_bool(request, "hasPostData", false);
	f->url = url_new(cbor_get_utf8(arena, request, "url"));
	f->since = loop_now();
	f->asked_s = f->broken_s = cbor_get_double(params, "timestamp", NAN);
	arrival_begin(&f->arrival);
	forget_superseded(t, f);
}

static bool fetches_is_safe(const struct fetch *f)
{
	return strcmp(f->method, "GET") == 0 || strcmp(f->method, "HEAD") == 0;
}

/* Once a page has acted, what acts is told by act.h, and its going alone breaks off what else is asked of the same host. */
static bool is_of_act(const struct target *t, const struct fetch *f)
{
	const struct act *act = browser_act(t->browser);

	return act_has_begun(act) && !act_is_apart(act, t) && (!fetches_is_safe(f) || f->answer.error[0]);
}

/* The same once more, or given up for another, says nothing new. */
static bool fetches_is_known(const struct target *t, const struct fetch *f)
{
	for (size_t i = 0; i < TARGET_MOST_FETCHES; i++) {
		const struct fetch *other = &t->fetches[i];
		if (other->url && other != f && !other->failed && is_superseded(f, other))
			return true;
	}
	return false;
}

static void fetches_fail(struct target *t, struct fetch *f)
{
	if (is_of_act(t, f) || fetches_is_known(t, f)) {
		forget(f);
		return;
	}
	for (size_t i = 0; i < TARGET_MOST_FETCHES; i++) {
		struct fetch *before = &t->fetches[i];
		if (before->failed && fetches_is_same(before, f))
			forget(before);
	}
	f->id[0] = '\0';
	f->failed = loop_now();
}

/* What its script does not read to its end is given up by the browser, although it was answered. */
static bool fetches_was_answered(const struct fetch *f)
{
	return f->answer.status && arrival_until(&f->arrival) <= loop_now();
}

/* A page's own policy is the same every time, and so is a page whose policy does without. */
static bool is_policy(const struct cbor *reason)
{
	return cbor_text_is(reason, "csp") || cbor_text_is(reason, "mixed-content");
}

static void break_off(struct target *t, struct fetch *f, const struct cbor *params)
{
	bool given_up = cbor_get_bool(params, "canceled", false);

	if (is_policy(cbor_get(params, "blockedReason")) || (given_up && fetches_was_answered(f))) {
		fetches_end(f);
		return;
	}
	answer_fail(&f->answer, params);
	f->broken_s = cbor_get_double(params, "timestamp", NAN);
	fetches_fail(t, f);
}

/* A script may look at the status alone, so its head counts. */
static void take_head(struct target *t, struct fetch *f, const struct cbor *params)
{
	answer_read(&f->answer, params);
	if (f->answer.status >= 400)
		fetches_fail(t, f);
	else
		make_good(t, f);
}

/* A redirection keeps its name. */
void fetches_note(struct target *t, const char *method, const struct cbor *params)
{
	char id[CDP_ID];
	bool named = cdp_id(params, "requestId", id);
	struct fetch *f = named ? fetches_find(t, id) : NULL;

	if (f) {
		arrival_event(&f->arrival, method, params);
		latch_wake(&t->browser->fetched, 0);
	}
	if (f && strcmp(method, "Network.loadingFinished") == 0)
		fetches_end(f);
	else if (f && strcmp(method, "Network.loadingFailed") == 0)
		break_off(t, f, params);
	else if (f && strcmp(method, "Network.responseReceived") == 0)
		take_head(t, f, params);
	else if (!f && named && strcmp(method, "Network.requestWillBeSent") == 0)
		fetches_begin(t, id, params);
}

static bool may_reach(const struct browser *b, const struct recipe *recipe, const char *url)
{
	bool listed = !recipe;

	for (size_t i = 0; recipe && i < recipe->hosts_count; i++)
		listed |= host_match_url(recipe->hosts[i], url);
	return listed && !browser_refused(b, url);
}

static bool is_needed(const struct target *t, const struct fetch *f, const struct fetches_but *but)
{
	return !url_fits_any(f->url, but->patterns, but->count) && may_reach(t->browser, but->recipe, url_whole(f->url));
}

/* Of the page and of frames of other hosts, what began first of those that are needed and are so. */
static const struct fetch *first_of(const struct target *page, const struct fetches_but *but, int64_t at,
	bool (*is_so)(const struct fetch *, int64_t at))
{
	const struct fetch *first = NULL;
	const struct target *t;

	TAILQ_FOREACH (t, browser_targets(page->browser), link)
		for (size_t i = 0; i < TARGET_MOST_FETCHES && (t == page || t->kind != TARGET_PAGE); i++) {
			const struct fetch *f = &t->fetches[i];
			if (f->url && is_so(f, at) && (!first || f->since < first->since) && is_needed(t, f, but))
				first = f;
		}
	return first;
}

static bool was_coming(const struct fetch *f, int64_t at)
{
	return !f->failed && (f->ended ? f->ended : arrival_until(&f->arrival)) > at;
}

static bool has_failed(const struct fetch *f, int64_t)
{
	return f->failed;
}

static bool met_outage(const struct fetch *f, int64_t)
{
	return f->failed && answer_is_down(&f->answer);
}

const struct fetch *page_fetching(const struct target *page, const struct fetches_but *but, int64_t since)
{
	return first_of(page, but, since, was_coming);
}

const struct fetch *page_failed(const struct target *page, const struct fetches_but *but, bool down)
{
	return first_of(page, but, 0, down ? met_outage : has_failed);
}

static bool is_young(const struct fetch *f, int64_t at)
{
	return was_coming(f, at) && at - f->since < YOUNG_MS;
}

/* Until when to wait at the longest before it is looked again; 0: nothing is under way. */
static int64_t fetched_by(struct target_ref page)
{
	static const struct fetches_but none = { 0 };
	const struct target *t = target_of(page);
	const struct fetch *f = t ? first_of(t, &none, loop_now(), is_young) : NULL;

	return f ? deadline_min(f->since + YOUNG_MS, arrival_until(&f->arrival)) : 0;
}

int page_await_fetched(struct target_ref page)
{
	int64_t by;
	int r = 0;

	while ((r == 0 || r == -ETIMEDOUT) && (by = fetched_by(page)))
		r = latch_wait(&page.browser->fetched, by);
	return r == -ETIMEDOUT ? 0 : r;
}

const char *fetch_words(struct arena *arena, const struct fetch *f)
{
	char words[300];

	if (net_error_is_broken_off(f->answer.error))
		return "was broken off by the page itself";
	answer_words(&f->answer, words, sizeof(words));
	return arena_strdup(arena, words);
}
