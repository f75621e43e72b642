#include "common/hub.h"

#include <errno.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/latch.h"
#include "common/must.h"
#include "common/words.h"

struct told {
	char key[HUB_KEY]; /* first: the tree compares by it */
	TAILQ_ENTRY(told) link;
	char what[];
};

struct watcher {
	struct hub *hub;
	char key[HUB_KEY]; /* ""; all */
	void *tree;        /* tsearch(3): the same entries as in the list */
	TAILQ_HEAD(, told) list;
	size_t count;
	bool behind;
	struct told *read; /* the last that was given out */
	struct latch news;
	LIST_ENTRY(watcher) link;
};

struct hub {
	size_t size, most, count;
	bool ended;
	LIST_HEAD(, watcher) watchers;
};

struct hub *hub_new(size_t size, size_t most)
{
	struct hub *h = must(calloc(1, sizeof(*h)));

	h->size = size;
	h->most = most;
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

static int hub_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static struct told *hub_take_first(struct watcher *w)
{
	struct told *t = TAILQ_FIRST(&w->list);

	if (!t)
		return NULL;
	TAILQ_REMOVE(&w->list, t, link);
	tdelete(t, &w->tree, hub_compare);
	w->count--;
	return t;
}

static void drop_all(struct watcher *w)
{
	struct told *t;

	while ((t = hub_take_first(w)))
		free(t);
}

static void fall_behind(struct watcher *w)
{
	w->behind = true;
	drop_all(w);
	latch_wake(&w->news, 0);
}

/* The one of that key, made if it is not there. */
static struct told *told_of(struct watcher *w, const char *key)
{
	struct told *const *found = tfind(key, &w->tree, hub_compare), *t;

	if (found)
		return *found;
	t = must(calloc(1, sizeof(*t) + w->hub->size));
	exact_must(t->key, sizeof(t->key), "%s", key);
	must(tsearch(t, &w->tree, hub_compare));
	TAILQ_INSERT_TAIL(&w->list, t, link);
	w->count++;
	return t;
}

static void tell(struct watcher *w, const char *key, const void *what)
{
	if (w->behind || (*w->key && strcmp(w->key, key) != 0))
		return; /* whoever is behind reads it anew */
	if (w->count == w->hub->most && !tfind(key, &w->tree, hub_compare))
		return fall_behind(w);
	memcpy(told_of(w, key)->what, what ? what : "", what ? w->hub->size : 0);
	latch_wake(&w->news, 0);
}

void hub_tell(struct hub *h, const char *key, const void *what)
{
	struct watcher *w;

	if (strlen(key) >= HUB_KEY)
		return;
	LIST_FOREACH (w, &h->watchers, link)
		tell(w, key, what);
}

void hub_miss(struct hub *h)
{
	struct watcher *w;

	LIST_FOREACH (w, &h->watchers, link)
		fall_behind(w);
}

void hub_end(struct hub *h)
{
	struct watcher *w;

	h->ended = true;
	LIST_FOREACH (w, &h->watchers, link)
		latch_wake(&w->news, 0);
}

struct watcher *watcher_new(struct hub *h, const char *key)
{
	struct watcher *w = must(calloc(1, sizeof(*w)));

	w->hub = h;
	exact_must(w->key, sizeof(w->key), "%s", key ? key : "");
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
	free(w->read);
	LIST_REMOVE(w, link);
	w->hub->count--;
	free(w);
	return NULL;
}

void watcher_freep(struct watcher **w)
{
	*w = watcher_free(*w);
}

/* Waits until there is something, or the end. */
static int await_news(struct watcher *w, int64_t deadline)
{
	int r = 0;

	while (r == 0 && !w->hub->ended && !w->behind && !w->count)
		r = latch_wait(&w->news, deadline);
	return r < 0 ? r : w->hub->ended ? -ESHUTDOWN : 0;
}

int watcher_next(struct watcher *w, const char **ret_key, void *what, int64_t deadline)
{
	int r = await_news(w, deadline);

	if (r < 0)
		return r;
	if (w->behind) {
		w->behind = false;
		return -ESTALE;
	}
	free(w->read);
	w->read = hub_take_first(w);
	if (ret_key)
		*ret_key = w->read->key;
	if (what)
		memcpy(what, w->read->what, w->hub->size);
	return 0;
}

int watcher_wait(struct watcher *w, int64_t deadline)
{
	int r = await_news(w, deadline);

	if (r < 0)
		return r;
	w->behind = false;
	drop_all(w);
	return 0;
}
