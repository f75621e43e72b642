/* What a recipe that has been read says of a host, an address, an account. */
#include <string.h>

#include "recipe/pattern.h"
#include "recipe/recipe.h"

const struct recipe_action *recipe_action_find(const struct recipe *r, const char *name)
{
	for (size_t i = 0; i < r->actions_count; i++) {
		if (strcmp(r->actions[i].name, name) == 0)
			return &r->actions[i];
	}
	return NULL;
}

static bool any_host(const char *const *patterns, size_t count, const char *host)
{
	for (size_t i = 0; i < count; i++) {
		if (host_match(patterns[i], host))
			return true;
	}
	return false;
}

bool recipe_allows_host(const struct recipe *r, const char *host)
{
	return any_host(r->hosts, r->hosts_count, host);
}

bool recipe_is_provider(const struct recipe *r, const char *url)
{
	char host[256];

	return url_host(url, host, sizeof(host)) &&
		any_host(r->identity_providers, r->identity_providers_count, host);
}

bool recipe_any_url(const char *const *patterns, size_t count, const char *url)
{
	for (size_t i = 0; i < count; i++) {
		if (url_match(patterns[i], url))
			return true;
	}
	return false;
}

bool recipe_account(const struct recipe_probe_in *in, const char *text, char *out, size_t size)
{
	return account_match(in->pattern, text, out, size);
}
