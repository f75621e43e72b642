/*
 * Why the page in front is not there: what the launcher said of its host, what Chromium's own error page says, or that
 * nothing has come for a while. Told by notes. Of one sign-in.
 */
#pragma once

#include "streamd/browser/browser.h"
#include "streamd/screen/notes.h"

struct trouble;

/* Notes and browser must outlive it. site: its title. */
struct trouble *trouble_new(struct notes *notes, const char *site);

/* In a fiber: ends what it has begun. Takes NULL, returns NULL. */
struct trouble *trouble_free(struct trouble *t);

/* The page in front begins to load something, or is another page (which may be NULL). */
void trouble_navigating(struct trouble *t, const struct target *page);

/* The page in front has changed: it may have come, or failed to. */
void trouble_changed(struct trouble *t, const struct target *page);

/*
 * The page in front may have come, and what it was answered is heard (browser_hear_answers()). Whether it is one that is not
 * there, or that its server cannot make: it looks like any other, so whose fault it is is told until another comes. sign_in: the
 * recipe's address.
 */
bool trouble_answered(struct trouble *t, const struct target *page, const char *sign_in);

/* What the launcher said of a host; why is a sentence that says "It" of it. page: the one in front, or NULL. */
void trouble_host(struct trouble *t, const struct target *page, const char *host, const char *why);

/* The same, of the host by its name: "desk.test refuses connections." Of size bytes. */
void trouble_words(const char *host, const char *why, char *out, size_t size);
