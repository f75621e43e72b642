#include "sessiond/hub.h"

#include <errno.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/fiber.h"
#include "common/latch.h"
#include "common/log.h"
#include "common/must.h"
#include "common/words.h"

struct pending {
	struct change change; /* first: the tree compares by it */
	TAILQ_ENTRY(pending) link;
};

struct watcher {
	struct hub *hub;
	void *tree; /* tsearch(3), by user and site; the same entries as in the list */
	TAILQ_HEAD(, pending) list;
	size_t count;
	bool stale;
	struct latch news;
	LIST_ENTRY(watcher) link;
};

struct hub {
	LIST_HEAD(, watcher) watchers;
	size_t count;
	bool listening; /* or has been: then a watcher can begin to read */
	bool ended;
};

struct hub *hub_new(void)
{
	struct hub *h = must(calloc(1, sizeof(*h)));

	LIST_INIT(&h->watchers);
	return h;
}

struct hub *hub_free(struct hub *h)
{
	free(h);
	return NULL;
}

size_t hub_watchers(const struct hub *h)
{
	return h->count;
}

void hub_end(struct hub *h)
{
	struct watcher *w;

	h->ended = true;
	LIST_FOREACH (w, &h->watchers, link)
		latch_wake(&w->news, 0);
}

int change_parse(const char *payload, struct change *ret)
{
	struct change c = { 0 };
	long long user, version;
	int end = 0;

	if (sscanf(payload, "%lld %lld %15s%n", &user, &version, c.health, &end) != 3 || user < 1 ||
		version < 1)
		return -EINVAL;
	if (payload[end] != ' ' || !payload[end + 1] || !exact_set(c.site, sizeof(c.site), "%s", payload + end + 1))
		return -EINVAL;
	c.user = user;
	c.version = version;
	*ret = c;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	if (x->user != y->user)
		return x->user < y->user ? -1 : 1;
	return strcmp(x->site, y->site);
}

static struct pending *take_first(struct watcher *w)
{
	struct pending *p = TAILQ_FIRST(&w->list);

	if (!p)
		return NULL;
	TAILQ_REMOVE(&w->list, p, link);
	tdelete(p, &w->tree, compare);
	w->count--;
	return p;
}

static void drop_all(struct watcher *w)
{
	struct pending *p;

	while ((p = take_first(w)))
		free(p);
}

static void add(struct watcher *w, const struct change *c)
{
	struct pending *const *found, *p;

	if (w->stale)
		return; /* it will read this from the database */
	found = tfind(c, &w->tree, compare);
	if (found) {
		(*found)->change = *c; /* the channel keeps the order of the commits */
		return;
	}
	p = must(calloc(1, sizeof(*p)));
	p->change = *c;
	if (!tsearch(p, &w->tree, compare))
		abort();
	TAILQ_INSERT_TAIL(&w->list, p, link);
	w->count++;
}

void hub_notice(struct hub *h, const char *payload)
{
	struct change c;
	struct watcher *w;

	if (payload && change_parse(payload, &c) < 0) {
		log_warning("ignores a notice on the channel " HUB_CHANNEL
			    " that is none of the vault's");
		return;
	}
	h->listening |= !payload;
	LIST_FOREACH (w, &h->watchers, link) {
		if (payload)
			add(w, &c);
		if (!payload || w->count > HUB_PENDING_MAX) {
			w->stale = true;
			drop_all(w);
		}
		latch_wake(&w->news, 0);
	}
}

struct watcher *watcher_new(struct hub *h)
{
	struct watcher *w = must(calloc(1, sizeof(*w)));

	w->hub = h;
	w->stale = h->listening;
	TAILQ_INIT(&w->list);
	LIST_INSERT_HEAD(&h->watchers, w, link);
	h->count++;
	return w;
}

struct watcher *watcher_free(struct watcher *w)
{
	if (!w)
		return NULL;
	drop_all(w);
	LIST_REMOVE(w, link);
	w->hub->count--;
	free(w);
	return NULL;
}

void watcher_freep(struct watcher **w)
{
	*w = watcher_free(*w);
}

static bool has_something(const struct watcher *w)
{
	return w->stale || w->hub->ended || !TAILQ_EMPTY(&w->list);
}

int watcher_next(struct watcher *w, struct change *ret, int64_t deadline)
{
	struct pending *p;

	while (!has_something(w)) {
		int r = latch_wait(&w->news, deadline);

		if (r < 0)
			return r;
	}
	if (w->hub->ended)
		return -ESHUTDOWN;
	if (w->stale) {
		w->stale = false;
		return -ESTALE;
	}
	p = take_first(w);
	*ret = p->change;
	free(p);
	return 0;
}
