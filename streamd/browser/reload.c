#include "streamd/browser/reload.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "streamd/browser/loads.h"

/*
 * Of a page that is still on its way: Chromium would load the one that it leaves. It takes no notice of who asks for what is on
 * its way already, as when that waits for a password or for a slow site, so that is ended first.
 */
static void begin_anew(struct target *page)
{
	struct cdp *cdp = browser_cdp(page->browser);

	cdp_send(cdp, page->session, "Page.stopLoading");
	cdp_send(cdp, page->session, "Page.navigate", CDP_TEXT("url", url_whole(page->pending)));
}

/* What loads a document is paused, once, until it has been seen how it would be loaded. */
static void load_again(struct target *page)
{
	struct cdp *cdp = browser_cdp(page->browser);

	page->reloads = RELOAD_ASKED;
	cdp_send(cdp, page->session, "Fetch.enable",
		CDP_LIST("patterns", CDP_MAP(NULL, CDP_TEXT("urlPattern", "*"), CDP_TEXT("resourceType", "Document"))),
		CDP_BOOL("handleAuthRequests", loads_ask_passwords(page->browser)));
	cdp_send(cdp, page->session, "Page.reload");
}

void page_reload(struct target *page)
{
	if (page->pending)
		begin_anew(page);
	else
		load_again(page);
}

static bool is_mine(const struct target *page, const struct cbor *params)
{
	return cbor_text_is(cbor_get(params, "frameId"), page->id);
}

static bool is_get(const struct cbor *params)
{
	return cbor_text_is(cbor_get(cbor_get(params, "request"), "method"), "GET");
}

/* Else the person has been asked whether to leave the page and has stayed, and this is something else. */
static void on_reload_navigating(struct target *page, const struct cbor *params)
{
	const struct cbor *type = cbor_get(params, "navigationType");

	if (page->reloads && is_mine(page, params))
		page->reloads = cbor_text_is(type, "reload") || cbor_text_is(type, "reloadBypassingCache") ? RELOAD_BEGUN :
													   RELOAD_ASKED;
}

static void open_by_get(struct target *page, const struct cbor *request)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct cdp *cdp = browser_cdp(page->browser);
	char *url = arena_strdup(arena, url_whole(page->url));

	url[strcspn(url, "#")] = '\0';
	log_info("%s came of what was sent there; it is opened, not sent again", url_shown(page->url));
	cdp_send(cdp, page->session, "Fetch.failRequest", CDP_VALUE("requestId", request), CDP_TEXT("errorReason", "Aborted"));
	target_set_fetch(page->browser, page);
	cdp_send(cdp, page->session, "Page.navigate", CDP_TEXT("url", url));
}

static void on_paused(struct target *page, const struct cbor *params)
{
	const struct cbor *request = cbor_get(params, "requestId");
	struct cdp *cdp = browser_cdp(page->browser);

	if (is_mine(page, params) && page->reloads == RELOAD_BEGUN && !is_get(params)) {
		page->reloads = RELOAD_NONE;
		open_by_get(page, request);
		return;
	}
	cdp_send(cdp, page->session, "Fetch.continueRequest", CDP_VALUE("requestId", request));
	if (is_mine(page, params)) {
		page->reloads = RELOAD_NONE;
		target_set_fetch(page->browser, page);
	}
}

bool reload_event(struct target *page, const char *method, const struct cbor *params)
{
	if (strcmp(method, "Page.frameStartedNavigating") == 0)
		on_reload_navigating(page, params);
	if (!page->reloads || strcmp(method, "Fetch.requestPaused") != 0)
		return false;
	on_paused(page, params);
	return true;
}
