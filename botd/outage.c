#include "botd/outage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/loop.h"
#include "common/must.h"
#include "common/pause.h"

#define LONGEST_MS 300000 /* a pause of ours; the site's own wish may be longer */

struct outage {
	char *site;
	int64_t since, until; /* monotonic ms */
	int64_t pause_ms;     /* the last of ours */
	LIST_ENTRY(outage) link;
};

struct outages {
	LIST_HEAD(, outage) list;
	int64_t old_ms;
};

static struct outage *find(const struct outages *o, const char *site)
{
	struct outage *x;

	LIST_FOREACH (x, &o->list, link)
		if (strcmp(x->site, site) == 0)
			return x;
	return NULL;
}

static void remove_one(struct outage *x)
{
	LIST_REMOVE(x, link);
	free(x->site);
	free(x);
}

struct outages *outages_new(int64_t old_ms)
{
	struct outages *o = must(calloc(1, sizeof(*o)));

	o->old_ms = old_ms;
	LIST_INIT(&o->list);
	return o;
}

struct outages *outages_free(struct outages *o)
{
	while (o && !LIST_EMPTY(&o->list))
		remove_one(LIST_FIRST(&o->list));
	free(o);
	return NULL;
}

int64_t outage_left_ms(const struct outages *o, const char *site)
{
	const struct outage *x = find(o, site);
	int64_t left = x ? x->until - loop_now() : 0;

	return left > 0 ? left : 0;
}

int64_t outage_lasted_ms(const struct outages *o, const char *site)
{
	const struct outage *x = find(o, site);

	return x ? loop_now() - x->since + 1 : 0;
}

static struct outage *add(struct outages *o, const char *site)
{
	struct outage *x = must(calloc(1, sizeof(*x)));

	x->site = must(strdup(site));
	x->since = x->until = loop_now();
	LIST_INSERT_HEAD(&o->list, x, link);
	return x;
}

/* Two who found it so at the same time make one pause longer, not two. */
int64_t outage_note(struct outages *o, const char *site, int64_t asked_ms, int64_t first_ms)
{
	struct outage *x = find(o, site);
	int64_t now = loop_now(), left = outage_left_ms(o, site);

	if (!x)
		x = add(o, site);
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

void outage_over(struct outages *o, const char *site)
{
	struct outage *x = find(o, site);

	if (x)
		remove_one(x);
}
