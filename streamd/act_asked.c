#include "streamd/act_inside.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/words.h"

struct asked *asked_free(struct asked *k)
{
	if (k)
		url_free(k->url);
	free(k);
	return NULL;
}

void trail_forget(struct act *a)
{
	while (a->trail_count)
		url_free(a->trail[--a->trail_count].url);
}

bool method_is_safe(const char *method)
{
	static const char *const safe[] = { "GET", "HEAD", "OPTIONS", "TRACE" };

	for (size_t i = 0; i < sizeof(safe) / sizeof(*safe); i++)
		if (strcmp(method, safe[i]) == 0)
			return true;
	return false;
}

static void read_host(struct asked *k)
{
	const char *url = url_whole(k->url);
	size_t n;
	const char *host = host_in_url(url, &n);

	k->plain = strncmp(url, "http://", 7) == 0;
	k->web = host && host_parse_port(host, n, k->plain ? 80 : 443, &k->host, &k->port) == 0;
}

/* The launcher refuses what the recipe does not allow, so that is let go to it, and never acts. */
static bool may_be_reached(const struct act *a, const struct asked *k)
{
	struct egress_target target;
	char why[EGRESS_WHY];

	return !a->rule || egress_rule_host(a->rule, k->host.name, strlen(k->host.name), k->port, &target, why) == 0;
}

static uint64_t hash(const char *text, size_t n)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)text[i]) * 1099511628211u;
	return h;
}

static uint64_t address_of(const char *url)
{
	return hash(url, strcspn(url, "#"));
}

static struct known *find_known(struct act *a, uint64_t address)
{
	for (size_t i = 0; i < a->known_count && i < MOST_KNOWN; i++)
		if (a->known[i].address == address)
			return &a->known[i];
	return NULL;
}

/* Told of before it is paused. */
void known_note(struct act *a, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const char *url = cbor_get_utf8(arena, cbor_get(params, "request"), "url"), *id = cbor_get_utf8(arena, params, "requestId");

	if (url && id && cbor_text_is(cbor_get(cbor_get(params, "request"), "method"), "GET") && !find_known(a, address_of(url)))
		a->known[a->known_count++ % MOST_KNOWN] = (struct known){ address_of(url), hash(id, strlen(id)) };
}

/*
 * A script that asks with GET for what has not been asked for since a page was opened: a site may act by that, although it
 * should not. What a page keeps asking for is no act.
 */
static bool is_new(struct act *a, const struct asked *k, const struct cbor *type)
{
	const struct known *known = find_known(a, address_of(url_whole(k->url)));

	return (cbor_text_is(type, "XHR") || cbor_text_is(type, "Fetch") || cbor_text_is(type, "Ping")) &&
		strcmp(k->method, "GET") == 0 && (!known || known->request == hash(k->network, strlen(k->network)));
}

/* Whether a script of another host may ask: what it is about to ask comes once that is answered, and not if it may not. */
static bool is_preflight(const struct asked *k, const struct cbor *headers)
{
	return strcmp(k->method, "OPTIONS") == 0 && cbor_get(headers, "Access-Control-Request-Method");
}

static bool is_page(struct act *a, const char *frame)
{
	const struct target *t = browser_target_by_id(a->browser, frame);

	return t && t->kind == TARGET_PAGE;
}

/* Where a request has been told to go by a redirect, after it has gone there before. */
static bool has_been(const struct act *a, const char *job, const struct asked *k)
{
	for (size_t i = 0; i < a->trail_count; i++) {
		const struct trail *t = &a->trail[i];
		if (strcmp(t->job, job) == 0 && strcmp(t->method, k->method) == 0 &&
			strcmp(url_shown(t->url), url_shown(k->url)) == 0)
			return true;
	}
	return false;
}

static void job_of(const char *id, char job[CDP_ID])
{
	const char *dot = strrchr(id, '.');

	exact_set(job, CDP_ID, "%s", id);
	if (dot)
		job[dot - id] = '\0';
}

void trail_note(struct act *a, const struct asked *k)
{
	struct trail *t;

	if (a->trail_count == MOST_TRAIL)
		trail_forget(a);
	t = &a->trail[a->trail_count++];
	job_of(k->id, t->job);
	exact_set(t->method, sizeof(t->method), "%s", k->method);
	t->url = url_new(url_whole(k->url));
}

struct asked *asked_new(struct act *a, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct cbor *request = cbor_get(params, "request");
	struct asked *k = act_must(calloc(1, sizeof(*k)));
	const char *network = cbor_get_utf8(arena, params, "networkId"), *method = cbor_get_utf8(arena, request, "method");
	const char *frame = cbor_get_utf8(arena, params, "frameId");
	bool redirected = cbor_get(params, "redirectedRequestId") != NULL, navigates, new;
	char job[CDP_ID];

	exact_set(k->id, sizeof(k->id), "%s", cbor_get_utf8(arena, params, "requestId") ?: "");
	exact_set(k->network, sizeof(k->network), "%s", network ?: "");
	words_set(k->method, sizeof(k->method), "%s", method ?: "?");
	k->url = url_new(cbor_get_utf8(arena, request, "url"));
	exact_set(k->frame, sizeof(k->frame), "%s", frame ?: "");
	k->document = cbor_text_is(cbor_get(params, "resourceType"), "Document");
	read_host(k);
	k->web = k->web && may_be_reached(a, k);
	navigates = !redirected && k->document && is_page(a, frame);
	k->acts = k->web && (!method_is_safe(k->method) || navigates);
	k->apart = a->gate == GATE_LEFT && apart_has(a, frame);
	new = k->web && !redirected && is_new(a, k, cbor_get(params, "resourceType"));
	k->reads = new || (k->web && is_preflight(k, cbor_get(request, "headers")));
	k->acts |= a->gate == GATE_WATCH && new;
	k->own = !k->apart && is_page(a, frame);
	job_of(k->id, job);
	k->repeated = redirected && k->acts && has_been(a, job, k);
	return k;
}

bool asked_same_host(const struct asked *a, const struct asked *b)
{
	return a->web && b->web && a->port == b->port && host_equal(&a->host, &b->host);
}
