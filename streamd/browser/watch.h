/*
 * What a person does in a page that its picture cannot show (streamd/browser/pages/watch.js): lists that drop down (menu.h) and
 * text that is copied (copy.h).
 */
#pragma once

#include <jansson.h>

#include "common/cbor.h"
#include "streamd/browser/cdp.h"

/* Begins to watch a page or a frame; sent before its first script runs, after Page.enable. Not waited for. */
void watch_prepare(struct cdp *cdp, const char *session);

/* What Runtime.bindingCalled brings from there: a new reference, or NULL if it is none of ours. */
json_t *watch_read(const struct cbor *params);
