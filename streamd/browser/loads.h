/*
 * What a page loads and wants meanwhile: what is asked for and not there yet, what could not be had, passwords of HTTP,
 * downloads, files. For targets.c and page.c.
 */
#pragma once

#include "streamd/browser/browser_inside.h"

/* An event of CDP; t is NULL for the browser's own session. Before targets.c says what has changed. */
void loads_event(struct browser *b, struct target *t, const char *method, const struct cbor *params);

/* A page has got another document; unreachable: Chromium's own, in place of that address, or NULL. */
void loads_landed(struct target *t, const char *unreachable);

/* Whether somebody answers when a host asks this browser for a name and a password; a tab of ours has nobody to ask. */
bool loads_ask_passwords(const struct browser *b);

/* What its requests are paused for: to be answered blank, to be asked for a password, or not at all. */
void target_set_fetch(struct browser *b, struct target *t);
