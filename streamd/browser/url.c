#include "streamd/browser/url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/must.h"
#include "common/words.h"
#include "recipe/recipe.h"

struct url {
	char shown[URL_MOST_SHOWN + 1];
	char whole[];
};

/* A page may give itself any address with data: or javascript:, and blob: names nothing that could be looked up. */
static size_t length_shown(const char *text)
{
	if (strncasecmp(text, "data:", 5) == 0 || strncasecmp(text, "javascript:", 11) == 0)
		return strcspn(text, ":") + 1;
	return strcspn(text, "?#");
}

static struct url *url_fill(struct url *u, const char *text, size_t n)
{
	size_t shown = length_shown(text);

	memcpy(u->whole, text, n);
	u->whole[n] = '\0';
	words_set(u->shown, sizeof(u->shown), "%s", u->whole);
	if (shown < n) { /* what no "://" introduces */
		u->whole[shown] = '\0';
		words_set(u->shown, sizeof(u->shown), "%s", u->whole);
		u->whole[shown] = text[shown];
	}
	return u;
}

static size_t length_kept(const char *text)
{
	return words_fit(text, strlen(text), URL_MOST);
}

struct url *url_new(const char *text)
{
	size_t n = length_kept(text ?: "");
	struct url *u = must(malloc(sizeof(*u) + n + 1));

	return url_fill(u, text ?: "", n);
}

struct url *url_free(struct url *u)
{
	free(u);
	return NULL;
}

const struct url *url_in(struct arena *arena, const char *text)
{
	size_t n = length_kept(text ?: "");

	return url_fill(arena_alloc(arena, sizeof(struct url) + n + 1), text ?: "", n);
}

const char *url_shown(const struct url *u)
{
	return u ? u->shown : "no page at all";
}

const char *url_whole(const struct url *u)
{
	return u->whole;
}

bool url_equal(const struct url *a, const struct url *b)
{
	return strcmp(a->whole, b->whole) == 0;
}

bool url_fits_any(const struct url *u, const char *const *patterns, size_t count)
{
	return recipe_any_url(patterns, count, u->whole);
}
