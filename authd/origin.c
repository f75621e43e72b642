#include "authd/origin.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static size_t scheme_length(const char *origin)
{
	if (strncmp(origin, "https://", 8) == 0)
		return 8;
	return strncmp(origin, "http://", 7) == 0 ? 7 : 0;
}

const char *origin_check(const char *origin)
{
	size_t n = scheme_length(origin);
	const char *host = origin + n;

	if (n == 0)
		return "it must begin with https:// or http://";
	if (*host == '\0' || *host == ':')
		return "a host name must follow the scheme";
	if (strlen(origin) > ORIGIN_MOST)
		return "it is too long";
	for (const char *p = host; *p; p++) {
		if (isupper((unsigned char)*p))
			return "it must be in lower case, as browsers send it";
		if (!isalnum((unsigned char)*p) && !strchr(".-:[]", *p))
			return "only a host and a port may follow the scheme, without a slash at the end";
	}
	if ((n == 8 && strlen(host) > 4 && strcmp(host + strlen(host) - 4, ":443") == 0) ||
		(n == 7 && strlen(host) > 3 && strcmp(host + strlen(host) - 3, ":80") == 0))
		return "the scheme's own port must be left out, as browsers do";
	return NULL;
}

const char *origin_of_host(const struct words *origins, const char *host)
{
	for (size_t i = 0; host && i < origins->count; i++)
		if (strcasecmp(origins->items[i] + scheme_length(origins->items[i]), host) == 0)
			return origins->items[i];
	return NULL;
}

bool origin_is_https(const char *origin)
{
	return scheme_length(origin) == 8;
}

enum origin_verdict origin_judge(const char *own, const char *sec_fetch_site, const char *origin)
{
	/*
	 * "none" is a person's own doing (a typed address, a bookmark), which never makes the requests meant here;
	 * "same-site" is another host of ours at best, and it has no business here either.
	 */
	if (sec_fetch_site && strcmp(sec_fetch_site, "same-origin") != 0)
		return ORIGIN_FOREIGN;
	/* Also beside Sec-Fetch-Site: the two never disagree in an honest browser. */
	if (origin && strcmp(origin, own) != 0)
		return ORIGIN_FOREIGN;
	return sec_fetch_site || origin ? ORIGIN_OWN : ORIGIN_UNKNOWN;
}
