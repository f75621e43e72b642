/* What a page wants of the person, or of what it has not got: browser_events of screen.c. */
#pragma once

#include "streamd/browser/browser.h"

/* The owner is the screen. */
void wants_navigating(void *owner, struct target *page);
void wants_password(void *owner, struct target *target, const struct cbor *params);
void wants_app(void *owner, const char *scheme);
void wants_download(void *owner, const char *name);
void wants_file(void *owner, struct target *target);
void wants_binding(void *owner, struct target *target, const struct cbor *params);
void wants_host(void *owner, const char *host, const char *why);
void wants_lost_host(void *owner, const char *host, const char *why);
