#include "streamd/origin.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/settings.h"

#define HOST_BYTES "abcdefghijklmnopqrstuvwxyz0123456789.-_"
#define IPV6_BYTES "abcdef0123456789:."

/* What follows the scheme, or NULL; *ret_default is the port that browsers leave out. */
static const char *skip_scheme(const char *text, long *ret_default)
{
	if (strncmp(text, "https://", 8) == 0) {
		*ret_default = 443;
		return text + 8;
	}
	if (strncmp(text, "http://", 7) == 0) {
		*ret_default = 80;
		return text + 7;
	}
	return NULL;
}

static const char *skip_host(const char *p)
{
	size_t n;

	if (*p != '[') {
		n = strspn(p, HOST_BYTES);
		return n > 0 ? p + n : NULL;
	}
	n = strspn(p + 1, IPV6_BYTES);
	return n > 1 && p[1 + n] == ']' ? p + n + 2 : NULL;
}

static bool port_is_valid(const char *p, long default_port)
{
	char *end;
	long port;

	if (*p < '1' || *p > '9')
		return false;
	port = strtol(p, &end, 10);
	return !*end && port <= 65535 && port != default_port;
}

bool origin_is_valid(const char *text)
{
	long default_port;
	const char *p = skip_scheme(text, &default_port);

	if (p)
		p = skip_host(p);
	if (!p)
		return false;
	return !*p || (*p == ':' && port_is_valid(p + 1, default_port));
}

bool origin_is_allowed(const struct words *origins, const char *origin)
{
	if (!origin || !*origin || strcmp(origin, "null") == 0)
		return false;
	for (size_t i = 0; i < origins->count; i++)
		if (strcmp(origins->items[i], origin) == 0)
			return true;
	return false;
}
