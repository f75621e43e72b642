#include "common/origin.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/words.h"

#define HOST_BYTES "abcdefghijklmnopqrstuvwxyz0123456789.-_"
#define IPV6_BYTES "abcdef0123456789:."

static size_t scheme_length(const char *origin)
{
	if (strncmp(origin, "https://", 8) == 0)
		return 8;
	return strncmp(origin, "http://", 7) == 0 ? 7 : 0;
}

/* Behind the host, or NULL where there is none. */
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

static const char *check_port(const char *p, long left_out)
{
	char *end;
	long port;

	if (*p < '1' || *p > '9')
		return "a number from 1 to 65535 must follow the colon";
	port = strtol(p, &end, 10);
	if (*end)
		return "only a host and a port may follow the scheme, without a slash at the end";
	if (port > 65535)
		return "a number from 1 to 65535 must follow the colon";
	return port == left_out ? "the scheme's own port must be left out, as browsers do" : NULL;
}

const char *origin_check(const char *origin)
{
	size_t n = scheme_length(origin);
	const char *end;

	if (n == 0)
		return "it must begin with https:// or http://";
	if (strlen(origin) > ORIGIN_MOST)
		return "it is too long";
	for (const char *p = origin; *p; p++)
		if (isupper((unsigned char)*p))
			return "it must be in lower case, as browsers send it";
	end = skip_host(origin + n);
	if (!end)
		return "a host name must follow the scheme";
	if (*end == ':')
		return check_port(end + 1, n == 8 ? 443 : 80);
	return *end ? "only a host and a port may follow the scheme, without a slash at the end" : NULL;
}

int origins_check(const struct words *origins, char *why, size_t size)
{
	*why = '\0';
	if (origins->count == 0) {
		words_set(why, size, "the setting origin is missing; say in " SETTINGS_SHARED_FILE
			" at which address Stead's page is opened, such as http://127.0.0.1:8080");
		return -EINVAL;
	}
	for (size_t i = 0; i < origins->count; i++) {
		const char *wrong = origin_check(origins->items[i]);

		if (wrong)
			return words_fail(-EINVAL, why, size, "the setting origin does not take \"%s\": %s", BRIEF(ORIGIN_MOST, origins->items[i]), wrong);
	}
	return 0;
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
