/* The probe: the site's protected page, and whose session it says this is. */
#pragma once

#include <stdint.h>

#include "recipe/recipe.h"
#include "streamd/browser.h"

enum verdict {
	VERDICT_IN,          /* it shows the mark of an account */
	VERDICT_OUT,         /* it shows that nobody is signed in */
	VERDICT_INCONCLUSIVE, /* neither: it proves nothing and changes nothing */
};

const char *verdict_word(enum verdict v);

/*
 * Opens the probe's page and looks, until the recipe's timeout or the deadline. account is set with VERDICT_IN; why (size
 * bytes) says in a sentence what was seen otherwise. 0, -ECONNRESET when the browser is gone, or -ECANCELED.
 */
int probe(struct target *page, const struct recipe *recipe, int64_t deadline, enum verdict *ret, char account[257],
	char *why, size_t size);
