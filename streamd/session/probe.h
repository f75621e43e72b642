/* The probe: the site's protected page, and whose session it says this is. */
#pragma once

#include <stdint.h>

#include "recipe/recipe.h"
#include "streamd/browser/browser.h"

enum verdict {
	VERDICT_IN,           /* it shows the mark of an account */
	VERDICT_OUT,          /* it shows that nobody is signed in */
	VERDICT_INCONCLUSIVE, /* neither: it proves nothing and changes nothing */
	VERDICT_DOWN,         /* nor that, because the site itself is not well: it may be asked again later */
};

const char *verdict_word(enum verdict v);

/* What one look at the probe's page came to. */
struct probed {
	enum verdict verdict;
	char account[257]; /* with VERDICT_IN; else "" */
	int64_t retry_ms;  /* with VERDICT_DOWN: how long the site wants to be left alone; 0: it does not say */
	const char *not_portable; /* with VERDICT_OUT: why no other browser is let in, the end of a sentence; NULL: it may be */
	char why[1024];    /* what was seen, a sentence; "" with VERDICT_IN */
};

/*
 * Opens the probe's page and looks, until the recipe's timeout or the deadline; the browser hears answers from then on. One
 * look: that a site says "out" once may be a mishap (proof.h looks twice). 0 with *ret filled, -ECONNRESET when the
 * browser is gone, -EPIPE when the page is, or -ECANCELED.
 */
int probe(struct target_ref page, const struct recipe *recipe, int64_t deadline, struct probed *ret);
