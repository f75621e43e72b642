/*
 * What Chromium would ask of the person's own device, which it does not have: it asks in dialogs that no picture shows and
 * no press reaches, and while one is open nothing reaches the page either. So none may open, in no browser of ours.
 */
#pragma once

#include "streamd/browser/cdp.h"

/*
 * Before a page or frame (its session) runs its first script: a passkey that it asks for is refused at once
 * (NotAllowedError, WebAuthn section 5.1.4), whichever kind, by two authenticators that have none and can make none.
 */
void device_prepare(struct cdp *cdp, const char *session);
