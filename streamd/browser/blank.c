#include "streamd/browser/blank.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/host.h"

#define MARK "/.stead/"

struct blank {
	struct arena *arena;
	const char **origins;
	size_t count;
};

struct blank *blank_new(const char *const *origins, size_t count)
{
	struct arena *arena = arena_new(0);
	struct blank *b = arena_alloc(arena, sizeof(*b));

	b->arena = arena;
	b->origins = arena_array(arena, count, sizeof(*b->origins));
	b->count = count;
	for (size_t i = 0; i < count; i++)
		b->origins[i] = arena_strdup(arena, origins[i]);
	return b;
}

struct blank *blank_free(struct blank *b)
{
	if (b)
		arena_free(b->arena);
	return NULL;
}

char *blank_url(struct arena *arena, const char *origin, size_t depth)
{
	return arena_printf(arena, "%s" MARK "%zu", origin, depth);
}

bool blank_is_at(const char *url)
{
	size_t n;
	const char *host = host_in_url(url, &n);

	return host && strncmp(host + n, MARK, strlen(MARK)) == 0;
}

/* The document for an address, or NULL if it is none of ours. An origin is a plain https://host: nothing to escape. */
static char *document_for(const struct blank *b, struct arena *arena, const char *url)
{
	const char *mark = strstr(url, MARK);

	if (!mark)
		return NULL;
	size_t depth = strtoul(mark + strlen(MARK), NULL, 10);
	if (depth >= b->count || strncmp(url, b->origins[depth], strlen(b->origins[depth])) != 0)
		return NULL;
	if (depth + 1 == b->count)
		return arena_strdup(arena, "<!doctype html>");
	return arena_printf(arena, "<!doctype html><iframe src=\"%s\"></iframe>",
		blank_url(arena, b->origins[depth + 1], depth + 1));
}

void blank_answer(const struct blank *b, struct cdp *cdp, const char *session, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct cbor *id = cbor_get(params, "requestId");
	char *url = cbor_get_utf8(arena, cbor_get(params, "request"), "url");

	if (!b) {
		cdp_send(cdp, session, "Fetch.continueRequest", CDP_VALUE("requestId", id));
		return;
	}
	char *document = url ? document_for(b, arena, url) : NULL;
	cdp_send(cdp, session, "Fetch.fulfillRequest", CDP_VALUE("requestId", id),
		CDP_INT("responseCode", document ? 200 : 404),
		CDP_LIST("responseHeaders",
			CDP_MAP(NULL, CDP_TEXT("name", "Content-Type"), CDP_TEXT("value", "text/html"))),
		CDP_BINARY("body", document ? document : "", document ? strlen(document) : 0));
}
