#include "streamd/run/beside.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "common/words.h"
#include "streamd/browser/page.h"

#define READ_MS   1000 /* for a document that may be busy with what it waits for */
#define MOST_COPY (4u << 20)

static const char read_tab[] = "JSON.stringify([location.origin, Object.entries(sessionStorage)])";

static const char write_tab[] =
	"(() => { try { const [origin, items] = JSON.parse(%s);"
	"if (self === top && location.origin === origin && !sessionStorage.length)"
	" for (const [key, value] of items) sessionStorage.setItem(key, value); } catch { /* it has none */ } })();";

/* As a literal of JavaScript, for it is a page's word; NULL if there is none. */
static char *tab_literal(struct arena *arena, struct target_ref page)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	CLEANUP(freep) char *literal = NULL;
	json_auto_t *string = NULL;
	const char *text;

	if (target_call(page, "Runtime.evaluate", deadline_in(READ_MS), &reply, CDP_TEXT("expression", read_tab),
		CDP_BOOL("returnByValue", true), CDP_BOOL("silent", true)) < 0)
		return NULL;
	text = cbor_get_utf8(reply.arena, cbor_get(reply.result, "result"), "value");
	string = text && strlen(text) <= MOST_COPY ? json_string(text) : NULL;
	literal = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
	return arena_strdup(arena, literal);
}

static int give_copy(struct arena *arena, const char *literal, int64_t deadline, struct target_ref page, char script[CDP_ID])
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	int r = target_call(page, "Page.addScriptToEvaluateOnNewDocument", deadline, &reply,
		CDP_TEXT("source", arena_printf(arena, write_tab, literal)));

	if (r == 0)
		cdp_id(reply.result, "identifier", script);
	return r;
}

int page_open_beside(struct target_ref front, int64_t deadline, struct target_ref *ret, char script[CDP_ID])
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const char *literal = tab_literal(arena, front);
	int r = browser_open_page(front.browser, deadline, ret);

	*script = '\0';
	return r == 0 && literal ? give_copy(arena, literal, deadline, *ret, script) : r;
}

void page_beside_begun(struct target_ref page, const char *script)
{
	const struct target *t = target_of(page);

	if (t && *script)
		cdp_send(browser_cdp(page.browser), t->session, "Page.removeScriptToEvaluateOnNewDocument",
			CDP_TEXT("identifier", script));
}
