#include "streamd/session/dialog_policy.h"

#include "common/cleanup.h"
#include "common/words.h"
#include "streamd/browser/browser.h"
#include "streamd/browser/clip.h"

#define MOST_MESSAGE 512

void dialog_put_away(const struct target *page, const struct cbor *params, char *said, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	bool leaving = cbor_text_is(cbor_get(params, "type"), "beforeunload");
	bool asks = cbor_text_is(cbor_get(params, "type"), "confirm") || cbor_text_is(cbor_get(params, "type"), "prompt");
	const char *message;

	if (!params)
		return;
	cdp_send(browser_cdp(page->browser), page->session, "Page.handleJavaScriptDialog", CDP_BOOL("accept", !asks));
	message = clip(arena, cbor_get_utf8(arena, params, "message"), MOST_MESSAGE);
	if (message && !leaving)
		words_add(said, size, "%sThe page said: \"%s\"", *said ? " " : "", message);
}
