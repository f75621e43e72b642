#include "streamd/browser/watch.h"

#include <string.h>

#include "common/arena.h"
#include "common/cleanup.h"
#include "proto/json.h"
#include "streamd/browser/pages.h"

#define BINDING "steadTell"
#define MOST_PAYLOAD (1u << 20) /* what watch.js tells of a list of a thousand options, or of copied text, is less */
#define WORLD   "stead" /* the isolated world that frame_call() uses too */

void watch_prepare(struct cdp *cdp, const char *session)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);

	cdp_send(cdp, session, "Runtime.enable"); /* without it no document after the first gets the binding */
	cdp_send(cdp, session, "Runtime.addBinding", CDP_TEXT("name", BINDING), CDP_TEXT("executionContextName", WORLD));
	cdp_send(cdp, session, "Page.addScriptToEvaluateOnNewDocument",
		CDP_TEXT("source", arena_printf(arena, "(%s)();", page_watch)), CDP_TEXT("worldName", WORLD),
		CDP_BOOL("runImmediately", true));
}

json_t *watch_read(const struct cbor *params)
{
	const char *text, *why;
	json_t *document;
	size_t n;

	if (!cbor_text_is(cbor_get(params, "name"), BINDING))
		return NULL;
	CLEANUP(arena_freep) struct arena *arena = arena_new_secret(0);
	text = cbor_get_utf8(arena, params, "payload");
	n = text ? strlen(text) : 0;
	return n && n <= MOST_PAYLOAD && json_read(text, n, &document, &why) == 0 ? document : NULL;
}
