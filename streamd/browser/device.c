#include "streamd/browser/device.h"

#include "common/arena.h"
#include "common/cleanup.h"
#include "streamd/browser/pages.h"

/*
 * One authenticator of each way that a page can ask for one (built in, carried along): with just one, what only the other
 * could answer would stay open until the page's own time is up. Each always wants to see that it is the person, and never
 * does, so it makes no passkey that would be lost with this browser either.
 */
static void add_authenticator(struct cdp *cdp, const char *session, const char *transport)
{
	cdp_send(cdp, session, "WebAuthn.addVirtualAuthenticator",
		CDP_MAP("options", CDP_TEXT("protocol", "ctap2"), CDP_TEXT("transport", transport),
			CDP_BOOL("hasResidentKey", true), CDP_BOOL("hasUserVerification", true),
			CDP_BOOL("isUserVerified", false), CDP_BOOL("automaticPresenceSimulation", true)));
}

void device_prepare(struct cdp *cdp, const char *session)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);

	cdp_send(cdp, session, "WebAuthn.enable", CDP_BOOL("enableUI", false));
	add_authenticator(cdp, session, "internal");
	add_authenticator(cdp, session, "usb");
	cdp_send(cdp, session, "Page.addScriptToEvaluateOnNewDocument",
		CDP_TEXT("source", arena_printf(arena, "(%s)();", page_device)), CDP_BOOL("runImmediately", true));
}
