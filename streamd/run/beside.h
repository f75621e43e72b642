/*
 * A page beside the one in front, in the same browser: what a person gets who opens the site in another tab. sessionStorage
 * belongs to a tab, so a site that keeps its token there would find nobody signed in; what the front's document holds is copied.
 */
#pragma once

#include "streamd/browser/browser.h"

/*
 * *ret is blank; the first document that it is led to finds the copy, if it is of the same origin and its page's own. Then
 * page_beside_begun() is called with what came in script. 0, or as browser_open_page(); without a copy if the front has none or
 * does not answer.
 */
int page_open_beside(struct target_ref front, int64_t deadline, struct target_ref *ret, char script[CDP_ID]);

/* It stands at its first document: what is copied is not written a second time, over what has changed since. */
void page_beside_begun(struct target_ref page, const char *script);
