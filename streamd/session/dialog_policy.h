/*
 * What becomes of a page's dialog where no person is there to answer it, in a proof, in every run, and in a sign-in whose
 * page is being captured: a dialog stands in the way of everything, so it is put away at once. An alert is accepted, what asks
 * (confirm, prompt) is dismissed, for nobody has said yes; a page that wants to keep whoever leaves it does not.
 */
#pragma once

#include <stddef.h>

struct cbor;
struct target;

#define DIALOGS_SAID 2048 /* room for what dialogs say between two answers */

/*
 * Page.javascriptDialogOpening; params NULL: it has gone, nothing is done. What it says is added to said (size bytes), a
 * sentence for each.
 */
void dialog_put_away(const struct target *page, const struct cbor *params, char *said, size_t size);
