#include "streamd/session/caution.h"

#include "common/words.h"
#include "streamd/session/account.h"

#define FLEETING_S 30 /* a cookie that lives no longer may be over before it is used */

bool caution_fleeting(const struct state *s, char *out, size_t size)
{
	int seconds = 0;
	const char *cookie = state_fleeting_cookie(s, FLEETING_S, &seconds);

	*out = '\0';
	if (cookie)
		words_set(out, size, "The site's cookie %s lives for %d s only, so that it may have ended before the session is used.",
			BRIEF(100, cookie), seconds);
	return cookie != NULL;
}

/* https://www.w3.org/TR/dbsc/: cookies of a few minutes, renewed with a key that never leaves the browser. */
void caution_words(const struct browser *b, const struct recipe *recipe, const struct state *s, char *out, size_t size)
{
	const char *site = browser_bound(b, 0), *nameless = account_caution(recipe);
	char fleeting[400];

	*out = '\0';
	if (site)
		words_set(out, size, "%s has bound this sign-in to a key of the browser it was made in (DBSC), which cannot be taken along. It may "
			"end within minutes; if it does, ask the site's administrator for sessions that are not bound to a device.", site);
	if (caution_fleeting(s, fleeting, sizeof(fleeting)))
		words_add(out, size, "%s%s", *out ? " " : "", fleeting);
	if (nameless)
		words_add(out, size, "%s%s", *out ? " " : "", nameless);
}
