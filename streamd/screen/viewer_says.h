/* What viewers say: pointer, keys and text for the page in front, and words for Stead itself. Order is kept. */
#pragma once

#include "proto/scan.h"
#include "proto/server.h"
#include "streamd/screen/viewer.h"

/*
 * Takes one message, of those that rows has; params is the text of an object, or absent. -EPROTO with *ret_why (a sentence, valid
 * until the next call) when it is none that a page of ours would send, -EPERM when the viewer may not do that: the connection is
 * then closed. Never waits.
 */
int viewer_says_take(struct viewer *v, const struct dispatch_row *rows, const char *method, struct raw_json params,
	const char **ret_why);
