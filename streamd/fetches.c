#include "streamd/fetches.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "common/words.h"

static struct fetch *find(struct target *t, const char *id)
{
	for (size_t i = 0; i < TARGET_MOST_FETCHES; i++)
		if (strcmp(t->fetches[i].id, id) == 0)
			return &t->fetches[i];
	return NULL;
}

static void forget(struct fetch *f)
{
	url_free(f->url);
	*f = (struct fetch){ 0 };
}

void fetches_forget(struct target *t)
{
	for (size_t i = 0; i < TARGET_MOST_FETCHES; i++)
		forget(&t->fetches[i]);
}

static void begin(struct target *t, const char *id, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct cbor *type = cbor_get(params, "type");
	struct fetch *f = find(t, "");

	if (!f || !(cbor_text_is(type, "XHR") || cbor_text_is(type, "Fetch")))
		return;
	exact_set(f->id, sizeof(f->id), "%s", id);
	f->url = url_new(cbor_get_utf8(arena, cbor_get(params, "request"), "url"));
	f->since = loop_now();
	arrival_begin(&f->arrival);
}

/* A redirection keeps its name. */
void fetches_note(struct target *t, const char *method, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const char *id = cbor_get_utf8(arena, params, "requestId");
	struct fetch *f = id && *id && strlen(id) < CDP_ID ? find(t, id) : NULL;

	if (f && (strcmp(method, "Network.loadingFinished") == 0 || strcmp(method, "Network.loadingFailed") == 0))
		forget(f);
	else if (f)
		arrival_event(&f->arrival, method, params);
	else if (id && *id && strlen(id) < CDP_ID && strcmp(method, "Network.requestWillBeSent") == 0)
		begin(t, id, params);
}

const struct url *page_fetching(const struct target *page, const char *const *but, size_t count, int64_t *ret_since)
{
	const struct fetch *first = NULL;
	struct target *t;

	TAILQ_FOREACH (t, browser_targets(page->browser), link)
		for (size_t i = 0; i < TARGET_MOST_FETCHES && (t == page || t->kind != TARGET_PAGE); i++) {
			const struct fetch *f = &t->fetches[i];
			bool comes = *f->id && loop_now() < arrival_until(&f->arrival);
			if (comes && !url_fits_any(f->url, but, count) && (!first || f->since < first->since))
				first = f;
		}
	*ret_since = first ? first->since : 0;
	return first ? first->url : NULL;
}
