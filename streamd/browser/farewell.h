/*
 * Leaving a page without letting it say goodbye. Many a page tells its site when it is left (pagehide, beforeunload,
 * visibilitychange, a beacon), and some sites sign the person out then: right for a tab that a person closes, the end of a
 * session that is kept.
 */
#pragma once

#include <stdint.h>

#include "streamd/browser/browser.h"

/*
 * The page in front goes to a blank document, unless it has one, and those behind it are closed, while nothing of its browser
 * reaches the network, which is open again afterwards. A page apart (act.h) goes alone, and only what it says reaches
 * nobody: another waits for an answer. 0, or as page_navigate(); also REFUSED when the network could not be cut or opened.
 */
int page_leave(struct target_ref front, int64_t deadline);

/*
 * The same at the end of an act, after which what is sent leaves as ever (act_leave()), and not before what the page has asked
 * for of late has come (fetches.h). may_speak: the recipe wants goodbyes, so the network is not cut, and all go as if a person left
 * and closed them.
 */
int page_leave_act(struct target_ref front, bool may_speak, int64_t deadline);

/* Whether going to that address leaves the document that is there; another place of the same one does not. */
bool page_leaves(struct target_ref page, const char *url);
