/*
 * The dialogs (alert, confirm, prompt, beforeunload) that a sign-in's pages have open. A page has one at most and stands
 * still meanwhile; the person is shown the oldest, and the next when that is gone. Not for fibers: all of it returns at
 * once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/viewer.h"

struct cbor;
struct dialogs;
struct target;

/* What is shown is told by an event of proto/viewer.def; fields are borrowed. */
struct dialogs *dialogs_new(void (*tell)(void *owner, const struct method *event, const void *fields), void *owner);

/* Takes NULL, returns NULL. */
struct dialogs *dialogs_free(struct dialogs *d);

/* Page.javascriptDialogOpening. */
void dialogs_add(struct dialogs *d, struct target *page, const struct cbor *params);

/* Fetch.authRequired: a host, or a proxy, wants a name and a password (RFC 9110, section 11). */
void dialogs_add_password(struct dialogs *d, struct target *page, const struct cbor *params);

/*
 * Those of this page are gone, if it had any. scripts: that of its script has been answered; passwords: it goes on to another
 * document, so nobody wants one for this any more; both: the page is gone.
 */
void dialogs_remove(struct dialogs *d, const struct target *page, bool scripts, bool passwords);

/* The one that the person is shown, or NULL: then no page stands still. Until the next call of these functions. */
const struct dialog_opened_event *dialogs_shown(const struct dialogs *d);

/* Answers one by its number, if it is still there; text (a prompt's, a password) and name may be NULL. */
void dialogs_answer(struct dialogs *d, int64_t number, bool accept, const char *name, const char *text);

/* Answers all of them with Cancel, so that no page stands still. */
void dialogs_dismiss(struct dialogs *d);

/* Forgets them; nobody is told. */
void dialogs_clear(struct dialogs *d);
