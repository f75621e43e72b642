/* Whose session it is, wherever the site says so (TYPE(recipe_account_source) in recipe/recipe.def). */
#pragma once

#include "recipe/recipe.h"
#include "streamd/browser/browser.h"

/* Of the request that brings the account: where its answer is asked for. */
struct account_answer {
	char session[CDP_ID], request[CDP_ID]; /* "": none has come */
};

#define ACCOUNT_MOST 257 /* bytes, with the NUL */
#define ACCOUNT_LACK 512

/*
 * shown: what the mark of a signed-in person shows (probe.in.at), NULL if there is none. answer: of source.answer, or NULL. account
 * (ACCOUNT_MOST bytes) gets the name, or "" if it is not there now; lack (ACCOUNT_LACK) then says why, as the end of "It does not say
 * who is signed in: ", else "". Waits, some seconds where a page hangs. 0, -ECONNRESET, -ECANCELED.
 */
int account_read(struct target_ref page, const struct recipe_probe_in *in, const char *shown, const struct account_answer *answer,
	char *account, char *lack);

/* What the source's pointer and claim find in such a text; NULL: nothing, and lack says why. In the arena, or text itself. */
const char *account_decode(const struct recipe_account_source *source, const char *text, struct arena *arena, char *lack);

/*
 * Whether all sessions of the site look like the same account's, a sentence for the person then; NULL: they do not. Borrowed from
 * the recipe's arena or static.
 */
const char *account_caution(const struct recipe *recipe);
