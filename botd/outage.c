#include "botd/outage.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "common/must.h"
#include "common/pause.h"

#define LONGEST_MS 300000 /* a pause of ours; the site's own wish may be longer */

struct outage {
	char *site, *action;
	int place;            /* the furthest that was met so */
	int64_t since, until; /* monotonic ms */
	int64_t pause_ms;     /* the last of ours */
	LIST_ENTRY(outage) link;
};

/* The probe is of the whole site. */
static const char *action_of(const struct spot *at)
{
	return at->place == PLACE_PROBE ? "" : at->action;
}

static struct outage *outage_find(const struct outages *o, const struct spot *at)
{
	struct outage *x;

	LIST_FOREACH (x, &o->list, link)
		if (strcmp(x->site, at->site) == 0 && strcmp(x->action, action_of(at)) == 0)
			return x;
	return NULL;
}

/* Whether it is on the way to that spot. */
static bool is_before(const struct outage *x, const struct spot *at)
{
	bool ours = !*x->action || strcmp(x->action, at->action) == 0;

	return strcmp(x->site, at->site) == 0 && ours && x->place <= at->place;
}

static void remove_one(struct outage *x)
{
	LIST_REMOVE(x, link);
	free(x->site);
	free(x->action);
	free(x);
}

void outages_free(struct outages *o)
{
	while (!LIST_EMPTY(&o->list))
		remove_one(LIST_FIRST(&o->list));
}

int64_t outage_left_ms(const struct outages *o, const struct spot *to)
{
	int64_t now = loop_now(), longest = 0;
	const struct outage *x;

	LIST_FOREACH (x, &o->list, link)
		if (is_before(x, to) && x->until - now > longest)
			longest = x->until - now;
	return longest;
}

int64_t outage_lasted_ms(const struct outages *o, const struct spot *to)
{
	int64_t now = loop_now(), longest = 0;
	const struct outage *x;

	LIST_FOREACH (x, &o->list, link)
		if (is_before(x, to) && now - x->since >= longest)
			longest = now - x->since + 1;
	return longest;
}

static struct outage *outage_add(struct outages *o, const struct spot *at)
{
	struct outage *x = must(calloc(1, sizeof(*x)));

	x->site = must(strdup(at->site));
	x->action = must(strdup(action_of(at)));
	x->since = x->until = loop_now();
	LIST_INSERT_HEAD(&o->list, x, link);
	return x;
}

/* Two who found it so at the same time make one pause longer, not two. */
int64_t outage_note(struct outages *o, const struct spot *at, int64_t asked_ms, int64_t first_ms)
{
	struct outage *x = outage_find(o, at);
	int64_t now = loop_now(), left = x && x->until > now ? x->until - now : 0;

	if (!x)
		x = outage_add(o, at);
	if (at->place > x->place)
		x->place = at->place;
	if (now - x->until > o->old_ms) {
		x->since = now;
		x->pause_ms = 0;
	}
	if (left == 0) {
		x->pause_ms = x->pause_ms ? pause_longer(x->pause_ms, LONGEST_MS) : pause_after(first_ms, 0, LONGEST_MS);
		left = x->pause_ms;
	}
	left = left > asked_ms ? left : asked_ms;
	x->until = now + left;
	return left;
}

void outage_past(struct outages *o, const struct spot *at)
{
	struct outage *x = LIST_FIRST(&o->list), *next;

	for (; x; x = next) {
		next = LIST_NEXT(x, link);
		if (is_before(x, at))
			remove_one(x);
	}
}
