#include "streamd/session/rule.h"

#include <errno.h>
#include <string.h>

#include <openssl/sha.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "common/words.h"
#include "recipe/pattern.h"
#include "recipe/step.h"
#include "streamd/browser/element.h"
#include "streamd/session/capture.h"

#define CAPTURE_MS 20000

static struct target *provider_page(struct browser *b, const struct recipe *recipe)
{
	struct target *t;

	TAILQ_FOREACH (t, browser_targets(b), link)
		if (t->kind == TARGET_PAGE && !t->hidden && recipe_is_provider(recipe, url_whole(t->url)))
			return t;
	return NULL;
}

static bool address_fits(const struct recipe *recipe, const struct target *page)
{
	const struct recipe_signed_in *s = &recipe->signed_in;

	return page->kind == TARGET_PAGE && !page->hidden && page->session[0] &&
		(!s->url_count || url_fits_any(page->url, (const char *const *)s->url, s->url_count));
}

/* The first page that fits behind number (0: of all): a sign-in may go on in a window of its own, and leave others behind. */
static struct target *next_fitting(struct browser *b, const struct recipe *recipe, uint64_t number)
{
	struct target *t;

	TAILQ_FOREACH (t, browser_targets(b), link)
		if (t->number > number && address_fits(recipe, t))
			return t;
	return NULL;
}

/* The newest: what the person has come to. */
static struct target *last_page(struct browser *b)
{
	struct target *t;

	TAILQ_FOREACH_REVERSE (t, browser_targets(b), target_list, link)
		if (t->kind == TARGET_PAGE && !t->hidden && t->session[0])
			return t;
	return NULL;
}

bool rule_addresses_fit(struct browser *b, const struct recipe *recipe, char *why, size_t size)
{
	struct target *page = last_page(b), *provider = provider_page(b, recipe);

	*why = '\0';
	if (!page)
		words_set(why, size, "No page is open any more.");
	else if (provider)
		words_set(why, size, "A page of the identity provider is still open (%s).", url_shown(provider->url));
	else if (!next_fitting(b, recipe, 0))
		words_set(why, size, "The page is at %s, and %s is signed in to once it is at %s.", url_shown(page->url),
			recipe->title, BRIEF(URL_MOST_SHOWN, recipe->signed_in.url[0]));
	return !*why;
}

/* The value's hash of the first cookie that is meant; false: there is none. */
static bool cookie_digest(const struct state *s, const struct recipe_cookie *meant, uint8_t digest[32])
{
	for (size_t i = 0; i < state_cookie_count(s); i++) {
		const struct state_cookie *c = state_cookie_at(s, i);
		const char *host = *c->domain == '.' ? c->domain + 1 : c->domain;

		if (strcmp(c->name, meant->name) != 0 || (meant->host && !host_match(meant->host, host)))
			continue;
		SHA256((const uint8_t *)c->value, strlen(c->value), digest);
		return true;
	}
	return false;
}

/* What the rule names, as it was looked at: how much of it has changed, and of the first that has not a sentence that says so. */
struct named {
	size_t changed, unchanged;
	char why[512];
};

/* Whether it is there and another than it was then. */
static void count_named(struct named *n, const char *kind, const char *name, bool there, const uint8_t now[32], bool was_there,
	const uint8_t then[32])
{
	if (there && (!was_there || memcmp(now, then, 32) != 0))
		n->changed++;
	else if (n->unchanged++ == 0)
		words_set(n->why, sizeof(n->why), "The %s %s is %s.", kind, name,
			there ? "still the one from before the sign-in" : "not there yet");
}

static void count_items(struct named *n, const struct recipe_item *items, size_t count, bool session, const struct state *now,
	const struct state *then)
{
	uint8_t a[32], b[32];

	for (size_t i = 0; i < count; i++) {
		bool there = state_item_digest(now, session, items[i].origin, items[i].key, a);
		bool was = then && state_item_digest(then, session, items[i].origin, items[i].key, b);
		count_named(n, session ? "sessionStorage item" : "localStorage item", items[i].key, there, a, was, b);
	}
}

static void count_cookies(struct named *n, const struct recipe_signed_in *s, const struct state *now, const struct state *then)
{
	uint8_t a[32], b[32];

	for (size_t i = 0; i < s->cookies_count; i++) {
		bool there = cookie_digest(now, &s->cookies[i], a);
		bool was = then && cookie_digest(then, &s->cookies[i], b);
		count_named(n, "cookie", s->cookies[i].name, there, a, was, b);
	}
}

/* As the page first has it (NO_TARGET: the oldest). then: NULL if nothing is known of what there was. 0, or as cdp_call(). */
static int look_at_named(struct browser *b, struct target_ref first, const struct recipe *recipe, const struct state *then,
	int64_t deadline, struct named *ret)
{
	const struct recipe_signed_in *s = &recipe->signed_in;
	CLEANUP(state_freep) struct state *now = NULL;
	int r;

	*ret = (struct named){ 0 };
	if (s->cookies_count + s->local_storage_count + s->session_storage_count == 0)
		return 0;
	r = capture(b, first, recipe, deadline, &now);
	if (r < 0)
		return r;
	count_cookies(ret, s, now, then);
	count_items(ret, s->local_storage, s->local_storage_count, false, now, then);
	count_items(ret, s->session_storage, s->session_storage_count, true, now, then);
	return 0;
}

