#include "streamd/rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "streamd/capture.h"
#include "streamd/element.h"

#define CAPTURE_MS 20000

static struct target *provider_page(struct browser *b, const struct recipe *recipe)
{
	struct target *t;

	TAILQ_FOREACH (t, browser_targets(b), link)
		if (t->kind == TARGET_PAGE && !t->hidden && recipe_is_provider(recipe, t->url))
			return t;
	return NULL;
}

bool rule_addresses_fit(struct browser *b, const struct recipe *recipe, char *why, size_t size)
{
	const struct recipe_signed_in *s = &recipe->signed_in;
	struct target *page = browser_page(b), *provider = provider_page(b, recipe);

	if (!page) {
		snprintf(why, size, "No page is open any more.");
		return false;
	}
	if (provider) {
		snprintf(why, size, "A page of the identity provider is still open (%.200s).", provider->url);
		return false;
	}
	if (s->url_count && !recipe_any_url((const char *const *)s->url, s->url_count, page->url)) {
		snprintf(why, size, "The page is at %.200s, and %s is signed in to once it is at %.200s.", page->url,
			recipe->title, s->url[0]);
		return false;
	}
	return true;
}

static bool has_changed(bool there, const uint8_t now[32], bool was_there, const uint8_t then[32])
{
	return there && (!was_there || memcmp(now, then, 32) != 0);
}

static bool cookies_fit(const struct recipe_signed_in *s, const struct state *now, const struct state *before,
	char *why, size_t size)
{
	uint8_t a[32], b[32];

	for (size_t i = 0; i < s->cookies_count; i++) {
		const struct recipe_cookie *c = &s->cookies[i];
		bool there = state_cookie_digest(now, c->name, c->host, a);
		bool was = before && state_cookie_digest(before, c->name, c->host, b);
		if (has_changed(there, a, was, b))
			continue;
		snprintf(why, size, "The cookie %s is %s.", c->name,
			there ? "still the one from before the sign-in" : "not there yet");
		return false;
	}
	return true;
}

static bool items_fit(const struct recipe_item *items, size_t count, bool session, const struct state *now,
	const struct state *before, char *why, size_t size)
{
	uint8_t a[32], b[32];

	for (size_t i = 0; i < count; i++) {
		bool there = state_item_digest(now, session, items[i].origin, items[i].key, a);
		bool was = before && state_item_digest(before, session, items[i].origin, items[i].key, b);
		if (has_changed(there, a, was, b))
			continue;
		snprintf(why, size, "The %s item %s is %s.", session ? "sessionStorage" : "localStorage", items[i].key,
			there ? "still the one from before the sign-in" : "not there yet");
		return false;
	}
	return true;
}

static int storage_fits(struct browser *b, const struct recipe *recipe, const struct state *before,
	int64_t deadline, bool *ret_met, char *why, size_t size)
{
	const struct recipe_signed_in *s = &recipe->signed_in;
	CLEANUP(state_freep) struct state *now = NULL;
	int r;

	*ret_met = true;
	if (s->cookies_count + s->local_storage_count + s->session_storage_count == 0)
		return 0;
	r = capture(b, recipe, deadline, &now);
	if (r < 0)
		return r;
	*ret_met = cookies_fit(s, now, before, why, size) &&
		items_fit(s->local_storage, s->local_storage_count, false, now, before, why, size) &&
		items_fit(s->session_storage, s->session_storage_count, true, now, before, why, size);
	return 0;
}

static int mark_fits(struct browser *b, const struct recipe *recipe, bool *ret_met, char *why, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct wish wish = { .at = recipe->signed_in.mark };
	struct element e;
	int r;

	*ret_met = true;
	if (!wish.at)
		return 0;
	r = element_wait(browser_page(b), &wish, 1, 0, arena, &e);
	if (r < 0)
		return r;
	*ret_met = !e.late && !e.moved;
	if (!*ret_met)
		snprintf(why, size, "The mark of a signed-in person is not on the page yet.");
	return 0;
}

int rule_check(struct browser *b, const struct recipe *recipe, const struct state *before, int64_t deadline,
	bool *ret_met, char *why, size_t size)
{
	int r;

	*ret_met = false;
	if (!rule_addresses_fit(b, recipe, why, size))
		return 0;
	r = mark_fits(b, recipe, ret_met, why, size);
	if (r == 0 && *ret_met)
		r = storage_fits(b, recipe, before, deadline_min(deadline, deadline_in(CAPTURE_MS)), ret_met, why, size);
	if (r == 0 && *ret_met)
		*ret_met = rule_addresses_fit(b, recipe, why, size); /* it took a while */
	if (r == -EREMOTE || r == -EPIPE) { /* the page went on while we looked */
		*ret_met = false;
		snprintf(why, size, "The page is still changing.");
		return 0;
	}
	return r;
}

int rule_settle(struct browser *b, const struct recipe *recipe, int64_t deadline)
{
	int64_t cap = deadline_min(deadline, deadline_in(recipe->settle.cap_ms));
	CLEANUP(state_freep) struct state *one = NULL;
	int r = capture(b, recipe, cap, &one);

	while (r == 0 && loop_now() < cap) {
		struct state *two = NULL;
		r = fiber_sleep_until(deadline_min(cap, deadline_in(recipe->settle.quiet_ms)));
		if (r == 0)
			r = capture(b, recipe, deadline_in(CAPTURE_MS), &two);
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
