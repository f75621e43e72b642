#include "http/place.h"

#include <stdlib.h>
#include <string.h>

#include "common/must.h"

static bool has_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;

	curl_free(text);
	return has;
}

/* Copied, and false if it does not fit. */
static bool copy_part(CURLU *url, CURLUPart part, char *out, size_t size)
{
	char *text = NULL;
	bool fits = curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK && strlen(text) < size;

	if (fits)
		memcpy(out, text, strlen(text) + 1);
	curl_free(text);
	return fits;
}

bool place_read(const char *text, struct place *ret)
{
	char scheme[8], host[HOST_TEXT + 2], port[8];

	*ret = (struct place){ .url = must(curl_url()) };
	if (curl_url_set(ret->url, CURLUPART_URL, text, 0) != CURLUE_OK || has_part(ret->url, CURLUPART_USER) ||
		!copy_part(ret->url, CURLUPART_SCHEME, scheme, sizeof(scheme)) ||
		!copy_part(ret->url, CURLUPART_HOST, host, sizeof(host)) ||
		!copy_part(ret->url, CURLUPART_PORT, port, sizeof(port)))
		return false;
	ret->secure = strcmp(scheme, "https") == 0;
	ret->port = (uint16_t)strtoul(port, NULL, 10);
	curl_url_set(ret->url, CURLUPART_FRAGMENT, NULL, 0);
	return (ret->secure || strcmp(scheme, "http") == 0) && host_parse(host, strlen(host), &ret->host) == 0;
}

void place_end(struct place *p)
{
	curl_url_cleanup(p->url);
}
