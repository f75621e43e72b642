/*
 * What is not sent again: where a redirect leads a request back to; and what a page that came of the act would send once more by
 * itself, as it is loaded again, gone back to, or submits the same form without another press. Chromium asks nobody. See reload.h
 * for our own.
 */
#include <string.h>

#include "common/cleanup.h"
#include "common/words.h"
#include "streamd/browser/act_inside.h"

bool method_is_safe(const char *method)
{
	static const char *const safe[] = { "GET", "HEAD", "OPTIONS", "TRACE" };

	for (size_t i = 0; i < sizeof(safe) / sizeof(*safe); i++)
		if (strcmp(method, safe[i]) == 0)
			return true;
	return false;
}

uint64_t hash_of(const char *text, size_t n)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)text[i]) * 1099511628211u;
	return h;
}

static void job_of(const char *id, char job[CDP_ID])
{
	const char *dot = strrchr(id, '.');

	exact_set(job, CDP_ID, "%s", id);
	if (dot)
		job[dot - id] = '\0';
}

static uint64_t place_of(const struct asked *k)
{
	return hash_of(url_shown(k->url), strlen(url_shown(k->url))) ^ hash_of(k->method, strlen(k->method));
}

bool trail_has(const struct act *a, const struct asked *k)
{
	char job[CDP_ID];

	job_of(k->id, job);
	for (size_t i = 0; i < a->trail_count; i++)
		if (strcmp(a->trail[i].job, job) == 0 && a->trail[i].place == place_of(k))
			return true;
	return false;
}

void trail_note(struct act *a, const struct asked *k)
{
	struct trail *t;

	if (a->trail_count == MOST_TRAIL)
		a->trail_count = 0;
	t = &a->trail[a->trail_count++];
	job_of(k->id, t->job);
	t->place = place_of(k);
}

static uint64_t request_of(const struct asked *k)
{
	const char *url = url_whole(k->url);

	return hash_of(url, strcspn(url, "#")) ^ hash_of(k->method, strlen(k->method));
}

void gone_note(struct act *a, const struct asked *k)
{
	if (!method_is_safe(k->method))
		a->gone[a->gone_count++ % MOST_GONE] = (struct gone){ request_of(k), k->body, a->presses };
}

/* Told of before it is paused, by the id that the request of the document has. */
void anew_note(struct act *a, const struct cbor *params)
{
	static const char *const types[] = { "reload", "reloadBypassingCache", "restore", "restoreWithPost", "historySameDocument",
		"historyDifferentDocument" };
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const char *type = cbor_get_utf8(arena, params, "navigationType"), *id = cbor_get_utf8(arena, params, "loaderId");

	for (size_t i = 0; type && id && *id && i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(type, types[i]) == 0)
			exact_set(a->anew[a->anew_count++ % MOST_ANEW], CDP_ID, "%s", id);
}

bool anew_has(const struct act *a, const struct asked *k)
{
	for (size_t i = 0; k->document && k->network[0] && i < a->anew_count && i < MOST_ANEW; i++)
		if (strcmp(a->anew[i], k->network) == 0)
			return true;
	return false;
}

bool is_again(const struct act *a, const struct asked *k)
{
	uint64_t request = request_of(k);

	for (size_t i = 0; k->document && !method_is_safe(k->method) && i < a->gone_count && i < MOST_GONE; i++) {
		const struct gone *g = &a->gone[i];
		if (g->request == request && (k->anew || (g->body == k->body && g->press == a->presses)))
			return true;
	}
	return false;
}