int rule_has_changed(struct browser *b, const struct recipe *recipe, const struct state *then, int64_t deadline, bool *ret)
{
	struct named n;
	int r = look_at_named(b, NO_TARGET, recipe, then, deadline, &n);

	*ret = r == 0 && n.changed > 0;
	return r;
}

static int rule_is_there(struct target_ref page, const struct selector *at, struct arena *arena, bool *ret)
{
	const struct wish wish = { .at = at };
	struct element e;
	int r = element_wait(page, &wish, 1, 0, arena, &e);

	*ret = r == 0 && !e.late && !e.moved;
	return r;
}

/* Of those that must all be there. */
static int all_fit(struct target_ref page, const struct recipe_signed_in *s, struct arena *arena, bool *ret_met, char *why,
	size_t size)
{
	int r = s->mark ? rule_is_there(page, s->mark, arena, ret_met) : 0;

	if (!*ret_met)
		words_set(why, size, "The mark of a signed-in person is not on the page yet.");
	for (size_t i = 0; i < s->all_count && r == 0 && *ret_met; i++) {
		r = rule_is_there(page, &s->all[i], arena, ret_met);
		if (!*ret_met)
			words_set(why, size, "A mark of a signed-in person is not on the page yet: %s.", selector_words(arena, &s->all[i]));
	}
	return r;
}

static int marks_fit(struct target_ref page, const struct recipe *recipe, bool *ret_met, char *why, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct recipe_signed_in *s = &recipe->signed_in;
	bool any = s->any_count == 0;
	int r;

	*ret_met = true;
	r = all_fit(page, s, arena, ret_met, why, size);
	for (size_t i = 0; i < s->any_count && r == 0 && *ret_met && !any; i++)
		r = rule_is_there(page, &s->any[i], arena, &any);
	if (r == 0 && *ret_met && !any) {
		*ret_met = false;
		words_set(why, size, "None of the marks of a signed-in person is on the page yet.");
	}
	return r;
}

static bool is_passing(int r)
{
	return r == -EREMOTE || r == -EPIPE;
}

/* A page whose address and mark fit; NO_TARGET, and why, if none is. That one of them goes on says nothing of the others. */
static int find_page(struct browser *b, const struct recipe *recipe, struct target_ref *ret, char *why, size_t size)
{
	struct target_ref page = target_ref_of(next_fitting(b, recipe, 0));
	bool met = false;
	int r = 0;

	*ret = NO_TARGET;
	while (page.number && !met && (r == 0 || is_passing(r))) {
		r = marks_fit(page, recipe, &met, why, size);
		if (r == 0 && met)
			*ret = page;
		page = target_ref_of(next_fitting(b, recipe, page.number));
	}
	return ret->number ? 0 : r;
}

int rule_check(struct browser *b, const struct recipe *recipe, const struct state *before, int64_t deadline,
	struct target_ref *ret, char *why, size_t size)
{
	struct named n = { 0 };
	bool met;
	int r;

	*ret = NO_TARGET;
	*why = '\0';
	if (!rule_addresses_fit(b, recipe, why, size))
		return 0;
	r = find_page(b, recipe, ret, why, size);
	if (r == 0 && ret->number)
		r = look_at_named(b, *ret, recipe, before, deadline_min(deadline, deadline_in(CAPTURE_MS)), &n);
	met = r == 0 && ret->number && !n.unchanged;
	if (n.unchanged)
		words_set(why, size, "%s", n.why);
	if (met) /* it took a while */
		met = rule_addresses_fit(b, recipe, why, size) && target_of(*ret) && address_fits(recipe, target_of(*ret));
	if (r < 0 || !met)
		*ret = NO_TARGET;
	if (is_passing(r)) { /* the page went on while we looked */
		words_set(why, size, "The page is still changing.");
		return 0;
	}
	return r;
}

int rule_settle(struct browser *b, const struct recipe *recipe, int64_t deadline)
{
	int64_t cap = deadline_min(deadline, deadline_in(recipe->settle.cap_ms));
	CLEANUP(state_freep) struct state *one = NULL;
	int r = capture(b, NO_TARGET, recipe, cap, &one);

	while (r == 0 && loop_now() < cap) {
		struct state *two = NULL;
		r = fiber_sleep_until(deadline_min(cap, deadline_in(recipe->settle.quiet_ms)));
		if (r == 0)
			r = capture(b, NO_TARGET, recipe, deadline_in(CAPTURE_MS), &two);
		if (r < 0)
			break;
		bool equal = state_equal(one, two);
		state_free(one);
		one = two;
		if (equal)
			break;
	}
	return r == -EREMOTE || r == -EPIPE ? 0 : r;
}
