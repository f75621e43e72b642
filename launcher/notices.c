#include "launcher/notices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/fiber.h"
#include "common/loop.h"
#include "launcher/handlers.h"
#include "launcher/launcher.h"
#include "proto/call.h"

struct refused {
	char host[256], why[256];
};

struct watcher {
	struct wait wait;
	LIST_ENTRY(watcher) link;
};

struct notices {
	struct refused refused[NOTICES_MOST];
	size_t count;
	char ended[NOTICES_ENDED];
	LIST_HEAD(, watcher) watchers;
};

struct notices *notices_new(void)
{
	struct notices *n = calloc(1, sizeof(*n));

	if (!n)
		abort();
	LIST_INIT(&n->watchers);
	return n;
}

struct notices *notices_free(struct notices *n)
{
	free(n);
	return NULL;
}

static void wake(struct notices *n)
{
	struct watcher *w;

	LIST_FOREACH (w, &n->watchers, link)
		wait_wake(&w->wait, 0);
}

void notices_add_refused(struct notices *n, const char *host, size_t length, const char *why)
{
	struct refused r = {.host = ""};

	for (size_t i = 0; i < length && i < sizeof(r.host) - 1; i++)
		r.host[i] = host[i] > ' ' && host[i] <= '~' ? host[i] : '?';
	for (size_t i = 0; i < n->count; i++)
		if (strcmp(n->refused[i].host, r.host) == 0)
			return;
	if (n->count == NOTICES_MOST || !*r.host)
		return;
	snprintf(r.why, sizeof(r.why), "%s", why);
	n->refused[n->count++] = r;
	wake(n);
}

void notices_end(struct notices *n, const char *sentence)
{
	if (*n->ended)
		return;
	snprintf(n->ended, sizeof(n->ended), "%s", sentence);
	wake(n);
}

static int wait_for_more(struct notices *n)
{
	struct watcher w = {0};
	int r;

	LIST_INSERT_HEAD(&n->watchers, &w, link);
	r = wait_for(&w.wait, NEVER);
	LIST_REMOVE(&w, link);
	return r;
}

int browser_watch(struct call *call, const struct browser_watch_params *params)
{
	struct notices *n = ((struct launcher *)call->daemon)->notices;
	int r = 0;

	(void)params;
	for (size_t seen = 0; r == 0;) {
		if (seen < n->count) {
			struct refused *refused = &n->refused[seen++];
			struct browser_watch_item item = {
				.refused_host = refused->host, .refused_why = refused->why};
			r = send_browser_watch(call, &item);
		} else if (*n->ended) {
			struct browser_watch_item item = {.ended = n->ended};
			return send_browser_watch(call, &item);
		} else {
			r = wait_for_more(n);
		}
	}
	return r;
}
