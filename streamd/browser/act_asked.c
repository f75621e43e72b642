#include "streamd/browser/act_inside.h"

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

static uint64_t asked_address_of(const char *url)
{
	return hash_of(url, strcspn(url, "#"));
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

	if (url && id && cbor_text_is(cbor_get(cbor_get(params, "request"), "method"), "GET") && !find_known(a, asked_address_of(url)))
		a->known[a->known_count++ % MOST_KNOWN] = (struct known){ asked_address_of(url), hash_of(id, strlen(id)) };
}

/* It has not been asked for since a page was opened. What a page keeps asking for is no act. */
static bool is_new(struct act *a, const struct asked *k)
{
	const struct known *known = find_known(a, asked_address_of(url_whole(k->url)));

	return strcmp(k->method, "GET") == 0 && (!known || known->request == hash_of(k->network, strlen(k->network)));
}

static bool asked_is_one_of(const struct cbor *type, const char *const *types)
{
	while (*types && !cbor_text_is(type, *types))
		types++;
	return *types;
}

static bool is_of_script(const struct cbor *type)
{
	static const char *const types[] = { "XHR", "Fetch", "Ping", NULL };

	return asked_is_one_of(type, types);
}

/* Not what only dresses a page. */
static bool is_of_page(const struct cbor *type)
{
	static const char *const types[] = { "Document", "Image", "Script", "Media", "TextTrack", "EventSource", "Other", NULL };

	return asked_is_one_of(type, types);
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

static void asked_read_request(struct asked *k, struct arena *arena, const struct cbor *params)
{
	const struct cbor *request = cbor_get(params, "request");
	const char *body = cbor_get_utf8(arena, request, "postData");

	cdp_id(params, "requestId", k->id);
	cdp_id(params, "networkId", k->network);
	words_set(k->method, sizeof(k->method), "%s", cbor_get_utf8(arena, request, "method") ?: "?");
	k->url = url_new(cbor_get_utf8(arena, request, "url"));
	k->body = body ? hash_of(body, strlen(body)) : 0;
	cdp_id(params, "frameId", k->frame);
	k->document = cbor_text_is(cbor_get(params, "resourceType"), "Document");
	read_host(k);
}

/*
 * What it is for the act: a site may act by GET, although it should not, so what is asked for the first time may be one, whoever
 * asks; a page that is gone to is.
 */
struct asked *asked_new(struct act *a, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct asked *k = must(calloc(1, sizeof(*k)));
	const struct cbor *type = cbor_get(params, "resourceType"), *headers = cbor_get(cbor_get(params, "request"), "headers");
	bool redirected = cbor_get(params, "redirectedRequestId") != NULL, page, new;

	asked_read_request(k, arena, params);
	page = is_page(a, k->frame);
	k->web = k->web && may_be_reached(a, k);
	k->acts = k->web && (!method_is_safe(k->method) || (!redirected && k->document && page));
	new = k->web && !redirected && is_new(a, k);
	k->reads = (new && is_of_script(type)) || (k->web && is_preflight(k, headers));
	k->may_act = new && !k->acts && (is_of_script(type) || is_of_page(type));
	k->apart = a->gate == GATE_LEFT && apart_has(a, k->frame);
	k->own = !k->apart && page;
	k->anew = anew_has(a, k);
	k->repeated = redirected && k->acts && trail_has(a, k);
	return k;
}

bool asked_same_host(const struct asked *a, const struct asked *b)
{
	return a->web && b->web && a->port == b->port && host_equal(&a->host, &b->host);
}
